"""Run a planned import: write its people, some at a time, as a numbered import that can be undone."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice

from sqlalchemy import Connection

from mailer.actions.imports.decide_people import (
    DecidedPerson,
    KeyedPerson,
    decide_people,
    decide_suppressed,
    next_people,
)
from mailer.actions.imports.import_report import ImportResult, PeopleReport
from mailer.actions.imports.invite_people import InvitedPerson, invite_people
from mailer.actions.imports.plan_import import ImportPlan, Progress
from mailer.actions.imports.write_pace import WritePace
from mailer.app import App
from mailer.domain.accounts.actor import Actor
from mailer.domain.accounts.audit import Act
from mailer.domain.accounts.role import Permission
from mailer.domain.consent import IMPORT_NUMBER, Channel, Evidence
from mailer.domain.imports.import_run import Outcome
from mailer.domain.suppression import EVERY_LIST, SuppressionReason
from mailer.importers.person_row import SuppressionEntry
from mailer.store.accounts import audit_log
from mailer.store.imports import import_runs, source_tokens
from mailer.store.imports.bulk_writing import begin_bulk, checkpoint_rarely, end_bulk, write_mark
from mailer.store.imports.changed_people import write_changes, write_suppressed_keys
from mailer.store.imports.import_suppressions import extend_pauses, share_suppressions
from mailer.store.imports.known_people import lock_subscriptions
from mailer.store.queue import deliveries

_CHUNK = 500
"""People in one transaction where writers do not wait for each other."""


@dataclass(slots=True)
class _Run:
    """One import under way."""

    app: App
    plan: ImportPlan
    number: int
    progress: Progress
    report: PeopleReport = field(default_factory=PeopleReport)
    done: int = 0
    pace: WritePace = field(default_factory=WritePace)
    checkpoints_rarely: bool = False
    mark: tuple[int, int] = (0, 0)
    """Of the database, right after the last transaction."""


async def run_import(app: App, actor: Actor, plan: ImportPlan, progress: Progress = lambda _: None) -> ImportResult:
    """Write what a plan says, by what is known of its people now. Returns what became of them, as the plan then says.

    `progress` is told how many people are done. A run that is broken off is made good by running the same again. Raises
    NotPermitted, and WrongState where it is being undone meanwhile.
    """
    run = _Run(app, plan, await app.database.write(_begin, app, actor, plan), progress)
    try:
        await _write_all(run)
    finally:
        await app.database.write(end_bulk)
    plan.report = run.report
    result = ImportResult(run.number, run.report, plan.read)
    await app.database.write(_end, app, actor, plan, result)
    return result


async def _write_all(run: _Run) -> None:
    app, staged = run.app, run.plan.staged
    await app.database.write(begin_bulk)
    everybody, suppressed = staged.read(), staged.suppressed()

    async def read_next() -> list[KeyedPerson]:
        return await asyncio.to_thread(next_people, app.site.keyring, staged, everybody, run.pace.people)

    people = await read_next()
    while people:
        # Read in a thread of this process while SQLite or PostgreSQL writes.
        reading = asyncio.create_task(read_next())
        try:
            await _write_at_pace(run, people)
        finally:
            await asyncio.wait({reading})
        people = reading.result()
    while page := list(islice(suppressed, _CHUNK)):
        outcomes = await app.database.write(_write_suppressed, run, page)
        run.report.counts.update(outcomes)


async def _write_at_pace(run: _Run, people: Sequence[KeyedPerson]) -> None:
    began, pace = time.perf_counter(), run.pace
    (decided, others_wrote), held_s = await run.app.database.timed_write(_write_people, run, people)
    for one in decided:
        run.report.add(one.staged.row, one.staged.line, one.known, one.decision)
    run.done += len(people)
    run.progress(run.done)
    if run.app.database.has_one_writer:
        await asyncio.sleep(pace.gap_s)
        pace.adapt(len(people), held_s, time.perf_counter() - began, others_wrote=others_wrote)
    else:
        pace.people = _CHUNK


def _begin(tx: Connection, app: App, actor: Actor, plan: ImportPlan) -> int:
    actor.require(Permission.CHANGE_PEOPLE, plan.mailing_list.id)
    now = app.clock()
    number = import_runs.begin(tx, plan.mailing_list.id, plan.source, started_by=actor.name, now=now)
    _record(tx, app, actor, plan, Act.START_IMPORT, {"run": number, "invite": plan.rules.invite})
    return number


def _end(tx: Connection, app: App, actor: Actor, plan: ImportPlan, result: ImportResult) -> None:
    counts = {str(outcome): number for outcome, number in result.counts.items()}
    counts |= {"repeated": result.repeated, "bad": result.bad_rows}
    left_behind = [f"{one.place}: {one.reason}" if one.place else one.reason for one in plan.left_behind]
    import_runs.end(tx, result.run, counts=counts, left_behind=left_behind, now=app.clock())
    short = {"added": result.added, "known": result.known, "kept_out": result.kept_out, "bad_rows": result.bad_rows}
    _record(tx, app, actor, plan, Act.END_IMPORT, {"run": result.run, **short})


def _record(tx: Connection, app: App, actor: Actor, plan: ImportPlan, act: Act, after: dict[str, int]) -> None:
    subject, list_id = f"list {plan.mailing_list.name}", plan.mailing_list.id
    audit_log.record(tx, actor, act, subject=subject, mailing_list_id=list_id, after=after, now=app.clock())


def _write_people(tx: Connection, run: _Run, people: Sequence[KeyedPerson]) -> tuple[list[DecidedPerson], bool]:
    """Write what becomes of these people, in one transaction; also whether others wrote since the last one."""
    import_runs.require_not_undone(tx, run.number)
    others_wrote = write_mark(tx) != run.mark
    if run.checkpoints_rarely is not run.pace.is_quick:
        run.checkpoints_rarely = run.pace.is_quick
        checkpoint_rarely(tx, run.checkpoints_rarely)
    app, plan, list_id, now = run.app, run.plan, run.plan.mailing_list.id, run.app.clock()
    evidence = {**plan.evidence, IMPORT_NUMBER: run.number}
    while True:
        lock_subscriptions(tx, list_id, [one.keys for one in people])
        decided = decide_people(tx, list_id, people, plan.rules, evidence, now)
        changes = [one.decision.change for one in decided if one.decision.change is not None]
        ids = write_changes(tx, list_id, run.number, changes, now)
        if ids is not None:
            break
    for change in changes:
        if change.ends_subscription:
            deliveries.suppress_waiting(tx, ids[change.keys.address_key], list_id)
    _add_source_tokens(tx, list_id, decided, ids)
    _share_suppressions(tx, run, decided)
    invited = [
        InvitedPerson(ids[row.address.key], row.name, row.language)
        for one in decided
        if one.decision.is_invited and (row := one.staged.row)
    ]
    if invited:
        invite_people(tx, app, plan.mailing_list, invited, Evidence(Channel.IMPORT, evidence))
    run.mark = write_mark(tx)
    return decided, others_wrote


def _share_suppressions(tx: Connection, run: _Run, people: Sequence[DecidedPerson]) -> None:
    """Let suppressions of an earlier import stand that this one says, too; of two pauses the longer one stands."""
    list_id, key_of = run.plan.mailing_list.id, run.app.site.keyring.suppression_key
    said = [
        (key_of(key), EVERY_LIST if entry.everywhere else list_id, entry)
        for one in people
        if one.known.suppressions
        for entry in one.staged.row.suppressions
        for key in {one.staged.row.address.key, one.staged.row.address.mailbox_key}
    ]
    if said:
        share_suppressions(tx, run.number, [(key, place, entry.reason) for key, place, entry in said])
        paused = SuppressionReason.PAUSED
        extend_pauses(tx, [(key, place, entry.until) for key, place, entry in said if entry.reason is paused])


def _write_suppressed(
    tx: Connection, run: _Run, people: Sequence[tuple[str, Sequence[SuppressionEntry]]]
) -> list[Outcome]:
    import_runs.require_not_undone(tx, run.number)
    list_id, now = run.plan.mailing_list.id, run.app.clock()
    decided = decide_suppressed(tx, list_id, people, now)
    added = (entry for _, entries in decided for entry in entries)
    write_suppressed_keys(tx, list_id, run.number, added, now)
    return [outcome for outcome, _ in decided]


def _add_source_tokens(tx: Connection, list_id: int, people: Sequence[DecidedPerson], ids: Mapping[str, int]) -> None:
    """Remember by what old letters name those who have a subscription."""
    tokens = [
        (one.staged.row.source_token, one.known.subscriber_id or ids.get(one.staged.key))
        for one in people
        if one.staged.row.source_token
    ]
    if tokens:
        source_tokens.add_tokens(tx, list_id, [(token, number) for token, number in tokens if token and number])
