"""Suppressions by key alone, and lines of another service's consent record, from an export of ours."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, insert, select

from mailer.domain.consent import HISTORY_KEY, ConsentAct
from mailer.domain.suppression import EVERY_LIST
from mailer.importers.person_row import ConsentRow, SuppressedKey
from mailer.store import subscribers
from mailer.store.inserts import insert_into
from mailer.store.people_tables import consent, suppression


def add_suppressed_keys(tx: Connection, mailing_list_id: int, keys: Sequence[SuppressedKey], now: datetime) -> int:
    """Suppress these people for the list, or for all where it says so; returns how many rows are new."""
    added = 0
    for one in keys:
        entry = one.suppression
        statement = insert_into(tx, suppression).values(
            suppression_key=one.key,
            mailing_list_id=EVERY_LIST if entry.everywhere else mailing_list_id,
            reason=entry.reason,
            created_at=min(entry.since or now, now),
            until=entry.until,
        )
        added += tx.execute(statement.on_conflict_do_nothing()).rowcount
    return added


def add_history(tx: Connection, mailing_list_id: int, rows: Sequence[ConsentRow]) -> tuple[int, int]:
    """Add lines of HISTORY with their own times; returns how many are new, and how many are of people not known."""
    ids = subscribers.ids_by_key(tx, {one.address.key for one in rows})
    lines = [
        (ids[one.address.key], one.at, one.way, {**one.evidence, HISTORY_KEY: one.act})
        for one in rows
        if one.address.key in ids
    ]
    known = _known_lines(tx, mailing_list_id, ids.values())
    new: list[dict[str, Any]] = []
    for number, at, way, evidence in lines:
        act = evidence[HISTORY_KEY]
        if (number, at, act) not in known:
            known.add((number, at, act))
            line = {"subscriber_id": number, "at": at, "way": way[:16], "evidence": evidence}
            new.append(line | {"mailing_list_id": mailing_list_id, "act": ConsentAct.HISTORY})
    if new:
        tx.execute(insert(consent), new)
    return len(new), len(rows) - len(lines)


def _known_lines(
    tx: Connection, mailing_list_id: int, subscriber_ids: Collection[int]
) -> set[tuple[int, datetime, str]]:
    """Who did what when, by all lines about these people; those that were made here, too."""
    columns = (consent.c.subscriber_id, consent.c.at, consent.c.act, consent.c.evidence)
    # Plus 0, since SQLite would otherwise search by list.
    query = select(*columns).where(
        consent.c.subscriber_id.in_(list(subscriber_ids)), consent.c.mailing_list_id + 0 == mailing_list_id
    )
    return {
        (number, at, str(evidence.get(HISTORY_KEY, act)) if act == ConsentAct.HISTORY else str(act))
        for number, at, act, evidence in tx.execute(query)
    }
