"""What a table of ours says of people who are no readers holds here too: who left there does not get letters here."""

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
    """Let these people be departed from the list, with the orders that the table tells.

    What they said here themselves after that, or an organiser who restored them, holds. Who asked never to be asked
    again, and was forgotten, is not written down anew.
    """
    key_of, now = app.site.keyring.suppression_key, app.clock()
    barred = suppressions.find_suppressed(tx, _suppression_keys(app, rows))
    known = subscribers.ids_by_key(tx, [row.address.key for row in rows])
    wanted = [row for row in rows if row.address.key in known or not barred & _suppression_keys(app, [row])]
    added = [subscriber_columns(row, key_of(row.address.key), now) for row in wanted if row.address.key not in known]
    ids = known | subscribers.add_missing(tx, added)
    by_id = {ids[row.address.key]: row for row in wanted}
    here = subscriptions.states_by_subscriber(tx, mailing_list.id, by_id)
    people.import_subscriptions(
        tx,
        mailing_list.id,
        [_departed_subscription(number, row, now) for number, row in by_id.items() if number not in here],
        now,
    )
    newer, _ = people.last_confirmations(tx, mailing_list.id, by_id)
    for number in here:
        if here[number] in _ACTIVE_STATES and not _is_newer(newer.get(number), by_id[number].changed_at):
            _end_subscription(tx, mailing_list, number, by_id[number], now)
        elif here[number] in _ACTIVE_STATES:
            del by_id[number]
    ordered = import_suppressions(tx, app, mailing_list, by_id)
    for number, row in by_id.items():
        if here.get(number) is not SubscriptionState.UNSUBSCRIBED or number in ordered:
            consents.record_many(
                tx, mailing_list.id, [number], ConsentAct.DEPARTED, _departed_evidence(row, evidence), now
            )


def _departed_subscription(number: int, row: PersonRow, now: datetime) -> people.ImportedSubscription:
    return people.ImportedSubscription(
        subscriber_id=number,
        state=SubscriptionState.UNSUBSCRIBED,
        attributes=row.attributes,
        changed_at=min(row.changed_at or now, now),
    )


def _end_subscription(tx: Connection, mailing_list: MailingList, number: int, row: PersonRow, now: datetime) -> None:
    found = subscriptions.find(tx, mailing_list.id, row.address.key)
    if found is not None:
        subscriptions.change_state(tx, found.id, SubscriptionState.UNSUBSCRIBED, from_states=_ACTIVE_STATES, now=now)
        deliveries.suppress_waiting(tx, number, mailing_list.id)


def import_suppressions(tx: Connection, app: App, mailing_list: MailingList, by_id: dict[int, PersonRow]) -> set[int]:
    """Let the orders of these rows stand that nothing newer here lifted; about whom one is new."""
    with_orders = {number: row for number, row in by_id.items() if row.suppressions}
    of_list, of_any = people.last_confirmations(tx, mailing_list.id, with_orders)
    key_of = app.site.keyring.suppression_key
    wanted: list[tuple[int, str, SuppressionEntry]] = []
    for number, row in with_orders.items():
        for one in row.suppressions:
            newer = (of_any if one.everywhere else of_list).get(number)
            if one.reason is SuppressionReason.NEVER:
                wanted += [(number, key_of(key), one) for key in {row.address.key, row.address.mailbox_key}]
            elif not _is_newer(newer, one.since):
                wanted.append((number, key_of(row.address.key), one))
    return people.add_suppressions(tx, mailing_list.id, wanted, app.clock())


def _is_newer(here: datetime | None, there: datetime | None) -> bool:
    return here is not None and (there is None or here >= there)


def _departed_evidence(row: PersonRow, evidence: Evidence) -> Evidence:
    words = dict(evidence.details)
    if row.suppressions:
        words["suppressed"] = "; ".join(map(str, row.suppressions))
    if row.agreed_at:
        words[people.AGREED_AT] = row.agreed_at.isoformat()
        if row.suppressions and {one.reason for one in row.suppressions} <= set(LIFTABLE_REASONS):
            words["was"] = SubscriptionState.CONFIRMED
    return Evidence(evidence.channel, words)


def _suppression_keys(app: App, rows: Collection[PersonRow]) -> set[str]:
    key_of = app.site.keyring.suppression_key
    return {key_of(key) for row in rows for key in (row.address.key, row.address.mailbox_key)}


def subscriber_columns(row: PersonRow, suppression_key: str, now: datetime) -> dict[str, object]:
    """The columns of a subscriber that a row tells."""
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
