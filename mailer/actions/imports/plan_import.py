"""Plan an import: read an export, and say what would become of its people, without writing anything."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from types import TracebackType
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection

from mailer.actions.imports.decide_people import decide_people, decide_suppressed, next_people
from mailer.actions.imports.import_decision import ImportRules
from mailer.actions.imports.import_report import (
    MAX_REPORTED,
    ImportedRole,
    ImportExample,
    PeopleReport,
    ReadReport,
)
from mailer.actions.imports.one_list_only import within_permission
from mailer.actions.imports.stage_record import stage_record
from mailer.app import App
from mailer.domain.accounts.actor import Actor
from mailer.domain.accounts.role import Permission
from mailer.domain.imports.import_run import Outcome
from mailer.domain.mailing_list import MailingList
from mailer.importers.bad_row import BadRow, LeftBehind
from mailer.importers.export_format import ExportRows
from mailer.importers.person_row import EvidenceGrade, PersonRow
from mailer.store import mailing_lists
from mailer.store.imports.import_runs import ImportedSource
from mailer.store.imports.staged_people import StagedPeople

if TYPE_CHECKING:
    from mailer.importers.open_export import OpenedExport

_READ_AT_ONCE, _DECIDED_AT_ONCE = 2_000, 1_000

Progress = Callable[[int], None]
"""Is told how many rows are read, or people done, so far."""


@dataclass(kw_only=True, slots=True)
class ImportPlan:
    """An export that is read, and what it would do. Its temporary file is removed by `close`, or by `async with`."""

    mailing_list: MailingList
    source: ImportedSource
    title: str
    """What it is, for people: "Mailchimp's audience export"."""
    evidence: Mapping[str, Any]
    """What the consent record says of all its people."""
    rules: ImportRules
    staged: StagedPeople = field(default_factory=StagedPeople)
    read: ReadReport = field(default_factory=ReadReport)
    report: PeopleReport = field(default_factory=PeopleReport)

    @property
    def people(self) -> int:
        """How many people the export has."""
        return self.staged.people

    @property
    def guessed(self) -> tuple[str, ...]:
        """What was guessed about the layout, as texts for people."""
        return self.read.guessed

    @property
    def counts(self) -> Counter[Outcome]:
        """How many people would have which outcome; only outcomes that occur."""
        return self.report.counts

    @property
    def examples(self) -> tuple[ImportExample, ...]:
        """Ten people at most, of as many outcomes as there are."""
        return self.report.examples

    @property
    def bad(self) -> list[BadRow]:
        """The first rows that cannot be used."""
        return self.read.bad

    @property
    def bad_rows(self) -> int:
        """How many rows cannot be used."""
        return self.read.bad_rows

    @property
    def repeated(self) -> int:
        """How many further rows of people there are."""
        return self.read.repeated

    @property
    def remarks(self) -> list[BadRow]:
        """The first remarks on cells that are left out of rows that can be used."""
        return self.read.remarks

    @property
    def left_behind(self) -> list[LeftBehind]:
        """What of the list does not come along."""
        return self.read.left_behind

    @property
    def grades(self) -> Counter[EvidenceGrade]:
        """How well it is proved that those agreed who would become confirmed."""
        return self.report.grades

    @property
    def digest_readers(self) -> int:
        """How many readers chose digests elsewhere; they are mailed each letter until there are digests."""
        return self.report.digest_readers

    @property
    def languages_unknown(self) -> int:
        """How many people would come onto the list without a language."""
        return self.report.languages_unknown

    @property
    def roles(self) -> Sequence[ImportedRole]:
        """The first owners and moderators elsewhere; they get no rights by an import."""
        return self.report.roles

    @property
    def preferences(self) -> Mapping[str, int]:
        """How many people chose what elsewhere that has no meaning here: own_posts, moderated."""
        return self.report.preferences

    def close(self) -> None:
        """Remove the temporary file."""
        self.staged.close()

    async def __aenter__(self) -> ImportPlan:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


async def plan_import(
    app: App,
    actor: Actor,
    *,
    list_name: str,
    export: OpenedExport,
    invite: bool = False,
    with_outcomes: bool = True,
    progress: Progress = lambda _: None,
) -> ImportPlan:
    """Read an export, and find what importing it into a list would do; nothing is written. The caller closes the plan.

    With `invite` readers would be asked by letter. Who is kept out of every list is kept out of this one only, unless
    the actor manages the site. A plan that is run at once needs no outcomes: the run gives them.
    `progress` is told how many rows are read. Raises NotFound for the list, NotPermitted, and TableRefused for an
    export that cannot be read.
    """
    mailing_list = await app.database.read(find_permitted_list, actor, list_name)
    source = ImportedSource(name=export.format.name, file_name=export.source.name, sha256=export.source.sha256)
    plan = ImportPlan(
        mailing_list=mailing_list,
        source=source,
        title=export.format.title,
        evidence={"peer": source.name, "file": source.file_name, "sha256": source.sha256, "by": actor.name},
        rules=ImportRules(invite=invite, on_own_word=False, with_row_evidence=True),
    )
    try:
        await stage_rows(plan, within_permission(actor, export.rows), app.site.keyring.secret_id, progress)
        if with_outcomes:
            await _find_outcomes(app, plan)
    except BaseException:
        plan.close()
        raise
    return plan


def find_permitted_list(tx: Connection, actor: Actor, list_name: str) -> MailingList:
    """The list of that name. Raises NotFound, and NotPermitted for an actor who may not import into it."""
    mailing_list = mailing_lists.get_by_name(tx, list_name)
    actor.require(Permission.CHANGE_PEOPLE, mailing_list.id)
    return mailing_list


async def stage_rows(plan: ImportPlan, export: ExportRows, secret_id: str, progress: Progress) -> None:
    """Read all of an export into the plan's temporary file."""
    plan.read.guessed = export.guessed
    while await asyncio.to_thread(_stage_next, plan, export.rows):
        progress(plan.read.rows)
    await asyncio.to_thread(stage_record, plan.staged, plan.read, export, secret_id)
    plan.read.repeated = await asyncio.to_thread(plan.staged.sort)


