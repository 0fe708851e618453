"""The people of a list for an export, page by page in the order of their addresses."""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC
from typing import Any, NamedTuple
from typing import cast as cast_type

from sqlalchemy import ColumnElement, Connection, Select, Table, Text, and_, cast, func, or_, select

from mailer.domain.consent import AGREED_AT, AGREEING_ACTS
from mailer.domain.subscription import DeliveryMode
from mailer.domain.suppression import EVERY_LIST
from mailer.importers.person_row import PERSON_COLUMNS, STATE_COLUMNS, parse_timestamp
from mailer.store.bulk_rows import fetch_rows
from mailer.store.columns import iso_text
from mailer.store.people_tables import consent, subscriber, subscription, suppression

_CELLS = len((*PERSON_COLUMNS, *STATE_COLUMNS))
_WHOLE_SECONDS = len("2027-03-01T08:00:00+00:00")


class PersonRecord(NamedTuple):
    """A person on a list, in texts as a table has them: "" for what is not known, times in ISO 8601."""

    email: str
    name: str
    language: str
    zone: str
    state: str
    delivery_mode: str
    suppressed: str
    agreed_at: str
    changed_at: str
    attributes: dict[str, str]
    suppression_key: str

    @property
    def cells(self) -> tuple[str, ...]:
        """All but attributes and key, as OWN_COLUMNS names them."""
        return cast_type("tuple[str, ...]", self[:_CELLS])


@dataclass(frozen=True, slots=True)
class _Page:
    """A page of all people, by address key: after one, up to and with the other."""

    after: str
    last: str

    def contains(self) -> ColumnElement[bool]:
        return (subscriber.c.address_key > self.after) & (subscriber.c.address_key <= self.last)


def next_people(tx: Connection, mailing_list_id: int, after: str, limit: int) -> tuple[str | None, list[PersonRecord]]:
    """The people of a list among the next `limit` of all people; not erased ones.

    Returns the address key of the last that was looked at, None at the end: there may be more where nobody of them is
    on the list. All people are looked at, so that the order of an export depends on nothing but their addresses.
    """
    if (page := _find_page(tx, after, limit)) is None:
        return None, []
    found = fetch_rows(tx, _people_query(tx, mailing_list_id, page))
    suppressed = _suppressed_cells(tx, mailing_list_id, page) if found else {}
    return page.last, [_record(suppressed, *row) for row in found]


def _find_page(tx: Connection, after: str, limit: int) -> _Page | None:
    keys = select(subscriber.c.address_key).where(subscriber.c.address_key > after)
    keys = keys.order_by(subscriber.c.address_key).limit(limit)
    last = tx.execute(select(func.max(keys.subquery().c.address_key))).scalar_one()
    return None if last is None else _Page(after, last)


def _people_query(tx: Connection, mailing_list_id: int, page: _Page) -> Select[Any]:
    person = [func.coalesce(subscriber.c[name], "").label(name) for name in PERSON_COLUMNS[1:]]
    own = (subscription.c.state, func.coalesce(subscription.c.delivery_mode, "").label("delivery_mode"))
    joined = (subscription.c.subscriber_id == subscriber.c.id, subscription.c.mailing_list_id == mailing_list_id)
    query = select(
        subscriber.c.address,
        *person,
        *own,
        iso_text(tx, subscription.c.changed_at),
        _last_agreement(tx, mailing_list_id).label("agreed"),
        subscriber.c.suppression_key,
        subscription.c.attributes,
    )
    here = (page.contains(), subscriber.c.address != "", _is_there(subscription.c.state))
    return _outer_join(query, subscription, *joined).where(*here).order_by(subscriber.c.address_key)


def _outer_join(query: Select[Any], table: Table, *joined: ColumnElement[bool]) -> Select[Any]:
    """Join people with another table in a way that SQLite, too, begins with the people; rows may lack the other."""
    return query.outerjoin_from(subscriber, table, and_(*joined))


