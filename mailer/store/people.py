"""Imports and exports of a list's people: subscriptions, suppressions and consents in bulk."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, func, or_, select

from mailer.domain.consent import AGREEING_ACTS, ConsentAct
from mailer.domain.subscription import SubscriptionState
from mailer.domain.suppression import EVERY_LIST, SuppressionReason
from mailer.importers.person_row import SuppressionEntry, parse_timestamp
from mailer.store import subscriptions, suppressions
from mailer.store.people_tables import consent, subscriber, subscription, suppression

_CONFIRMING_ACTS = (ConsentAct.CONFIRMED, ConsentAct.REJOINED, ConsentAct.RESTORED)
"""Acts by which a person is a reader, and that an older state in an imported table does not undo."""
AGREED_AT = "agreed_at"
"""The key, in the evidence of imported people, of when they agreed elsewhere."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ImportedSubscription:
    """A subscription from an imported table."""

    subscriber_id: int
    state: SubscriptionState
    attributes: dict[str, str]
    changed_at: datetime


def import_subscriptions(
    tx: Connection, mailing_list_id: int, rows: Iterable[ImportedSubscription], now: datetime
) -> None:
    """Add these subscriptions; a person's existing subscription stays as it is."""
    values = [
        {
            "mailing_list_id": mailing_list_id,
            "subscriber_id": one.subscriber_id,
            "state": one.state,
            "attributes": one.attributes,
            "created_at": now,
            "changed_at": one.changed_at,
        }
        for one in rows
    ]
    subscriptions.add_missing(tx, values)


def add_suppressions(
    tx: Connection, mailing_list_id: int, entries: Iterable[tuple[int, str, SuppressionEntry]], now: datetime
) -> set[int]:
    """Add suppressions, each with subscriber id and suppression key; returns the ids of those for whom one is new."""
    return {
        number
        for number, key, one in entries
        if suppressions.add(
            tx, key, EVERY_LIST if one.everywhere else mailing_list_id, one.reason, min(one.since or now, now)
        )
    }


def last_confirmations(
    tx: Connection, mailing_list_id: int, subscriber_ids: Collection[int]
) -> tuple[dict[int, datetime], dict[int, datetime]]:
    """When each of these people last confirmed this list, or an organiser restored them; and the same for any list."""
    confirming = (consent.c.subscriber_id.in_(subscriber_ids), consent.c.act.in_(_CONFIRMING_ACTS))
    last = select(consent.c.subscriber_id, func.max(consent.c.at)).where(*confirming).group_by(consent.c.subscriber_id)
    of_list = {row[0]: row[1] for row in tx.execute(last.where(consent.c.mailing_list_id == mailing_list_id))}
    return of_list, {row[0]: row[1] for row in tx.execute(last)}


@dataclass(frozen=True, slots=True)
class ListedSubscription:
    """A subscription and its person, as an export has it."""

    id: int
    state: SubscriptionState
    attributes: dict[str, str]
    changed_at: datetime
    address: str
    name: str | None
    language: str | None
    zone: str | None
    subscriber_id: int
    suppression_key: str


def list_page(tx: Connection, mailing_list_id: int, after: int, limit: int) -> list[ListedSubscription]:
    """The next `limit` subscriptions of a list after an id, with their people, by id; not of erased people."""
    columns = (subscription.c.id, subscription.c.state, subscription.c.attributes, subscription.c.changed_at)
    person = (subscriber.c.address, subscriber.c.name, subscriber.c.language, subscriber.c.zone)
    keys = (subscription.c.subscriber_id, subscriber.c.suppression_key)
    query = select(*columns, *person, *keys).join_from(subscription, subscriber)
    query = query.where(
        subscription.c.mailing_list_id == mailing_list_id, subscription.c.id > after, subscriber.c.address != ""
    )
    found = tx.execute(query.order_by(subscription.c.id).limit(limit))
    return [ListedSubscription(**{**row._mapping, "state": SubscriptionState(row.state)}) for row in found]


def list_suppressions(
    tx: Connection, mailing_list_id: int, suppression_keys: Collection[str]
) -> dict[str, list[SuppressionEntry]]:
    """All suppressions of these people, for this list or for all, by suppression key."""
    columns = (suppression.c.suppression_key, suppression.c.mailing_list_id, suppression.c.reason)
    found = select(*columns, suppression.c.created_at, suppression.c.until).where(
        suppression.c.suppression_key.in_(suppression_keys),
        suppression.c.mailing_list_id.in_((EVERY_LIST, mailing_list_id)),
    )
    by_key: dict[str, list[SuppressionEntry]] = defaultdict(list)
    for row in tx.execute(found.order_by(suppression.c.reason, suppression.c.mailing_list_id)):
        everywhere = row.mailing_list_id == EVERY_LIST
        by_key[row.suppression_key].append(
            SuppressionEntry(
                reason=SuppressionReason(row.reason), everywhere=everywhere, since=row.created_at, until=row.until
            )
        )
    return by_key


def last_agreements(tx: Connection, mailing_list_id: int, subscriber_ids: Collection[int]) -> dict[int, datetime]:
    """When each of these people last agreed to be on a list, as far as it is known."""
    declared_at = consent.c.evidence[AGREED_AT].as_string()
    found = select(consent.c.subscriber_id, consent.c.at, declared_at.label("declared_at")).where(
        consent.c.mailing_list_id == mailing_list_id,
        consent.c.subscriber_id.in_(subscriber_ids),
        or_(consent.c.act.in_(AGREEING_ACTS), declared_at.is_not(None)),
    )
    last: dict[int, datetime] = {}
    for row in tx.execute(found.order_by(consent.c.id)):
        last[row.subscriber_id] = (parse_timestamp(row.declared_at) if row.declared_at else None) or row.at
    return last
