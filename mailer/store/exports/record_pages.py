"""A list's consent record and suppressions for an export, page by page."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection, Select, Text, and_, cast, func, select, tuple_

from mailer.domain.suppression import EVERY_LIST
from mailer.store.columns import iso_text
from mailer.store.people_tables import consent, subscriber, subscription, suppression

ConsentPlace = tuple[datetime, str, int]
"""Where a page of the consent record ends: the time of its last line, its address and its id."""
SuppressionPlace = tuple[str, int, str]


class ConsentRecord(NamedTuple):
    """A line of the consent record in texts; times in ISO 8601, evidence in JSON."""

    at: str
    address: str | None
    """None for an erased person."""
    act: str
    way: str
    evidence: str


def next_consents(
    tx: Connection, mailing_list_id: int, after: ConsentPlace | None, limit: int
) -> tuple[ConsentPlace | None, list[ConsentRecord]]:
    """The next `limit` lines of a list's record, oldest first, and where they end; None at the end."""
    query, own = _consents(tx, mailing_list_id), (func.coalesce(subscriber.c.address, ""), consent.c.id)
    rows: list[tuple[Any, ...]] = []
    if after is None:
        later = query
    else:
        # Two queries that each follow the index of times; lines of one time are few, but for tests.
        at, *rest = after
        later = query.where(consent.c.at > at)
        same = query.where(consent.c.at == at, tuple_(*own) > tuple(rest)).order_by(*own)
        rows += map(tuple, tx.execute(same.limit(limit)))
    if len(rows) < limit:
        rows += map(tuple, tx.execute(later.order_by(consent.c.at, *own).limit(limit - len(rows))))
    if not rows:
        return None, []
    number, last_at, address, *_ = rows[-1]
    return (datetime.fromisoformat(last_at), address or "", number), [_consent_record(*row[1:]) for row in rows]


def _consents(tx: Connection, mailing_list_id: int) -> Select[Any]:
    columns = (consent.c.id, iso_text(tx, consent.c.at), subscriber.c.address, consent.c.act, consent.c.way)
    query = select(*columns, cast(consent.c.evidence, Text))
    query = query.outerjoin_from(consent, subscriber, consent.c.subscriber_id == subscriber.c.id)
    return query.where(consent.c.mailing_list_id == mailing_list_id)


def _consent_record(at: str, address: str | None, act: str, way: str, evidence: str) -> ConsentRecord:
    # Imports write JSON without blanks and escapes, most others with them: alike, two exports can be compared.
    if ": " in evidence or ", " in evidence or "\\u" in evidence:
        evidence = json.dumps(json.loads(evidence), ensure_ascii=False, separators=(",", ":"))
    return ConsentRecord(at, address or None, act, way, evidence)


class ExportedSuppression(NamedTuple):
    """A suppression in texts; times in ISO 8601, "" for what is not known."""

    key: str
    reason: str
    everywhere: bool
    since: str
    until: str
    email: str
    """Of people who are or were on the list."""


def next_suppressions(
    tx: Connection, mailing_list_id: int, after: SuppressionPlace, limit: int
) -> tuple[SuppressionPlace | None, list[ExportedSuppression]]:
    """The next `limit` suppressions for a list and for all lists, by key, and where they end; None at the end."""
    place = (suppression.c.suppression_key, suppression.c.mailing_list_id, suppression.c.reason)
    times = (iso_text(tx, suppression.c.created_at), iso_text(tx, suppression.c.until))
    person = and_(subscriber.c.suppression_key == suppression.c.suppression_key, subscriber.c.address != "")
    theirs = and_(subscription.c.mailing_list_id == mailing_list_id, subscription.c.subscriber_id == subscriber.c.id)
    query = (
        select(*place, *times, subscriber.c.address, subscription.c.id)
        .outerjoin_from(suppression, subscriber, person)
        .outerjoin(subscription, theirs)
        .where(tuple_(*place) > after, suppression.c.mailing_list_id.in_((EVERY_LIST, mailing_list_id)))
    )
    rows = tx.execute(query.order_by(*place).limit(limit)).all()
    if not rows:
        return None, []
    records = [
        ExportedSuppression(key, reason, list_id == EVERY_LIST, since, until or "", address if on_list else "")
        for key, list_id, reason, since, until, address, on_list in rows
    ]
    return (rows[-1][0], rows[-1][1], rows[-1][2]), records
