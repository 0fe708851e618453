"""The append-only record of what was agreed or withdrawn, when, through which door, on what evidence."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, exists, func, insert, literal, select

from mailer.domain.consent import AGREED, Act, Evidence
from mailer.domain.subscription import Subscription
from mailer.store.people_tables import consent, subscriber


def record(tx: Connection, of: Subscription, act: Act, evidence: Evidence, now: datetime) -> None:
    """One line about one subscription."""
    record_many(tx, of.mailing_list_id, [of.subscriber_id], act, evidence, now)


def record_many(
    tx: Connection, mailing_list_id: int, subscriber_ids: Iterable[int], act: Act, evidence: Evidence, now: datetime
) -> None:
    """The same line about each of these people."""
    line = select(
        literal(mailing_list_id, consent.c.mailing_list_id.type),
        subscriber.c.id,
        literal(act, consent.c.act.type),
        literal(evidence.way, consent.c.way.type),
        literal(evidence.words, consent.c.evidence.type),
        literal(now, consent.c.at.type),
    ).where(subscriber.c.id.in_(list(subscriber_ids)))
    columns = ["mailing_list_id", "subscriber_id", "act", "way", "evidence", "at"]
    tx.execute(insert(consent).from_select(columns, line))


def response(tx: Connection, mailing_list_id: int, since: datetime, until: datetime, most: int) -> tuple[int, int]:
    """How many people were asked between two hours (of the last `most` lines), and how many of them confirmed."""
    lines = (
        select(consent.c.subscriber_id)
        .where(
            consent.c.mailing_list_id == mailing_list_id,
            consent.c.at >= since,
            consent.c.at < until,
            consent.c.act == Act.ASKED,
        )
        .order_by(consent.c.at.desc())
        .limit(most)
        .subquery()
    )
    said_yes = (
        consent.c.subscriber_id == lines.c.subscriber_id,
        consent.c.mailing_list_id == mailing_list_id,
        consent.c.act == Act.CONFIRMED,
        consent.c.at >= since,
    )
    people = func.count(lines.c.subscriber_id.distinct())
    asked = tx.execute(select(people)).scalar_one()
    return asked, tx.execute(select(people).where(exists().where(*said_yes))).scalar_one()


def agreed(tx: Connection, subscriber_ids: Iterable[int], *mailing_list_ids: int) -> set[int]:
    """Those of these people who ever were on one of the lists, or where none is named on any."""
    found = select(consent.c.subscriber_id).where(
        consent.c.subscriber_id.in_(list(subscriber_ids)), consent.c.act.in_(AGREED)
    )
    if mailing_list_ids:
        found = found.where(consent.c.mailing_list_id.in_(mailing_list_ids))
    return set(tx.execute(found).scalars())


def number(tx: Connection, mailing_list_id: int, act: Act, since: datetime) -> int:
    """How many lines of one sort a list has since an hour."""
    lines = (consent.c.mailing_list_id == mailing_list_id, consent.c.at >= since, consent.c.act == act)
    return tx.execute(select(func.count()).select_from(consent).where(*lines)).scalar_one()


def of_subscriber(tx: Connection, subscriber_id: int) -> list[dict[str, Any]]:
    """The lines about one person, oldest first."""
    found = tx.execute(select(consent).where(consent.c.subscriber_id == subscriber_id).order_by(consent.c.id))
    return [dict(row._mapping) for row in found]
