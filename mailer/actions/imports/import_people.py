"""Import people from a CSV file: confirmed on the organiser's word, or invited by letter."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection
from typing import TextIO

from mailer.actions.imports.import_decision import ImportRules
from mailer.actions.imports.import_report import ImportResult
from mailer.actions.imports.one_list_only import within_permission
from mailer.actions.imports.plan_import import ImportPlan, find_permitted_list, stage_rows
from mailer.actions.imports.run_import import run_import
from mailer.app import App
from mailer.domain.accounts.actor import Actor
from mailer.domain.consent import Evidence
from mailer.importers.export_format import ExportRows
from mailer.importers.people_csv import PeopleTable, read_people
from mailer.store.imports.import_runs import ImportedSource

_SOURCE = "csv"


async def import_people(
    app: App,
    actor: Actor,
    *,
    list_name: str,
    file: TextIO,
    evidence: Evidence,
    invite: bool = False,
    ignored: Collection[str] = (),
    progress: Callable[[int], None] = lambda _: None,
) -> ImportResult:
    """Import the people of a CSV file into a list. Bad rows are reported and do not stop the import.

    People are confirmed on the organiser's word, which `evidence` and the actor's name record, and get no welcome; with
    `invite` each gets a confirmation letter instead. An export of ours of everybody keeps its states. Columns whose
    headings are in `ignored` are left out. `progress` is told how many rows are read, and then how many people are
    done. Raises NotFound for the list, NotPermitted, and TableRefused for a table that cannot be read or may hold
    people who unsubscribed.
    """
    mailing_list = await app.database.read(find_permitted_list, actor, list_name)
    table: PeopleTable = await asyncio.to_thread(read_people, file, ignored)
    plan = ImportPlan(
        mailing_list=mailing_list,
        source=ImportedSource(name=_SOURCE, file_name=str(evidence.details.get("file", "")), sha256=""),
        title="a table of people",
        evidence=evidence.details | {"by": actor.name},
        rules=ImportRules(invite=invite, on_own_word=True, with_row_evidence=False),
    )
    async with plan:
        rows = within_permission(actor, ExportRows(rows=table.rows, guessed=table.guessed))
        await stage_rows(plan, rows, app.site.keyring.secret_id, progress)
        return await run_import(app, actor, plan, progress)