def _is_there(column: ColumnElement[Any]) -> ColumnElement[bool]:
    """Whether the other table has a row, said so that SQLite does not make an inner join of it and begins there."""
    return func.coalesce(column, "") != ""


def _last_agreement(tx: Connection, mailing_list_id: int) -> ColumnElement[Any]:
    """When a person last agreed to be on the list, as far as it is known: here, a blank, as it was declared."""
    declared_at = consent.c.evidence[AGREED_AT].as_string()
    # Plus 0, since SQLite would otherwise search by list.
    own = (consent.c.subscriber_id == subscriber.c.id, consent.c.mailing_list_id + 0 == mailing_list_id)
    agreeing = or_(consent.c.act.in_(AGREEING_ACTS), declared_at.is_not(None))
    text = iso_text(tx, consent.c.at).element.concat(" ").concat(func.coalesce(declared_at, ""))
    query = select(text).where(*own, agreeing).order_by(consent.c.id.desc()).limit(1)
    return query.correlate(subscriber).scalar_subquery()


def _record(
    suppressed: dict[str, list[str]],
    address: str,
    name: str,
    language: str,
    zone: str,
    state: str,
    mode: str,
    changed_at: str,
    agreed: str | None,
    key: str,
    attributes: dict[str, str],
) -> PersonRecord:
    return PersonRecord(
        address,
        name,
        language,
        zone,
        state,
        "" if mode == DeliveryMode.EACH else mode,
        "; ".join(suppressed[key]) if key in suppressed else "",
        _agreed_at(agreed) if agreed else "",
        changed_at,
        attributes,
        key,
    )


def _agreed_at(agreed: str) -> str:
    at, _, declared = agreed.partition(" ")
    return (_in_utc(declared) or at) if declared else at


def _in_utc(cell: str) -> str | None:
    timestamp = parse_timestamp(cell)
    if timestamp is None:
        return None
    if cell.endswith("+00:00") and cell[10:11] == "T" and len(cell) == _WHOLE_SECONDS:
        return cell
    return timestamp.astimezone(UTC).isoformat()


def _suppressed_cells(tx: Connection, mailing_list_id: int, page: _Page) -> dict[str, list[str]]:
    """All suppressions of the people of the page, for this list or for all, by suppression key, as cells have them."""
    times = (iso_text(tx, suppression.c.created_at), iso_text(tx, suppression.c.until))
    columns = (suppression.c.suppression_key, suppression.c.mailing_list_id, suppression.c.reason, *times)
    joined = suppression.c.suppression_key == subscriber.c.suppression_key
    of_list = suppression.c.mailing_list_id.in_((EVERY_LIST, mailing_list_id))
    found = _outer_join(select(*columns), suppression, joined, of_list)
    found = found.where(page.contains(), _is_there(suppression.c.reason))
    cells: dict[str, list[str]] = defaultdict(list)
    for key, list_id, reason, since, until in sorted(fetch_rows(tx, found), key=lambda row: (row[2], row[1])):
        words = (reason, "everywhere" if list_id == EVERY_LIST else "", since, f"until {until}" if until else "")
        cells[key].append(" ".join(filter(None, words)))
    return dict(cells)


def attribute_names(tx: Connection, mailing_list_id: int, after: int, limit: int) -> tuple[int | None, set[str]]:
    """The names of attributes that have a value among the subscriptions of `limit` ids after one; the last id.

    None at the end.
    """
    newest = tx.execute(select(func.max(subscription.c.id))).scalar_one()
    if newest is None or after >= newest:
        return None, set()
    text = cast(subscription.c.attributes, Text)
    within = (subscription.c.id > after, subscription.c.id <= after + limit)
    found = select(text).where(*within, subscription.c.mailing_list_id == mailing_list_id, text != "{}")
    names: set[str] = set()
    # Decoded all at once, since each decoding would take longer than its few octets.
    for attributes in json.loads(f"[{','.join(tx.execute(found).scalars().all())}]"):
        if not attributes.keys() <= names:
            names.update(name for name, value in attributes.items() if value)
    return after + limit, names
