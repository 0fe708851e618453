"""Import people from a CSV file: confirmed on the organiser's word, or invited by letter."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Iterator
from dataclasses import replace
from typing import TextIO

from sqlalchemy import Connection

from mailer.actions.imports.import_rows import MAX_REPORTED, ImportResult, ImportRun, import_chunk
from mailer.app import App
from mailer.domain.accounts.actor import Actor
from mailer.domain.accounts.audit import Act
from mailer.domain.accounts.role import Permission
from mailer.domain.consent import Evidence
from mailer.domain.mailing_list import MailingList
from mailer.errors import MailerError
from mailer.importers.bad_row import BadRow
from mailer.importers.people_csv import PeopleTable, read_people
from mailer.importers.person_row import PersonRow
from mailer.store import mailing_lists
from mailer.store.accounts import audit_log

_CHUNK = 250
"""Rows in one transaction: it holds the write lock for some 25 ms, so that people who unsubscribe do not wait."""


async def import_people(
    app: App,
    actor: Actor,
    *,
    list_name: str,
    file: TextIO,
    evidence: Evidence,
    invite: bool = False,
    ignored: Collection[str] = (),
    progress: Callable[[ImportResult], None] = lambda _: None,
) -> ImportResult:
    """Import the people of a CSV file into a list, streaming. Bad rows are reported and do not stop the import.

    People are confirmed on the organiser's word, which `evidence` and the actor's name record, and get no welcome; with
    `invite` each gets a confirmation letter instead. An export of ours of everybody keeps its states. Columns whose
    headings are in `ignored` are left out. `progress` is called after each chunk. Raises NotFound for the list,
    NotPermitted, and TableRefused for a table that cannot be read or may hold people who unsubscribed.
    """
    mailing_list = await app.database.read(_permitted_list, actor, list_name)
    run = ImportRun(actor, mailing_list, replace(evidence, details=evidence.details | {"by": actor.name}), invite)
    table: PeopleTable = await asyncio.to_thread(read_people, file, ignored)
    run.done.guessed = table.guessed
    await app.database.write(_record_start, app, run)
    try:
        while chunk := await asyncio.to_thread(_next_chunk, table.rows, run):
            await app.database.write(import_chunk, app, run, chunk)
            progress(run.done)
    except MailerError:
        await app.database.write(_record_end, app, run)
        raise
    await app.database.write(_record_end, app, run)
    progress(run.done)
    return run.done


def _permitted_list(tx: Connection, actor: Actor, list_name: str) -> MailingList:
    mailing_list = mailing_lists.get_by_name(tx, list_name)
    actor.require(Permission.CHANGE_PEOPLE, mailing_list.id)
    return mailing_list


def _record_start(tx: Connection, app: App, run: ImportRun) -> None:
    _record(tx, app, run, Act.START_IMPORT, {"invite": run.invite})


def _record_end(tx: Connection, app: App, run: ImportRun) -> None:
    done = run.done
    counts = {"added": done.added, "known": done.known, "kept_out": done.kept_out, "bad_rows": done.bad_rows}
    _record(tx, app, run, Act.END_IMPORT, counts)


def _record(tx: Connection, app: App, run: ImportRun, act: Act, after: dict[str, int]) -> None:
    subject, list_id = f"list {run.mailing_list.name}", run.mailing_list.id
    audit_log.record(tx, run.actor, act, subject=subject, mailing_list_id=list_id, after=after, now=app.clock())


def _next_chunk(rows: Iterator[tuple[int, PersonRow | BadRow]], run: ImportRun) -> dict[str, tuple[PersonRow, bool]]:
    """The next rows by address key, each with whether it is the person's first in the file; empty at the end."""
    chunk: dict[str, tuple[PersonRow, bool]] = {}
    done = run.done
    for line, row in rows:
        if isinstance(row, BadRow):
            done.bad_rows += 1
            done.bad += [row][: MAX_REPORTED - len(done.bad)]
            continue
        done.remarks += [BadRow(line, one) for one in row.remarks][: MAX_REPORTED - len(done.remarks)]
        key = row.address.key
        earlier, first = chunk.get(key, (None, hash(key) not in run.seen))
        if earlier is not None or not first:
            done.repeated += 1
        chunk[key] = (row.merge_over(earlier) if earlier else row, first)
        run.seen.add(hash(key))
        if len(chunk) >= _CHUNK:
            break
    return chunk
