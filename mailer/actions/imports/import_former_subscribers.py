"""Import people whom an export of ours has as unsubscribed or suppressed: they get no letters here either."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import Connection

from mailer.app import App
from mailer.domain.consent import ConsentAct, Evidence
from mailer.domain.mailing_list import MailingList
from mailer.domain.subscription import SubscriptionState
from mailer.domain.suppression import LIFTABLE_REASONS, SuppressionReason
from mailer.importers.person_row import PersonRow, SuppressionEntry
from mailer.store import consents, people, subscribers, subscriptions, suppressions
from mailer.store.queue import deliveries

_ACTIVE_STATES = (SubscriptionState.PENDING, SubscriptionState.CONFIRMED)


def import_departed(
    tx: Connection, app: App, mailing_list: MailingList, rows: Collection[PersonRow], evidence: Evidence
) -> None:
    """Import these people as unsubscribed from the list, with the suppressions of their rows.

    What a person confirmed here after the row's changed_at wins, as does a restoration by an organiser. A person who
    opted out and was erased is not added again.
    """
    now = app.clock()
    by_id = _add_subscribers(tx, app, rows)
    states = subscriptions.states_by_subscriber(tx, mailing_list.id, by_id)
    people.import_subscriptions(
        tx,
        mailing_list.id,
        [
            _departed_subscription(subscriber_id, row, now)
            for subscriber_id, row in by_id.items()
            if subscriber_id not in states
        ],
        now,
    )
    confirmed_at, _ = people.last_confirmations(tx, mailing_list.id, by_id)
    for subscriber_id, state in states.items():
        if state not in _ACTIVE_STATES:
            continue
        if _is_newer(confirmed_at.get(subscriber_id), by_id[subscriber_id].changed_at):
            del by_id[subscriber_id]
        else:
            _end_subscription(tx, mailing_list, subscriber_id, by_id[subscriber_id], now)
    newly_suppressed = import_suppressions(tx, app, mailing_list, by_id)
    for subscriber_id, row in by_id.items():
        if states.get(subscriber_id) is not SubscriptionState.UNSUBSCRIBED or subscriber_id in newly_suppressed:
            consents.record_many(
                tx, mailing_list.id, [subscriber_id], ConsentAct.DEPARTED, _departed_evidence(row, evidence), now
            )


def _add_subscribers(tx: Connection, app: App, rows: Collection[PersonRow]) -> dict[int, PersonRow]:
    """The rows by subscriber id, after adding subscribers that are missing and not suppressed for all lists."""
    suppression_key_of = app.site.keyring.suppression_key
    suppressed_keys = suppressions.find_suppressed(tx, _suppression_keys(app, rows))
    known = subscribers.ids_by_key(tx, [row.address.key for row in rows])
    accepted = [row for row in rows if row.address.key in known or not suppressed_keys & _suppression_keys(app, [row])]
    missing = [
        subscriber_columns(row, suppression_key_of(row.address.key), app.clock())
        for row in accepted
        if row.address.key not in known
    ]
    ids = known | subscribers.add_missing(tx, missing)
    return {ids[row.address.key]: row for row in accepted}


def _departed_subscription(subscriber_id: int, row: PersonRow, now: datetime) -> people.ImportedSubscription:
    return people.ImportedSubscription(
        subscriber_id=subscriber_id,
        state=SubscriptionState.UNSUBSCRIBED,
        attributes=row.attributes,
        changed_at=min(row.changed_at or now, now),
    )


def _end_subscription(
    tx: Connection, mailing_list: MailingList, subscriber_id: int, row: PersonRow, now: datetime
) -> None:
    subscription = subscriptions.find(tx, mailing_list.id, row.address.key)
    if subscription is not None:
        subscriptions.change_state(
            tx, subscription.id, SubscriptionState.UNSUBSCRIBED, from_states=_ACTIVE_STATES, now=now
        )
        deliveries.suppress_waiting(tx, subscriber_id, mailing_list.id)


def import_suppressions(tx: Connection, app: App, mailing_list: MailingList, by_id: dict[int, PersonRow]) -> set[int]:
    """Add the suppressions of these rows, by subscriber id, but for those that something newer here has lifted.

    Returns the ids of the subscribers for whom one was new.
    """
    with_suppressions = {subscriber_id: row for subscriber_id, row in by_id.items() if row.suppressions}
    confirmed_for_list, confirmed_for_any = people.last_confirmations(tx, mailing_list.id, with_suppressions)
    suppression_key_of = app.site.keyring.suppression_key
    accepted: list[tuple[int, str, SuppressionEntry]] = []
    for subscriber_id, row in with_suppressions.items():
        for one in row.suppressions:
            confirmed_at = (confirmed_for_any if one.everywhere else confirmed_for_list).get(subscriber_id)
            if one.reason is SuppressionReason.NEVER:
                accepted += [
                    (subscriber_id, suppression_key_of(key), one) for key in {row.address.key, row.address.mailbox_key}
                ]
            elif not _is_newer(confirmed_at, one.since):
                accepted.append((subscriber_id, suppression_key_of(row.address.key), one))
    return people.add_suppressions(tx, mailing_list.id, accepted, app.clock())


def _is_newer(here: datetime | None, in_table: datetime | None) -> bool:
    return here is not None and (in_table is None or here >= in_table)


def _departed_evidence(row: PersonRow, evidence: Evidence) -> Evidence:
    details = dict(evidence.details)
    if row.suppressions:
        details["suppressed"] = "; ".join(map(str, row.suppressions))
    if row.agreed_at:
        details[people.AGREED_AT] = row.agreed_at.isoformat()
        if row.suppressions and {one.reason for one in row.suppressions} <= set(LIFTABLE_REASONS):
            details["was"] = SubscriptionState.CONFIRMED
    return Evidence(evidence.channel, details)


def _suppression_keys(app: App, rows: Collection[PersonRow]) -> set[str]:
    suppression_key_of = app.site.keyring.suppression_key
    return {suppression_key_of(key) for row in rows for key in (row.address.key, row.address.mailbox_key)}


def subscriber_columns(row: PersonRow, suppression_key: str, now: datetime) -> dict[str, object]:
    """The columns of a subscriber, from a row."""
    return {
        "address": row.address.addr_spec,
        "address_key": row.address.key,
        "mailbox_key": row.address.mailbox_key,
        "suppression_key": suppression_key,
        "name": row.name,
        "language": row.language,
        "zone": row.zone,
        "created_at": now,
    }
