"""Ask everybody whom an import has as pending: by letter, whether they want to be on the list."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection

from mailer.actions.imports.invite_people import InvitedPerson, invite_people
from mailer.actions.imports.plan_import import find_permitted_list
from mailer.actions.subscriptions.abuse_guard import has_opted_out
from mailer.app import App
from mailer.domain.accounts.actor import Actor
from mailer.domain.accounts.audit import Act
from mailer.domain.address import Address
from mailer.domain.consent import Channel, Evidence
from mailer.domain.mailing_list import MailingList
from mailer.domain.subscription import Subscription
from mailer.store import subscriptions, suppressions
from mailer.store.accounts import audit_log

_CHUNK = 100


@dataclass(frozen=True, slots=True)
class _Chunk:
    """Some of the people who wait."""

    people: list[Subscription]
    """Those who may be asked."""
    last: int | None
    """The id of the last subscription looked at; None at the end."""


async def invite_pending(
    app: App, actor: Actor, list_name: str, *, at_most: int | None = None, dry_run: bool = False
) -> int:
    """Queue a letter to each person who is pending on a list and was never asked, up to `at_most`; returns how many.

    Nobody who is suppressed, or opted out, is asked. After a crash it can be repeated: nobody is asked twice. Raises
    NotFound, NotPermitted.
    """
    mailing_list = await app.database.read(find_permitted_list, actor, list_name)
    if not dry_run:
        await app.database.write(_record, app, actor, mailing_list, at_most)
    asked, after = 0, 0
    while at_most is None or asked < at_most:
        limit = _CHUNK if at_most is None else min(_CHUNK, at_most - asked)
        if dry_run:
            chunk = await app.database.read(_next_chunk, app, mailing_list, after, limit)
        else:
            chunk = await app.database.write(_ask_chunk, app, actor, mailing_list, after, limit)
        asked += len(chunk.people)
        if chunk.last is None:
            break
        after = chunk.last
    return asked


def _record(tx: Connection, app: App, actor: Actor, mailing_list: MailingList, at_most: int | None) -> None:
    audit_log.record(
        tx,
        actor,
        Act.INVITE_PEOPLE,
        subject=f"list {mailing_list.name}",
        mailing_list_id=mailing_list.id,
        after={"at_most": at_most} if at_most is not None else None,
        now=app.clock(),
    )


def _next_chunk(tx: Connection, app: App, mailing_list: MailingList, after: int, limit: int) -> _Chunk:
    waiting = subscriptions.list_never_asked(tx, mailing_list.id, after, limit)
    suppressed = suppressions.find_suppressed(tx, [one.suppression_key for one in waiting], mailing_list.id)
    people = [
        one
        for one in waiting
        if one.suppression_key not in suppressed and not has_opted_out(tx, app, Address(one.address))
    ]
    return _Chunk(people, waiting[-1].id if waiting else None)


def _ask_chunk(tx: Connection, app: App, actor: Actor, mailing_list: MailingList, after: int, limit: int) -> _Chunk:
    chunk = _next_chunk(tx, app, mailing_list, after, limit)
    evidence = Evidence(Channel.COMMAND, {"by": actor.name})
    if chunk.people:
        invite_people(tx, app, mailing_list, [InvitedPerson(one.subscriber_id) for one in chunk.people], evidence)
    return chunk
