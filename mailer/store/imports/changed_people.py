"""Writes what an import does to many people: each table in one statement, which takes all rows as one JSON text."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
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


@dataclass(slots=True)
class SubscriptionChange:
    """A subscription as it is to be."""

    state: SubscriptionState
    attributes: Mapping[str, str]
    delivery_mode: str | None
    changed_at: datetime


@dataclass(slots=True)
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
    lines: Sequence[tuple[Any, ...]] = ()
    """Lines of the export's own consent record (time, act, way, evidence), in place of one with `act`."""

    @property
    def is_new(self) -> bool:
        """Whether a subscriber is added."""
        return self.known.subscriber_id is None and self.details is not None

    @property
    def ends_subscription(self) -> bool:
        """Whether somebody is no reader any more, to whom letters may be under way."""
        to = self.subscription
        return self.known.state is SubscriptionState.CONFIRMED and to is not None and to.state is not self.known.state


@dataclass(slots=True)
class _Rows:
    """The rows of each table that some changes write."""

    subscribers: list[Sequence[Any]] = field(default_factory=list)
    details: list[Sequence[Any]] = field(default_factory=list)
    subscriptions: list[Sequence[Any]] = field(default_factory=list)
    changed_subscriptions: list[Sequence[Any]] = field(default_factory=list)
    moved: list[int] = field(default_factory=list)
    """Subscribers whose subscriptions get another state."""
    suppressions: list[Sequence[Any]] = field(default_factory=list)
    consents: list[Sequence[Any]] = field(default_factory=list)
    changes: list[Sequence[Any]] = field(default_factory=list)


def write_changes(
    tx: Connection, mailing_list_id: int, run: int, changes: Sequence[PersonChange], now: datetime
) -> dict[str, int] | None:
    """Write these changes, as part of a run. Returns the subscribers' ids by address key.

    None where somebody added one of these people meanwhile, as may happen on PostgreSQL: nothing is written, and
    what is known of them must be read again.
    """
    ids = _allocate_ids(tx, changes)
    rows = _Rows()
    for change in changes:
        number = ids.get(change.keys.address_key)
        if number is not None:
            _add_person_rows(rows, change, number, mailing_list_id, now)
            rows.changes.append((run, number, _before(change.known), _fingerprint(change)))
        if change.suppressions:
            _add_suppression_rows(rows, change, mailing_list_id, run, now)
    if not _add_subscribers(tx, rows.subscribers):
        return None
    run_rows(tx, UPDATE_DETAILS, rows.details)
    run_rows(tx, ADD_SUBSCRIPTIONS, rows.subscriptions)
    run_rows(tx, UPDATE_SUBSCRIPTIONS, rows.changed_subscriptions, mailing_list_id=mailing_list_id)
    if rows.moved:
        _close_requests(tx, mailing_list_id, rows.moved)
    run_rows(tx, ADD_SUPPRESSIONS, rows.suppressions)
    run_rows(tx, ADD_CONSENTS, rows.consents)
    run_rows(tx, ADD_CHANGES, rows.changes)
    return ids


def write_suppressed_keys(
    tx: Connection,
    mailing_list_id: int,
    run: int,
    suppressed: Iterable[tuple[str, SuppressionEntry]],
    now: datetime,
) -> None:
    """Suppress these people, of whom only the suppression keys are known, as part of a run."""
    rows = [_suppression_row(key, one, mailing_list_id, run, now) for key, one in suppressed]
    run_rows(tx, ADD_SUPPRESSIONS, rows)


def _allocate_ids(tx: Connection, changes: Sequence[PersonChange]) -> dict[str, int]:
    """The ids of the subscribers by address key, with ids for those that are to be added."""
    new = [one.keys.address_key for one in changes if one.is_new]
    ids = {one.keys.address_key: one.known.subscriber_id for one in changes if one.known.subscriber_id is not None}
    if not new:
        return ids
    if tx.dialect.name == "sqlite":
        highest = tx.execute(select(func.coalesce(func.max(subscriber.c.id), 0))).scalar_one()
        return ids | dict(zip(new, range(highest + 1, highest + 1 + len(new)), strict=True))
    each = func.generate_series(1, len(new)).table_valued("n")
    sequence = func.nextval(func.pg_get_serial_sequence("subscriber", "id"))
    return ids | dict(zip(new, tx.execute(select(sequence).select_from(each)).scalars(), strict=True))


def _add_person_rows(rows: _Rows, change: PersonChange, number: int, mailing_list_id: int, now: datetime) -> None:
    known, keys = change.known, change.keys
    if change.details is not None:
        if known.subscriber_id is None:
            own = (keys.address_key, keys.mailbox_key, keys.suppression_key)
            rows.subscribers.append((number, change.address.addr_spec, *own, *change.details, now))
        else:
            rows.details.append((number, *change.details))
    if (to := change.subscription) is not None:
        values = (number, to.state, to.attributes, to.delivery_mode, to.changed_at)
        if known.state is None:
            rows.subscriptions.append((mailing_list_id, *values, now))
        else:
            rows.changed_subscriptions.append(values)
            if known.state is not to.state:
                rows.moved.append(number)
    if change.lines:
        rows.consents += [(mailing_list_id, number, act, way, evidence, at) for at, act, way, evidence in change.lines]
    elif change.act:
        rows.consents.append((mailing_list_id, number, change.act, Channel.IMPORT, change.evidence, now))


def _add_suppression_rows(rows: _Rows, change: PersonChange, mailing_list_id: int, run: int, now: datetime) -> None:
    keys = change.keys
    for one in change.suppressions:
        rows.suppressions.append(_suppression_row(keys.suppression_key, one, mailing_list_id, run, now))
        if one.reason is SuppressionReason.NEVER and keys.mailbox_suppression_key != keys.suppression_key:
            rows.suppressions.append(_suppression_row(keys.mailbox_suppression_key, one, mailing_list_id, run, now))


def _suppression_row(key: str, one: SuppressionEntry, mailing_list_id: int, run: int, now: datetime) -> Sequence[Any]:
    place = EVERY_LIST if one.everywhere else mailing_list_id
    return key, place, one.reason, min(one.since or now, now), one.until, run


def _add_subscribers(tx: Connection, rows: Sequence[Sequence[Any]]) -> bool:
    """Add them; False, with nothing added, where another transaction has added one of them meanwhile."""
    if not rows or tx.dialect.name == "sqlite":
        run_rows(tx, ADD_SUBSCRIBERS, rows)
        return True
    attempt = tx.begin_nested()
    if run_rows(tx, ADD_SUBSCRIBERS, rows) == len(rows):
        attempt.commit()
        return True
    attempt.rollback()
    return False


def _close_requests(tx: Connection, mailing_list_id: int, subscriber_ids: Sequence[int]) -> None:
    theirs = (subscription.c.mailing_list_id == mailing_list_id, subscription.c.subscriber_id.in_(subscriber_ids))
    none_open = {"held_at": None, "requested_name": None, "requested_language": None}
    tx.execute(update(subscription).where(*theirs).values(none_open))


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
