"""Undo a numbered import, for everybody whom nothing has touched since."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from sqlalchemy import Connection

from mailer.app import App
from mailer.domain.accounts.actor import Actor
from mailer.domain.accounts.audit import Act
from mailer.domain.accounts.role import Permission
from mailer.domain.imports.import_run import ImportRunView
from mailer.domain.imports.import_undo import KeptReason, UndoResult
from mailer.store.accounts import audit_log
from mailer.store.counts import audience_counts
from mailer.store.imports import import_changes, import_runs, undone_people
from mailer.store.imports.import_changes import ImportChange
from mailer.store.imports.touched_people import find_touched

_CHUNK = 250
"""People in one transaction."""
_UNDONE, _LIFTED = "undone", "lifted"

Progress = Callable[[int], None]
"""Is told how many people are done."""


async def undo_import(app: App, actor: Actor, number: int, progress: Progress = lambda _: None) -> UndoResult:
    """Take back what an import did, of people whom nothing has touched since; the others are kept, and counted.

    A new person is removed, who stood here before gets the former values back, and a suppression that nobody else
    caused, too, is lifted. Nobody can be mailed by it who could not before the import. Twice is no error, and one that
    was broken off is made good by another. One that keeps people out of every list is undone by who manages the site.
    Raises NotFound and NotPermitted.
    """
    run = await app.database.write(_begin, app, actor, number)
    done = 0
    while ids := await app.database.write(_undo_chunk, app, run):
        done += ids
        progress(done)
    after: str | None = ""
    while after is not None:
        after = await app.database.write(_lift_chunk, run, after)
    return await app.database.write(_end, app, actor, run)


async def preview_undo(app: App, actor: Actor, number: int) -> UndoResult:
    """What `undo_import` would do now, without doing it. Raises NotFound and NotPermitted."""
    run = await app.database.read(_permitted_run, actor, number)
    counts: Counter[str] = Counter()
    after: int | None = 0
    while after is not None:
        after = await app.database.read(_preview_chunk, run, after, counts)
    key: str | None = ""
    while key is not None:
        key = await app.database.read(_preview_lifted, run, key, counts)
    return _result(number, counts)


def _permitted_run(tx: Connection, actor: Actor, number: int) -> ImportRunView:
    run = import_runs.get(tx, number)
    actor.require(Permission.CHANGE_PEOPLE, run.mailing_list_id)
    if undone_people.suppresses_everywhere(tx, run):
        actor.require(Permission.MANAGE_SITE)
    return run


def _begin(tx: Connection, app: App, actor: Actor, number: int) -> ImportRunView:
    run = _permitted_run(tx, actor, number)
    if import_runs.mark_undone(tx, number, undone_by=actor.name, now=app.clock()):
        _record(tx, app, actor, run, {"run": number})
    return run


def _end(tx: Connection, app: App, actor: Actor, run: ImportRunView) -> UndoResult:
    counts = Counter(import_runs.undo_counts(tx, run.number))
    audience_counts.forget(tx, run.mailing_list_id)
    _record(tx, app, actor, run, {"run": run.number, **counts})
    return _result(run.number, counts)


def _record(tx: Connection, app: App, actor: Actor, run: ImportRunView, after: dict[str, int]) -> None:
    subject, list_id = f"list {run.list_name}", run.mailing_list_id
    audit_log.record(tx, actor, Act.UNDO_IMPORT, subject=subject, mailing_list_id=list_id, after=after, now=app.clock())


def _undo_chunk(tx: Connection, app: App, run: ImportRunView) -> int:
    """Undo the next people, and forget what was recorded of them; returns how many."""
    changes = import_changes.list_changes(tx, run.number, 0, _CHUNK)
    ids = [one.subscriber_id for one in changes]
    known = undone_people.lock_people(tx, ids)
    touched = find_touched(tx, run, changes)
    key_of = app.site.keyring.suppression_key
    keys = {number: [key_of(key) for key in set(names)] for number, names in known.items()}
    undone = [one for one in changes if one.subscriber_id in known and one.subscriber_id not in touched]
    undone_people.release_suppressions(tx, run, [key for number in touched for key in keys[number]])
    undone_people.restore_people(tx, run, undone, [key for one in undone for key in keys[one.subscriber_id]])
    import_changes.forget_changes(tx, run.number, ids)
    import_runs.add_undo_counts(tx, run.number, _count(undone, touched))
    return len(ids)


def _count(undone: list[ImportChange], touched: dict[int, KeptReason]) -> Counter[str]:
    return Counter({_UNDONE: len(undone)}) + Counter(reason.value for reason in touched.values())


def _lift_chunk(tx: Connection, run: ImportRunView, after: str) -> str | None:
    last, lifted, kept = undone_people.lift_remaining(tx, run, after, _CHUNK)
    import_runs.add_undo_counts(tx, run.number, Counter({_LIFTED: lifted, KeptReason.ACTED.value: kept}))
    return last


def _preview_chunk(tx: Connection, run: ImportRunView, after: int, counts: Counter[str]) -> int | None:
    changes = import_changes.list_changes(tx, run.number, after, _CHUNK)
    known = import_changes.load_values(tx, run.mailing_list_id, [one.subscriber_id for one in changes])
    touched = find_touched(tx, run, changes)
    undone = [one for one in changes if one.subscriber_id in known and one.subscriber_id not in touched]
    counts.update(_count(undone, touched))
    return changes[-1].subscriber_id if changes else None


def _preview_lifted(tx: Connection, run: ImportRunView, after: str, counts: Counter[str]) -> str | None:
    keys = undone_people.list_remaining(tx, run, after, _CHUNK)
    kept = undone_people.find_active_keys(tx, run, keys)
    counts.update({_LIFTED: len(keys) - len(kept), KeptReason.ACTED.value: len(kept)})
    return keys[-1] if keys else None


def _result(number: int, counts: Counter[str]) -> UndoResult:
    kept = {reason: counts[reason.value] for reason in KeptReason if counts[reason.value]}
    return UndoResult(number=number, undone=counts[_UNDONE], lifted=counts[_LIFTED], kept=kept)
