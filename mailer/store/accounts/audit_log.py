"""The append-only audit log: one line for each act of an organiser or a command, in the act's own transaction."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, insert, select
from sqlalchemy.exc import DBAPIError

from mailer.domain.accounts.actor import Actor
from mailer.domain.accounts.audit import Act, AuditLine
from mailer.domain.page import MAX_PAGE_SIZE, Page, cursor_id, make_page, page_size
from mailer.errors import DatabaseUnavailable
from mailer.store.accounts.organiser_tables import audit_line
from mailer.store.database import open_engine


def record(
    tx: Connection,
    actor: Actor,
    act: Act,
    *,
    subject: str,
    now: datetime,
    mailing_list_id: int | None = None,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
) -> None:
    """Add one line. `before` and `after` hold what was changed, as JSON; readers are named by number only.

    Erasing a person does not look here: no address or name of a reader, and no text of a letter, belongs in a line.
    """
    # A key that is left out is NULL; None would be JSON's null.
    changed = {name: dict(value) for name, value in (("before", before), ("after", after)) if value is not None}
    tx.execute(
        insert(audit_line).values(
            at=now,
            actor=actor.name,
            organiser_id=actor.organiser_id,
            door=actor.door,
            act=act,
            mailing_list_id=mailing_list_id,
            subject=subject,
            **changed,
        )
    )


def record_alone(
    url: str, actor: Actor, act: Act, *, subject: str, now: datetime, after: Mapping[str, Any] | None = None
) -> None:
    """Add one line in a transaction of its own, where no App is open. Raises DatabaseUnavailable."""
    engine = open_engine(url)
    try:
        with engine.begin() as tx:
            record(tx, actor, act, subject=subject, after=after, now=now)
    except DBAPIError as error:
        raise DatabaseUnavailable(f"the database refuses a line of the audit log: {error.orig}") from error
    finally:
        engine.dispose()


def list_page(
    tx: Connection, after: str = "", limit: int = MAX_PAGE_SIZE, *, mailing_list_id: int | None = None
) -> Page[AuditLine]:
    """A page of lines, newest first, of one list or with None of everything; `after` is the cursor of the page before.

    A list's lines are those that concern it alone: what was done to the whole site is in no list's.
    """
    query = select(audit_line).order_by(audit_line.c.id.desc()).limit(page_size(limit) + 1)
    if mailing_list_id is not None:
        query = query.where(audit_line.c.mailing_list_id == mailing_list_id)
    if after:
        query = query.where(audit_line.c.id < cursor_id(after))
    return make_page([_line_from_row(row) for row in tx.execute(query)], limit, lambda one: str(one.id))


def _line_from_row(row: Row[Any]) -> AuditLine:
    return AuditLine(
        id=row.id,
        at=row.at,
        actor=row.actor,
        organiser_id=row.organiser_id,
        door=row.door,
        act=row.act,
        mailing_list_id=row.mailing_list_id,
        subject=row.subject,
        before=row.before,
        after=row.after,
    )