def _stage_next(plan: ImportPlan, rows: Iterator[tuple[int, PersonRow | BadRow | LeftBehind]]) -> bool:
    """Stage the next rows; False at the end."""
    read, usable = plan.read, []
    some = list(islice(rows, _READ_AT_ONCE))
    for line, row in some:
        if isinstance(row, PersonRow):
            usable.append((line, row))
            if row.remarks:
                read.remarks += [BadRow(line, one, row.address.addr_spec) for one in row.remarks][
                    : MAX_REPORTED - len(read.remarks)
                ]
        elif isinstance(row, BadRow):
            read.bad_rows += 1
            read.bad += [row][: MAX_REPORTED - len(read.bad)]
        else:
            read.left_behind += [row][: MAX_REPORTED - len(read.left_behind)]
    read.rows += len(some)
    plan.staged.add(usable)
    return bool(some)


async def _find_outcomes(app: App, plan: ImportPlan) -> None:
    keyring, list_id, staged = app.site.keyring, plan.mailing_list.id, plan.staged
    everybody, suppressed = staged.read(), staged.suppressed()
    while people := await asyncio.to_thread(next_people, keyring, staged, everybody, _DECIDED_AT_ONCE):
        for one in await app.database.read(decide_people, list_id, people, plan.rules, {}, app.clock()):
            plan.report.add(one.staged.row, one.staged.line, one.known, one.decision)
    while page := list(islice(suppressed, _DECIDED_AT_ONCE)):
        decided = await app.database.read(decide_suppressed, list_id, page, app.clock())
        plan.report.counts.update(outcome for outcome, _ in decided)
