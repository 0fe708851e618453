"""An organiser brings people along: confirmed on the organiser's word, or asked first."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import groupby
from typing import TextIO

from sqlalchemy import Connection

from mailer.actions.subscriptions.import_former_subscribers import (
    import_departed,
    import_suppressions,
    subscriber_columns,
)
from mailer.app import App
from mailer.domain.consent import ConsentAct, Evidence
from mailer.domain.delivery import Kind, Notice
from mailer.domain.mailing_list import MailingList
from mailer.domain.subscription import Subscription, SubscriptionState, may_send_confirmation
from mailer.importers.people_csv import BadRow, PeopleTable, read_people
from mailer.importers.person_row import PersonRow
from mailer.store import consents, mailing_lists, people, subscribers, subscriptions, suppressions
from mailer.store.queue import deliveries

_CHUNK = 250
"""Rows a transaction: some 25 ms of the write lock, so that nobody who leaves is kept waiting."""
_MAX_REPORTED = 10_000
"""Bad rows, and remarks, that are kept to be told one by one."""


@dataclass(slots=True)
class ImportResult:
    """What became of the rows: each is counted once, as the first of these that it is."""

    added: int = 0
    """Newly on the list (or asked, when inviting)."""
    known: int = 0
    """On it (or asked) before; their details were brought up to date."""
    kept_out: int = 0
    """Left, declined, or stand on the suppression list, here or in the table: they stay so."""
    repeated: int = 0
    """Rows of somebody who had one already; the last counts."""
    bad_rows: int = 0
    bad: list[BadRow] = field(default_factory=list)
    """The first of them."""
    remarks: list[BadRow] = field(default_factory=list)
    """What in other rows could not be used, though the person could; the first ones."""
    guessed: tuple[str, ...] = ()
    """How the table was read, where it does not say so itself."""

    @property
    def rows(self) -> int:
        return self.added + self.known + self.kept_out + self.repeated + self.bad_rows


@dataclass(slots=True)
class _ImportRun:
    """One import under way."""

    mailing_list: MailingList
    evidence: Evidence
    invite: bool
    done: ImportResult = field(default_factory=ImportResult)
    seen: set[int] = field(default_factory=set)
    """Whose rows came, as hashes of their keys."""


async def import_people(
    app: App,
    *,
    list_name: str,
    file: TextIO,
    evidence: Evidence,
    invite: bool = False,
    ignored: Collection[str] = (),
    progress: Callable[[ImportResult], None] = lambda _: None,
) -> ImportResult:
    """Put the people of a CSV file on a list, streaming; bad rows are told by line and never stop the rest.

    They are confirmed on the organiser's word, kept as the evidence, and get no welcome; with `invite` each is asked
    by letter instead. An export of ours with everybody's state brings these states. Columns called as the `ignored`
    are left out. Raises NotFound for the list and TableRefused for a table that cannot be read, or must not be.
    """
    run = _ImportRun(await app.database.read(mailing_lists.get_by_name, list_name), evidence, invite)
    table: PeopleTable = await asyncio.to_thread(read_people, file, ignored)
    run.done.guessed = table.guessed
    while chunk := await asyncio.to_thread(_next_chunk, table.rows, run):
        await app.database.write(_import_chunk, app, run, chunk)
        progress(run.done)
    progress(run.done)
    return run.done


def _next_chunk(rows: Iterator[tuple[int, PersonRow | BadRow]], run: _ImportRun) -> dict[str, tuple[PersonRow, bool]]:
    """The next rows by person, and whether each is their first (a later one counts); empty only at the end."""
    chunk: dict[str, tuple[PersonRow, bool]] = {}
    done = run.done
    for line, row in rows:
        if isinstance(row, BadRow):
            done.bad_rows += 1
            done.bad += [row][: _MAX_REPORTED - len(done.bad)]
            continue
        done.remarks += [BadRow(line, one) for one in row.remarks][: _MAX_REPORTED - len(done.remarks)]
        key = row.address.key
        earlier, first = chunk.get(key, (None, hash(key) not in run.seen))
        if earlier is not None or not first:
            done.repeated += 1
        chunk[key] = (row.merge_over(earlier) if earlier else row, first)
        run.seen.add(hash(key))
        if len(chunk) >= _CHUNK:
            break
    return chunk


def _import_chunk(tx: Connection, app: App, run: _ImportRun, chunk: dict[str, tuple[PersonRow, bool]]) -> None:
    """Take the rows in, in their order, so that an export lists them as the table did."""
    first = {key for key, (_, is_first) in chunk.items() if is_first}
    for gone, rows in groupby(
        (row for row, _ in chunk.values()), lambda row: row.has_left or _must_not_be_invited(run, row)
    ):
        if gone:
            departed = list(rows)
            import_departed(tx, app, run.mailing_list, departed, run.evidence)
            run.done.kept_out += sum(row.address.key in first for row in departed)
        else:
            _import_rows(tx, app, run, list(rows), first)


def _must_not_be_invited(run: _ImportRun, row: PersonRow) -> bool:
    return run.invite and bool(row.suppressions)


def _import_rows(tx: Connection, app: App, run: _ImportRun, brought: list[PersonRow], first: set[str]) -> None:
    welcome = _without_suppressed(tx, app, run.mailing_list, brought)
    ids = _upsert_subscribers(tx, app, welcome)
    rows = {ids[row.address.key]: row for row in welcome.values()}
    states = subscriptions.states_by_subscriber(tx, run.mailing_list.id, rows)
    rows = {number: row for number, row in rows.items() if states.get(number) is not SubscriptionState.UNSUBSCRIBED}
    on_it = {number for number in rows if states.get(number) is SubscriptionState.CONFIRMED}
    subscriptions.add_attributes(tx, run.mailing_list.id, {number: rows[number].attributes for number in on_it})
    new = {number: row for number, row in rows.items() if number not in on_it}
    added = _invite(tx, app, run, new) if run.invite else _add_subscriptions(tx, app, run, new, states)
    if not run.invite:
        import_suppressions(tx, app, run.mailing_list, rows)
    taken_in = {number for number, row in rows.items() if row.address.key in first}
    run.done.added += len(taken_in & added)
    run.done.known += len(taken_in - added)
    run.done.kept_out += sum(row.address.key in first for row in brought) - len(taken_in)


def _without_suppressed(
    tx: Connection, app: App, mailing_list: MailingList, brought: list[PersonRow]
) -> dict[str, PersonRow]:
    """Those of these rows, by suppression key, about whose people no order stands."""
    key_of = app.site.keyring.suppression_key
    by_key = {key_of(row.address.key): row for row in brought}
    # "Never ask me again" holds for the whole mailbox, plus-tags seen through.
    mailboxes = {key: key_of(row.address.mailbox_key) for key, row in by_key.items() if row.address.is_variant}
    barred = suppressions.find_suppressed(tx, by_key.keys() | set(mailboxes.values()), mailing_list.id)
    return {key: row for key, row in by_key.items() if not barred & {key, mailboxes.get(key, key)}}


def _upsert_subscribers(tx: Connection, app: App, rows: dict[str, PersonRow]) -> dict[str, int]:
    """The subscribers' ids by address_key, added or brought up to date."""
    known = subscribers.ids_by_key(tx, [row.address.key for row in rows.values()])
    columns = {row.address.key: subscriber_columns(row, key, app.clock()) for key, row in rows.items()}
    subscribers.update_details(tx, [{"subscriber_id": number, **columns[key]} for key, number in known.items()])
    return known | subscribers.add_missing(tx, [one for key, one in columns.items() if key not in known])


