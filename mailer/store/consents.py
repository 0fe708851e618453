"""The append-only consent record: what was agreed or withdrawn, when, how, on what evidence."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, exists, func, insert, literal, select

from mailer.domain.consent import AGREEING_ACTS, ConsentAct, Evidence
from mailer.domain.subscription import Subscription
from mailer.store.people_tables import consent, subscriber


def record(tx: Connection, agreed_to: Subscription, act: ConsentAct, evidence: Evidence, now: datetime) -> None:
    """Add one line about one subscription."""
    record_many(tx, agreed_to.mailing_list_id, [agreed_to.subscriber_id], act, evidence, now)


def record_many(
    tx: Connection,
    mailing_list_id: int,
    subscriber_ids: Iterable[int],
    act: ConsentAct,
    evidence: Evidence,
    now: datetime,
) -> None:
    """Add the same line about each of these people."""
    line = select(
        literal(mailing_list_id, consent.c.mailing_list_id.type),
        subscriber.c.id,
        literal(act, consent.c.act.type),
        literal(evidence.channel, consent.c.way.type),
        literal(evidence.details, consent.c.evidence.type),
        literal(now, consent.c.at.type),
    ).where(subscriber.c.id.in_(list(subscriber_ids)))
    columns = ["mailing_list_id", "subscriber_id", "act", "way", "evidence", "at"]
    tx.execute(insert(consent).from_select(columns, line))


def count_asked_and_confirmed(
    tx: Connection, mailing_list_id: int, since: datetime, until: datetime, limit: int
) -> tuple[int, int]:
    """How many people were asked in a period (in its last `limit` lines), and how many of them confirmed since."""
    asked_lines = (
        select(consent.c.subscriber_id)
        .where(
            consent.c.mailing_list_id == mailing_list_id,
            consent.c.at >= since,
            consent.c.at < until,
            consent.c.act == ConsentAct.ASKED,
        )
        .order_by(consent.c.at.desc())
        .limit(limit)
        .subquery()
    )
    confirmed = (
        consent.c.subscriber_id == asked_lines.c.subscriber_id,
        consent.c.mailing_list_id == mailing_list_id,
        consent.c.act == ConsentAct.CONFIRMED,
        consent.c.at >= since,
    )
    people = func.count(asked_lines.c.subscriber_id.distinct())
    asked = tx.execute(select(people)).scalar_one()
    return asked, tx.execute(select(people).where(exists().where(*confirmed))).scalar_one()


def find_agreed(tx: Connection, subscriber_ids: Iterable[int], *mailing_list_ids: int) -> set[int]:
    """Those of these people who ever agreed to be on one of the lists, or on any where none is named."""
    found = select(consent.c.subscriber_id).where(
        consent.c.subscriber_id.in_(list(subscriber_ids)), consent.c.act.in_(AGREEING_ACTS)
    )
    if mailing_list_ids:
        found = found.where(consent.c.mailing_list_id.in_(mailing_list_ids))
    return set(tx.execute(found).scalars())


def count_acts(tx: Connection, mailing_list_id: int, act: ConsentAct, since: datetime) -> int:
    """How many lines with this act a list has since then."""
    lines = (consent.c.mailing_list_id == mailing_list_id, consent.c.at >= since, consent.c.act == act)
    return tx.execute(select(func.count()).select_from(consent).where(*lines)).scalar_one()


@dataclass(frozen=True, kw_only=True, slots=True)
class ConsentLine:
    """One line of the consent record."""

    mailing_list_id: int
    act: ConsentAct
    channel: str
    evidence: dict[str, Any]
    at: datetime


def list_for_subscriber(tx: Connection, subscriber_id: int) -> list[ConsentLine]:
    """The lines about one person, oldest first."""
    found = tx.execute(select(consent).where(consent.c.subscriber_id == subscriber_id).order_by(consent.c.id))
    return [
        ConsentLine(
            mailing_list_id=row.mailing_list_id,
            act=ConsentAct(row.act),
            channel=row.way,
            evidence=row.evidence,
            at=row.at,
        )
        for row in found
    ]
