"""The rows of an import: each chunk of them in one transaction, and what has become of all so far."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import groupby

from sqlalchemy import Connection

from mailer.actions.imports.import_former_subscribers import (
    import_departed,
    import_suppressions,
    subscriber_columns,
)
from mailer.app import App
from mailer.domain.accounts.actor import Actor
from mailer.domain.consent import ConsentAct, Evidence
from mailer.domain.delivery import Kind, Notice
from mailer.domain.mailing_list import MailingList
from mailer.domain.subscription import Subscription, SubscriptionState, may_send_confirmation
from mailer.importers.bad_row import BadRow
from mailer.importers.person_row import PersonRow
from mailer.store import consents, people, subscribers, subscriptions, suppressions
from mailer.store.queue import deliveries
from mailer.store.subscription_requests import mark_asked

MAX_REPORTED = 10_000
"""The most bad rows, and remarks, that are listed one by one."""


@dataclass(slots=True)
class ImportResult:
    """The counts of an import. Each row is counted once: added, known, kept out, repeated or bad."""

    added: int = 0
    """Put on the list (or invited)."""
    known: int = 0
    """On the list (or invited) before; the person's details were updated."""
    kept_out: int = 0
    """Unsubscribed, declined or suppressed, here or in the table: not put on the list."""
    repeated: int = 0
    """Further rows of a person; the last one counts."""
    bad_rows: int = 0
    bad: list[BadRow] = field(default_factory=list)
    """The first MAX_REPORTED bad rows."""
    remarks: list[BadRow] = field(default_factory=list)
    """The first MAX_REPORTED remarks on cells that were left out of rows that were imported."""
    guessed: tuple[str, ...] = ()
    """What was guessed about the layout of the table, as texts for people."""

    @property
    def rows(self) -> int:
        return self.added + self.known + self.kept_out + self.repeated + self.bad_rows


@dataclass(slots=True)
class ImportRun:
    """The state of one import."""

    actor: Actor
    mailing_list: MailingList
    evidence: Evidence
    invite: bool
    done: ImportResult = field(default_factory=ImportResult)
    seen: set[int] = field(default_factory=set)
    """Hashes of the address keys of all rows so far."""


def import_chunk(tx: Connection, app: App, run: ImportRun, chunk: Mapping[str, tuple[PersonRow, bool]]) -> None:
    """Import rows in their order, so that an export lists them in the order of the table."""
    first = {key for key, (_, is_first) in chunk.items() if is_first}
    for has_left, rows in groupby(
        (row for row, _ in chunk.values()), lambda row: row.has_left or _must_not_be_invited(run, row)
    ):
        if has_left:
            departed = list(rows)
            import_departed(tx, app, run.mailing_list, departed, run.evidence)
            run.done.kept_out += sum(row.address.key in first for row in departed)
        else:
            _import_rows(tx, app, run, list(rows), first)


def _must_not_be_invited(run: ImportRun, row: PersonRow) -> bool:
    return run.invite and bool(row.suppressions)


def _import_rows(tx: Connection, app: App, run: ImportRun, candidates: list[PersonRow], first: set[str]) -> None:
    allowed = _without_suppressed(tx, app, run.mailing_list, candidates)
    ids = _upsert_subscribers(tx, app, allowed)
    rows = {ids[row.address.key]: row for row in allowed.values()}
    states = subscriptions.states_by_subscriber(tx, run.mailing_list.id, rows)
    rows = {
        subscriber_id: row
        for subscriber_id, row in rows.items()
        if states.get(subscriber_id) is not SubscriptionState.UNSUBSCRIBED
    }
    confirmed = {subscriber_id for subscriber_id in rows if states.get(subscriber_id) is SubscriptionState.CONFIRMED}
    subscriptions.add_attributes(
        tx, run.mailing_list.id, {subscriber_id: rows[subscriber_id].attributes for subscriber_id in confirmed}
    )
    new = {subscriber_id: row for subscriber_id, row in rows.items() if subscriber_id not in confirmed}
    added = _invite(tx, app, run, new) if run.invite else _add_subscriptions(tx, app, run, new, states)
    if not run.invite:
        import_suppressions(tx, app, run.mailing_list, rows)
    imported = {subscriber_id for subscriber_id, row in rows.items() if row.address.key in first}
    run.done.added += len(imported & added)
    run.done.known += len(imported - added)
    run.done.kept_out += sum(row.address.key in first for row in candidates) - len(imported)


