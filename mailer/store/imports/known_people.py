"""What is known here of many people at once, before an import."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Connection, Dialect, Select, String, and_, bindparam, func, or_, select

from mailer.domain.consent import ConsentAct
from mailer.domain.subscription import SubscriptionState
from mailer.domain.suppression import EVERY_LIST, SuppressionReason
from mailer.store.bulk_rows import CompiledStatement, as_json, decode_rows, parse_instant, rows_from_json, rows_to_json
from mailer.store.people_tables import consent, subscriber, subscription, suppression

_CONFIRMING_ACTS = (ConsentAct.CONFIRMED, ConsentAct.REJOINED, ConsentAct.RESTORED)
"""Acts by which a person is a reader, and that an older state in an imported table does not undo."""


@dataclass(frozen=True, kw_only=True, slots=True)
class KnownPerson:
    """What is known here of a person, and of their subscription to one list."""

    subscriber_id: int | None = None
    name: str | None = None
    language: str | None = None
    zone: str | None = None
    state: SubscriptionState | None = None
    """Of the subscription; None where there is none."""
    attributes: dict[str, str] = field(default_factory=dict)
    delivery_mode: str | None = None
    changed_at: datetime | None = None
    asked_at: datetime | None = None
    """When the latest confirmation letter was queued."""
    suppressions: frozenset[tuple[bool, SuppressionReason]] = frozenset()
    """(whether for every list, why), of the list and of all."""
    is_opted_out: bool = False
    """Whether somebody of the same mailbox chose to be never asked again."""
    confirmed_at: datetime | None = None
    """When they last confirmed this list, or an organiser restored them."""
    confirmed_any_at: datetime | None = None
    """The same for any list."""


UNKNOWN = KnownPerson()


@dataclass(slots=True)
class PersonKeys:
    """The keys by which a person is known."""

    address_key: str
    mailbox_key: str
    suppression_key: str
    mailbox_suppression_key: str
    """The suppression key of the mailbox; the same where the address is no variant."""


def load_known(tx: Connection, mailing_list_id: int, people: Sequence[PersonKeys]) -> dict[str, KnownPerson]:
    """Those of these people of whom something is known, by address key."""
    known = _load_subscribers(tx, mailing_list_id, people)
    keys = dict.fromkeys(key for one in people for key in (one.suppression_key, one.mailbox_suppression_key))
    suppressed = load_suppressions(tx, mailing_list_id, keys)
    if suppressed:
        for one in people:
            own, of_mailbox = (
                suppressed.get(key, frozenset()) for key in (one.suppression_key, one.mailbox_suppression_key)
            )
            if own or of_mailbox:
                known[one.address_key] = replace(
                    known.get(one.address_key, UNKNOWN),
                    suppressions=own,
                    is_opted_out=(True, SuppressionReason.NEVER) in of_mailbox,
                )
    return known


def lock_subscriptions(tx: Connection, mailing_list_id: int, people: Sequence[PersonKeys]) -> None:
    """On PostgreSQL, make others wait who would change what is known of these people."""
    if tx.dialect.name == "sqlite":
        return
    theirs = select(subscriber.c.id).where(subscriber.c.address_key.in_([one.address_key for one in people]))
    tx.execute(theirs.order_by(subscriber.c.id).with_for_update())
    found = select(subscription.c.id).where(
        subscription.c.mailing_list_id == mailing_list_id, subscription.c.subscriber_id.in_(theirs)
    )
    tx.execute(found.order_by(subscription.c.id).with_for_update())


def _load_subscribers(tx: Connection, mailing_list_id: int, people: Sequence[PersonKeys]) -> dict[str, KnownPerson]:
    keys = rows_to_json(tx.dialect, [(one.address_key,) for one in people])
    rows = decode_rows(_SUBSCRIBERS.run(tx, people=keys, mailing_list_id=mailing_list_id))
    confirmed = _load_confirmations(tx, [row[1] for row in rows])
    known = {}
    for key, number, name, language, zone, state, attributes, delivery_mode, changed_at, asked_at in rows:
        here = confirmed.get(number, {})
        known[key] = KnownPerson(
            subscriber_id=number,
            name=name,
            language=language,
            zone=zone,
            state=SubscriptionState(state) if state else None,
            attributes=_attributes(attributes),
            delivery_mode=delivery_mode,
            changed_at=parse_instant(changed_at),
            asked_at=parse_instant(asked_at),
            confirmed_at=here.get(mailing_list_id),
            confirmed_any_at=max(here.values(), default=None),
        )
    return known


def _attributes(value: Any) -> dict[str, str]:
    return (json.loads(value) if isinstance(value, str) else value) or {}


def load_suppressions(
    tx: Connection, mailing_list_id: int, suppression_keys: Iterable[str]
) -> dict[str, frozenset[tuple[bool, SuppressionReason]]]:
    """The suppressions of these people, of the list and of all: (whether for every list, why), by suppression key."""
    keys = rows_to_json(tx.dialect, [(key,) for key in suppression_keys])
    rows = decode_rows(_SUPPRESSIONS.run(tx, people=keys, mailing_list_id=mailing_list_id))
    found: dict[str, set[tuple[bool, SuppressionReason]]] = defaultdict(set)
    for key, place, reason in rows:
        found[key].add((place == EVERY_LIST, SuppressionReason(reason)))
    return {key: frozenset(reasons) for key, reasons in found.items()}


def _load_confirmations(tx: Connection, subscriber_ids: Collection[int]) -> dict[int, dict[int, datetime]]:
    """When each of these people last confirmed, by list."""
    found: dict[int, dict[int, datetime]] = defaultdict(dict)
    if subscriber_ids:
        given = rows_to_json(tx.dialect, [(number,) for number in subscriber_ids])
        for number, list_id, at in decode_rows(_CONFIRMATIONS.run(tx, people=given)):
            if (confirmed_at := parse_instant(at)) is not None:
                found[number][list_id] = confirmed_at
    return found


def _subscribers_query(dialect: Dialect) -> Select[Any]:
    given = rows_from_json(dialect, "people", {"key": String()})
    person = (subscriber.c.address_key, subscriber.c.id, subscriber.c.name, subscriber.c.language, subscriber.c.zone)
    names = ("state", "attributes", "delivery_mode", "changed_at", "asked_at")
    theirs = [subscription.c[name] for name in names]
    of_list = and_(
        subscription.c.subscriber_id == subscriber.c.id, subscription.c.mailing_list_id == bindparam("mailing_list_id")
    )
    joined = given.join(subscriber, subscriber.c.address_key == given.c.key).outerjoin(subscription, of_list)
    return as_json(dialect, select(*person, *theirs).select_from(joined))


def _suppressions_query(dialect: Dialect) -> Select[Any]:
    given = rows_from_json(dialect, "people", {"key": String()})
    columns = (suppression.c.suppression_key, suppression.c.mailing_list_id, suppression.c.reason)
    these = (
        suppression.c.suppression_key == given.c.key,
        or_(
            suppression.c.mailing_list_id == EVERY_LIST,
            suppression.c.mailing_list_id == bindparam("mailing_list_id"),
        ),
    )
    return as_json(dialect, select(*columns).select_from(given.join(suppression, and_(*these))))


def _confirmations_query(dialect: Dialect) -> Select[Any]:
    given = rows_from_json(dialect, "people", {"id": BigInteger()})
    columns = (consent.c.subscriber_id, consent.c.mailing_list_id, func.max(consent.c.at).label("at"))
    joined = given.join(consent, consent.c.subscriber_id == given.c.id)
    found = select(*columns).select_from(joined).where(or_(*(consent.c.act == act for act in _CONFIRMING_ACTS)))
    return as_json(dialect, found.group_by(consent.c.subscriber_id, consent.c.mailing_list_id))


_SUBSCRIBERS = CompiledStatement(_subscribers_query)
_SUPPRESSIONS = CompiledStatement(_suppressions_query)
_CONFIRMATIONS = CompiledStatement(_confirmations_query)
