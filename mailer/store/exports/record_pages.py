"""A list's consent record and suppressions for an export, page by page."""

from __future__ import annotations

import json
from datetime import datetime
from functools import reduce
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, Select, Text, and_, cast, func, literal, select, tuple_

from mailer.domain.suppression import EVERY_LIST
from mailer.store.columns import iso_text
from mailer.store.people_tables import consent, subscriber, subscription, suppression

SuppressionPlace = tuple[str, int, str]
_ENCODE = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def next_consents(
    tx: Connection, mailing_list_id: int, after: datetime | None, limit: int
) -> tuple[datetime | None, str]:
    """The next lines of a list's consent record in JSON, oldest first, and the time of the last; None at the end.

    They are `limit` lines, and those of the same time as the last of them. Lines of erased people have no address.
    """
    own = [consent.c.mailing_list_id == mailing_list_id, *([consent.c.at > after] if after else [])]
    times = select(consent.c.at).where(*own).order_by(consent.c.at).limit(limit).subquery()
    last = tx.execute(select(func.max(times.c.at))).scalar_one()
    if last is None:
        return None, ""
    lines = _consent_lines(tx).where(*own, consent.c.at <= last)
    joined = func.group_concat if tx.dialect.name == "sqlite" else func.string_agg
    text = tx.execute(select(joined(lines.subquery().c.line, "\n"))).scalar_one()
    return last, "".join([f"{_compact(line)}\n" for line in text.split("\n")])


def _consent_lines(tx: Connection) -> Select[Any]:
    address = func.coalesce(subscriber.c.address, "")
    pieces: list[ColumnElement[str]] = [literal('{"at":"'), iso_text(tx, consent.c.at).element]
    cells = {"address": func.nullif(address, ""), "act": consent.c.act, "way": consent.c.way}
    pieces[2:] = [literal('"'), *(piece for name, cell in cells.items() for piece in _member(tx, name, cell))]
    pieces += [literal(',"evidence":'), cast(consent.c.evidence, Text), literal("}")]
    line = reduce(lambda text, piece: text.concat(piece), pieces)
    query = select(line.label("line")).outerjoin_from(consent, subscriber, consent.c.subscriber_id == subscriber.c.id)
    return query.order_by(consent.c.at, address, consent.c.id)


def _member(tx: Connection, name: str, cell: ColumnElement[Any]) -> tuple[ColumnElement[str], ...]:
    quoted = func.json_quote(cell) if tx.dialect.name == "sqlite" else cast(func.to_json(cell), Text)
    return literal(f',"{name}":'), func.coalesce(quoted, "null")


def _compact(line: str) -> str:
    # Imports write JSON without blanks and escapes, most others with them: alike, two exports can be compared.
    if ": " in line or ", " in line or "\\u" in line:
        return _ENCODE(json.loads(line))
    return line


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
