"""Run a planned import: write its people, some at a time, as a numbered import that can be undone."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

from sqlalchemy import Connection

from mailer.actions.imports.decide_people import DecidedPerson, KeyedPerson, decide_people, find_keys
from mailer.actions.imports.import_report import ImportResult, PeopleReport
from mailer.actions.imports.invite_people import invite_people
from mailer.actions.imports.plan_import import ImportPlan, Progress
from mailer.app import App
from mailer.domain.accounts.actor import Actor
from mailer.domain.accounts.audit import Act
from mailer.domain.accounts.role import Permission
from mailer.domain.consent import IMPORT_NUMBER, Channel
from mailer.store.accounts import audit_log
from mailer.store.imports import import_runs, source_tokens
from mailer.store.imports.changed_people import write_changes
from mailer.store.imports.known_people import lock_subscriptions
from mailer.store.queue import deliveries

_CHUNK = 250
"""People in one transaction: it holds the write lock for some 25 ms, so that people who unsubscribe do not wait."""


async def run_import(app: App, actor: Actor, plan: ImportPlan, progress: Progress = lambda _: None) -> ImportResult:
    """Write what a plan says, by what is known of its people now. Returns what became of them.

    `progress` is told how many people are done. A run that is broken off is made good by running the same again. Raises
    NotPermitted.
    """
    number = await app.database.write(_begin, app, actor, plan)
    report, done = PeopleReport(), 0
    pages = plan.staged.pages(_CHUNK)
    while page := await asyncio.to_thread(next, pages, None):
        people = await asyncio.to_thread(find_keys, app.site.keyring, plan.staged, page)
        for one in await app.database.write(_write_people, app, plan, number, people):
            report.add(one.staged.row, one.staged.line, one.known, one.decision)
        done += len(page)
        progress(done)
    result = ImportResult(number, report, plan.read)
    await app.database.write(_end, app, actor, plan, result)
    return result


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


def _write_people(
    tx: Connection, app: App, plan: ImportPlan, number: int, people: Sequence[KeyedPerson]
) -> list[DecidedPerson]:
    """Write what becomes of these people, in one transaction."""
    list_id, now = plan.mailing_list.id, app.clock()
    evidence = {**plan.evidence, IMPORT_NUMBER: number}
    while True:
        lock_subscriptions(tx, list_id, [one.keys for one in people])
        decided = decide_people(tx, list_id, people, plan.rules, evidence, now)
        changes = [one.decision.change for one in decided if one.decision.change is not None]
        ids = write_changes(tx, list_id, number, changes, Channel.IMPORT, now)
        if ids is not None:
            break
    for change in changes:
        if change.ends_subscription:
            deliveries.suppress_waiting(tx, ids[change.keys.address_key], list_id)
    _add_source_tokens(tx, list_id, decided, ids)
    invited = [one for one in decided if one.decision.is_invited]
    if invited:
        invite_people(tx, app, plan.mailing_list, invited, ids, evidence)
    return decided


def _add_source_tokens(tx: Connection, list_id: int, people: Sequence[DecidedPerson], ids: Mapping[str, int]) -> None:
    """Remember by what old letters name those who have a subscription."""
    tokens = [
        (one.staged.row.source_token, one.known.subscriber_id or ids.get(one.staged.row.address.key))
        for one in people
        if one.staged.row.source_token
    ]
    if tokens:
        source_tokens.add_tokens(tx, list_id, [(token, number) for token, number in tokens if token and number])