def _add_subscriptions(
    tx: Connection, app: App, run: _ImportRun, rows: dict[int, PersonRow], states: dict[int, SubscriptionState]
) -> set[int]:
    """As their rows say: confirmed, on the organiser's word, or pending as they were; who is newly so."""
    now, number_of = app.clock(), run.mailing_list.id
    pending = {number for number, row in rows.items() if row.state is SubscriptionState.PENDING}
    fresh = rows.keys() - states.keys()
    people.import_subscriptions(
        tx, number_of, [_imported_subscription(number, rows[number], now) for number in rows if number in fresh], now
    )
    waited = {number: rows[number].attributes for number in rows.keys() - fresh - pending}
    subscriptions.confirm_many(tx, number_of, waited, now)
    added = {number for number in rows if number in fresh or number not in pending}
    agreed = {number for number in added - pending if rows[number].agreed_at is None}
    consents.record_many(tx, number_of, agreed, ConsentAct.IMPORTED, run.evidence, now)
    for number in added - agreed:
        if at := rows[number].agreed_at:
            told = replace(run.evidence, details=run.evidence.details | {people.AGREED_AT: at.isoformat()})
            consents.record_many(tx, number_of, [number], ConsentAct.IMPORTED, told, now)
    return added


def _imported_subscription(number: int, row: PersonRow, now: datetime) -> people.ImportedSubscription:
    at = min(row.changed_at or now, now)
    return people.ImportedSubscription(subscriber_id=number, state=row.state, attributes=row.attributes, changed_at=at)


def _invite(tx: Connection, app: App, run: _ImportRun, rows: dict[int, PersonRow]) -> set[int]:
    """Asked by letter, each; who was asked within a day is not asked again. Who was asked now."""
    now, mailing_list = app.clock(), run.mailing_list
    invited = set()
    for number, row in rows.items():
        asked = subscriptions.find_or_add_pending(tx, mailing_list.id, number, now)
        if may_send_confirmation(asked, now):
            subscriptions.mark_asked(tx, asked, name=row.name, language=row.language, now=now)
            deliveries.add_notice(tx, _invitation(app, mailing_list, asked), now)
            invited.add(number)
    subscriptions.add_attributes(tx, mailing_list.id, {number: row.attributes for number, row in rows.items()})
    consents.record_many(tx, mailing_list.id, invited, ConsentAct.INVITED, run.evidence, now)
    return invited


def _invitation(app: App, mailing_list: MailingList, asked: Subscription) -> Notice:
    return Notice(
        kind=Kind.CONFIRM,
        address=asked.address,
        suppression_key=asked.suppression_key,
        language=app.language(asked.language, mailing_list.language),
        mailing_list_id=mailing_list.id,
        subscription_id=asked.id,
        values={"invited": True},
    )