def _without_suppressed(
    tx: Connection, app: App, mailing_list: MailingList, candidates: list[PersonRow]
) -> dict[str, PersonRow]:
    """The rows of people who are not suppressed for this list, by suppression key."""
    key_of = app.site.keyring.suppression_key
    by_key = {key_of(row.address.key): row for row in candidates}
    # "Never ask me again" holds for the whole mailbox, without plus-tags.
    mailboxes = {key: key_of(row.address.mailbox_key) for key, row in by_key.items() if row.address.is_variant}
    suppressed = suppressions.find_suppressed(tx, by_key.keys() | set(mailboxes.values()), mailing_list.id)
    return {key: row for key, row in by_key.items() if not suppressed & {key, mailboxes.get(key, key)}}


def _upsert_subscribers(tx: Connection, app: App, rows: dict[str, PersonRow]) -> dict[str, int]:
    """Add or update subscribers. Returns their ids by address key."""
    known = subscribers.ids_by_key(tx, [row.address.key for row in rows.values()])
    columns = {row.address.key: subscriber_columns(row, key, app.clock()) for key, row in rows.items()}
    subscribers.update_details(
        tx, [{"subscriber_id": subscriber_id, **columns[key]} for key, subscriber_id in known.items()]
    )
    return known | subscribers.add_missing(tx, [one for key, one in columns.items() if key not in known])


def _add_subscriptions(
    tx: Connection, app: App, run: ImportRun, rows: dict[int, PersonRow], states: dict[int, SubscriptionState]
) -> set[int]:
    """Add subscriptions, or confirm pending ones, as the rows say. Returns the ids of those whose state changed."""
    now, list_id = app.clock(), run.mailing_list.id
    pending = {subscriber_id for subscriber_id, row in rows.items() if row.state is SubscriptionState.PENDING}
    without_subscription = rows.keys() - states.keys()
    people.import_subscriptions(
        tx,
        list_id,
        [
            _imported_subscription(subscriber_id, rows[subscriber_id], now)
            for subscriber_id in rows
            if subscriber_id in without_subscription
        ],
        now,
    )
    newly_confirmed = {
        subscriber_id: rows[subscriber_id].attributes for subscriber_id in rows.keys() - without_subscription - pending
    }
    subscriptions.confirm_many(tx, list_id, newly_confirmed, now)
    added = {
        subscriber_id for subscriber_id in rows if subscriber_id in without_subscription or subscriber_id not in pending
    }
    agreed = {subscriber_id for subscriber_id in added - pending if rows[subscriber_id].agreed_at is None}
    consents.record_many(tx, list_id, agreed, ConsentAct.IMPORTED, run.evidence, now)
    for subscriber_id in added - agreed:
        if at := rows[subscriber_id].agreed_at:
            evidence = replace(run.evidence, details=run.evidence.details | {people.AGREED_AT: at.isoformat()})
            consents.record_many(tx, list_id, [subscriber_id], ConsentAct.IMPORTED, evidence, now)
    return added


def _imported_subscription(subscriber_id: int, row: PersonRow, now: datetime) -> people.ImportedSubscription:
    at = min(row.changed_at or now, now)
    return people.ImportedSubscription(
        subscriber_id=subscriber_id,
        state=row.state or SubscriptionState.UNSUBSCRIBED,
        attributes=row.attributes,
        changed_at=at,
    )


def _invite(tx: Connection, app: App, run: ImportRun, rows: dict[int, PersonRow]) -> set[int]:
    """Queue a confirmation letter for each person not asked within a day. Returns the ids of those who get one."""
    now, mailing_list = app.clock(), run.mailing_list
    invited = set()
    for subscriber_id, row in rows.items():
        subscription = subscriptions.find_or_add_pending(tx, mailing_list.id, subscriber_id, now)
        if may_send_confirmation(subscription, now):
            mark_asked(tx, subscription, name=row.name, language=row.language, now=now)
            deliveries.add_notice(tx, _invitation(app, mailing_list, subscription), now)
            invited.add(subscriber_id)
    attributes = {subscriber_id: row.attributes for subscriber_id, row in rows.items()}
    subscriptions.add_attributes(tx, mailing_list.id, attributes)
    consents.record_many(tx, mailing_list.id, invited, ConsentAct.INVITED, run.evidence, now)
    return invited


def _invitation(app: App, mailing_list: MailingList, subscription: Subscription) -> Notice:
    return Notice(
        kind=Kind.CONFIRM,
        address=subscription.address,
        suppression_key=subscription.suppression_key,
        language=app.language(subscription.language, mailing_list.language),
        mailing_list_id=mailing_list.id,
        subscription_id=subscription.id,
        values={"invited": True},
    )
