"""Writes what an import does to many people: each table in one statement, which takes all rows as one JSON text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    Connection,
    func,
    select,
    update,
)

from mailer.domain.address import Address
from mailer.domain.consent import Channel, ConsentAct
from mailer.domain.subscription import SubscriptionState
from mailer.domain.suppression import EVERY_LIST, SuppressionReason
from mailer.importers.person_row import SuppressionEntry
from mailer.store.imports.import_changes import fingerprint
from mailer.store.imports.known_people import KnownPerson, PersonKeys
from mailer.store.imports.people_statements import (
    ADD_CHANGES,
    ADD_CONSENTS,
    ADD_SUBSCRIBERS,
    ADD_SUBSCRIPTIONS,
    ADD_SUPPRESSIONS,
    UPDATE_DETAILS,
    UPDATE_SUBSCRIPTIONS,
    run_rows,
)
from mailer.store.people_tables import subscriber, subscription


@dataclass(frozen=True, slots=True)
class SubscriptionChange:
    """A subscription as it is to be."""

    state: SubscriptionState
    attributes: Mapping[str, str]
    delivery_mode: str | None
    changed_at: datetime


@dataclass(frozen=True, slots=True)
class PersonChange:
    """What an import writes about one person."""

    address: Address
    keys: PersonKeys
    known: KnownPerson
    """What is known of them before."""
    details: tuple[str | None, str | None, str | None] | None
    """Name, language and zone as they are to be; None where they stay, or where no subscriber is kept."""
    subscription: SubscriptionChange | None
    """None where it stays as it is."""
    suppressions: tuple[SuppressionEntry, ...]
    """Those that are not known yet."""
    act: ConsentAct | None
    evidence: Mapping[str, Any]

    @property
    def is_new(self) -> bool:
        """Whether a subscriber is added."""
        return self.known.subscriber_id is None and self.details is not None

    @property
    def ends_subscription(self) -> bool:
        """Whether somebody is no reader any more, to whom letters may be under way."""
        to = self.subscription
        return self.known.state is SubscriptionState.CONFIRMED and to is not None and to.state is not self.known.state


def write_changes(
    tx: Connection, mailing_list_id: int, run: int, changes: Sequence[PersonChange], channel: Channel, now: datetime
) -> dict[str, int] | None:
    """Write these changes, as part of a run. Returns the subscribers' ids by address key.

    None where somebody added one of these people meanwhile, as may happen on PostgreSQL: nothing is written, and
    what is known of them must be read again.
    """
    new = [one for one in changes if one.is_new]
    ids = dict(zip((one.keys.address_key for one in new), _allocate_ids(tx, len(new)), strict=True))
    if not _add_subscribers(tx, new, ids, now):
        return None
    for one in changes:
        if one.known.subscriber_id is not None:
            ids[one.keys.address_key] = one.known.subscriber_id
    _update_details(tx, changes)
    _write_subscriptions(tx, mailing_list_id, changes, ids, now)
    _write_suppressions(tx, mailing_list_id, run, changes, now)
    lines = [
        (mailing_list_id, ids[one.keys.address_key], one.act, channel, dict(one.evidence), now)
        for one in changes
        if one.act
    ]
    run_rows(tx, ADD_CONSENTS, lines)
    recorded = [
        (run, ids[one.keys.address_key], _before(one.known), _fingerprint(one))
        for one in changes
        if one.keys.address_key in ids
    ]
    run_rows(tx, ADD_CHANGES, recorded)
    return ids


def _allocate_ids(tx: Connection, count: int) -> Sequence[int]:
    if not count:
        return ()
    if tx.dialect.name == "sqlite":
        highest = tx.execute(select(func.coalesce(func.max(subscriber.c.id), 0))).scalar_one()
        return range(highest + 1, highest + 1 + count)
    each = func.generate_series(1, count).table_valued("n")
    sequence = func.nextval(func.pg_get_serial_sequence("subscriber", "id"))
    return tx.execute(select(sequence).select_from(each)).scalars().all()


def _add_subscribers(tx: Connection, new: Sequence[PersonChange], ids: Mapping[str, int], now: datetime) -> bool:
    """Add them; False, with nothing added, where another transaction has added one of them meanwhile."""
    if not new:
        return True
    rows = []
    for one in new:
        name, language, zone = one.details or (None, None, None)
        key, address = one.keys.address_key, one.address
        rows.append(
            (ids[key], address.addr_spec, key, address.mailbox_key, one.keys.suppression_key, name, language, zone, now)
        )
    if tx.dialect.name == "sqlite":
        run_rows(tx, ADD_SUBSCRIBERS, rows)
        return True
    attempt = tx.begin_nested()
    if run_rows(tx, ADD_SUBSCRIBERS, rows) == len(rows):
        attempt.commit()
        return True
    attempt.rollback()
    return False


def _update_details(tx: Connection, changes: Sequence[PersonChange]) -> None:
    run_rows(
        tx,
        UPDATE_DETAILS,
        [
            (one.known.subscriber_id, *one.details)
            for one in changes
            if one.details is not None and one.known.subscriber_id is not None
        ],
    )


def _write_subscriptions(
    tx: Connection, mailing_list_id: int, changes: Sequence[PersonChange], ids: Mapping[str, int], now: datetime
) -> None:
    added, changed, moved = [], [], []
    for one in changes:
        if (to := one.subscription) is None:
            continue
        number = ids[one.keys.address_key]
        values = (number, to.state, dict(to.attributes), to.delivery_mode, to.changed_at)
        if one.known.state is None:
            added.append((mailing_list_id, *values, now))
        else:
            changed.append(values)
            if one.known.state is not to.state:
                moved.append(number)
    run_rows(tx, ADD_SUBSCRIPTIONS, added)
    run_rows(tx, UPDATE_SUBSCRIPTIONS, changed, mailing_list_id=mailing_list_id)
    if moved:
        theirs = (subscription.c.mailing_list_id == mailing_list_id, subscription.c.subscriber_id.in_(moved))
        none_open = {"held_at": None, "requested_name": None, "requested_language": None}
        tx.execute(update(subscription).where(*theirs).values(none_open))


def _write_suppressions(
    tx: Connection, mailing_list_id: int, run: int, changes: Sequence[PersonChange], now: datetime
) -> None:
    added = []
    for change in changes:
        for one in change.suppressions:
            place = EVERY_LIST if one.everywhere else mailing_list_id
            keys = [change.keys.suppression_key]
            if one.reason is SuppressionReason.NEVER and change.keys.mailbox_suppression_key not in keys:
                keys.append(change.keys.mailbox_suppression_key)
            added += [(key, place, one.reason, min(one.since or now, now), one.until, run) for key in keys]
    run_rows(tx, ADD_SUPPRESSIONS, added)


def _before(known: KnownPerson) -> dict[str, Any] | None:
    if known.subscriber_id is None:
        return None
    return {
        "name": known.name,
        "language": known.language,
        "zone": known.zone,
        "state": known.state,
        "attributes": known.attributes,
        "delivery_mode": known.delivery_mode,
        "changed_at": known.changed_at and known.changed_at.isoformat(),
    }


def _fingerprint(change: PersonChange) -> int:
    known = change.known
    name, language, zone = change.details or (known.name, known.language, known.zone)
    to = change.subscription
    if to is None:
        state, attributes, mode = known.state, known.attributes, known.delivery_mode
    else:
        state, attributes, mode = to.state, dict(to.attributes), to.delivery_mode
    return fingerprint(change.keys.address_key, name, language, zone, state, attributes, mode)
