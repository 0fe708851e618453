"""An organiser brings people along: confirmed on the organiser's word, or asked first."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, TextIO

from sqlalchemy import Connection

from mailer.app import App
from mailer.domain.consent import Act, Evidence
from mailer.domain.delivery import Kind, Notice
from mailer.domain.mailing_list import MailingList
from mailer.domain.person_row import PersonRow
from mailer.domain.subscription import Subscription, SubscriptionState, may_ask
from mailer.mail.people_table import BadRow, read_people
from mailer.store import consents, deliveries, mailing_lists, subscribers, subscriptions, suppressions

_CHUNK = 250
"""Rows a transaction: some 25 ms of the write lock, so that nobody who leaves is kept waiting."""


@dataclass(slots=True)
class Imported:
    """What became of the rows."""

    added: int = 0
    """Newly on the list (or asked, when inviting)."""
    known: int = 0
    """On it before; their details were brought up to date."""
    kept_out: int = 0
    """Left, declined, or stand on the suppression list: they stay so."""
    bad: list[BadRow] = field(default_factory=list)


async def import_people(
    app: App,
    *,
    list_name: str,
    file: TextIO,
    evidence: Evidence,
    invite: bool = False,
    progress: Callable[[Imported], None] = lambda _: None,
) -> Imported:
    """Put the people of a CSV file on a list, streaming; bad rows are told by line and never stop the rest.

    They are confirmed on the organiser's word, kept as the evidence, and get no welcome; with `invite` each
    is asked by letter instead. Raises NotFound for the list and TableRefused for the header.
    """
    mailing_list = await app.database.read(mailing_lists.named, list_name)
    rows = await asyncio.to_thread(read_people, file)
    take_in = _invite if invite else _admit
    done = Imported()
    while chunk := await asyncio.to_thread(_next_chunk, rows, done.bad):
        await app.database.write(_import_chunk, app, mailing_list, chunk, evidence, take_in, done)
        progress(done)
        if invite:
            app.bells.notices.set()
    progress(done)
    return done


def _next_chunk(rows: Iterator[tuple[int, PersonRow | BadRow]], bad: list[BadRow]) -> list[PersonRow]:
    """The next rows by person (a person's last row counts); empty only at the end."""
    chunk: dict[str, PersonRow] = {}
    for _, row in rows:
        if isinstance(row, BadRow):
            bad.append(row)
        else:
            chunk[row.address.key] = row
        if len(chunk) >= _CHUNK:
            break
    return list(chunk.values())


TakeIn = Callable[[Connection, App, MailingList, dict[int, PersonRow], Evidence], int]


def _import_chunk(
    tx: Connection,
    app: App,
    mailing_list: MailingList,
    chunk: list[PersonRow],
    evidence: Evidence,
    take_in: TakeIn,
    done: Imported,
) -> None:
    key_of = app.house.keyring.suppression_key
    by_key = {key_of(row.address.key): row for row in chunk}
    # "Never ask me again" holds for the whole mailbox, plus-tags seen through.
    mailboxes = {key: key_of(row.address.mailbox_key) for key, row in by_key.items() if row.address.is_variant}
    barred = suppressions.standing(tx, by_key.keys() | set(mailboxes.values()), mailing_list.id)
    welcome = {key: row for key, row in by_key.items() if not barred & {key, mailboxes.get(key, key)}}
    ids = _people(tx, app, welcome)
    states = subscriptions.states(tx, mailing_list.id, ids.values())
    people = {ids[row.address.key]: row for row in welcome.values()}
    gone = {number for number in people if states.get(number) is SubscriptionState.UNSUBSCRIBED}
    on_it = {number: row for number, row in people.items() if states.get(number) is SubscriptionState.CONFIRMED}
    subscriptions.add_attributes(tx, mailing_list.id, {n: row.attributes for n, row in on_it.items()})
    new = {number: row for number, row in people.items() if number not in gone and number not in on_it}
    done.added += take_in(tx, app, mailing_list, new, evidence)
    done.known += len(on_it)
    done.kept_out += len(barred) + len(gone)


def _people(tx: Connection, app: App, rows: dict[str, PersonRow]) -> dict[str, int]:
    """The subscribers' ids by address_key, added or brought up to date."""
    now = app.clock()
    known = subscribers.ids(tx, [row.address.key for row in rows.values()])
    columns: dict[str, dict[str, Any]] = {
        row.address.key: {
            "address": row.address.mailed,
            "address_key": row.address.key,
            "mailbox_key": row.address.mailbox_key,
            "suppression_key": suppression_key,
            "name": row.name,
            "language": row.language,
            "zone": row.zone,
            "created_at": now,
        }
        for suppression_key, row in rows.items()
    }
    subscribers.describe(tx, [{"subscriber_id": number, **columns[key]} for key, number in known.items()])
    return known | subscribers.add_missing(tx, [one for key, one in columns.items() if key not in known])


def _admit(
    tx: Connection, app: App, mailing_list: MailingList, people: dict[int, PersonRow], evidence: Evidence
) -> int:
    """Confirmed, on the organiser's word."""
    attributes = {number: row.attributes for number, row in people.items()}
    subscriptions.confirm_many(tx, mailing_list.id, attributes, app.clock())
    consents.record_many(tx, mailing_list.id, people, Act.IMPORTED, evidence, app.clock())
    return len(people)


def _invite(
    tx: Connection, app: App, mailing_list: MailingList, people: dict[int, PersonRow], evidence: Evidence
) -> int:
    """Asked by letter, each; who was asked within a day is not asked again."""
    now = app.clock()
    invited = []
    for number, row in people.items():
        asked = subscriptions.find_or_add_pending(tx, mailing_list.id, number, now)
        if may_ask(asked, now):
            subscriptions.note_asking(tx, asked, name=row.name, language=row.language, now=now)
            deliveries.add_notice(tx, _invitation(app, mailing_list, asked), now)
            invited.append(number)
    subscriptions.add_attributes(tx, mailing_list.id, {n: row.attributes for n, row in people.items()})
    consents.record_many(tx, mailing_list.id, invited, Act.INVITED, evidence, now)
    return len(invited)


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
