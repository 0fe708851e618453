"""Stage what an export of ours has besides people: its consent record, and people whose addresses it does not tell."""

from __future__ import annotations

from collections.abc import Iterator

from mailer.actions.imports.import_report import MAX_REPORTED, ReadReport
from mailer.domain.consent import ConsentAct
from mailer.importers.bad_row import BadRow, LeftBehind
from mailer.importers.export_format import ExportRows
from mailer.importers.person_row import ConsentRow, SuppressedKey
from mailer.store.imports.staged_people import StagedPeople

_ACTS = frozenset(ConsentAct)


def stage_record(staged: StagedPeople, read: ReadReport, export: ExportRows, secret_id: str) -> None:
    """Stage the consent record, and those suppressions whose keys are made with the secret of this id.

    Lines that cannot be used are bad rows; people whom another secret names are left behind.
    """
    staged.add_consents(_usable_lines(export, read))
    staged.add_suppressed(_usable_keys(export, read, secret_id))


def _usable_lines(export: ExportRows, read: ReadReport) -> Iterator[ConsentRow]:
    for row in export.consents:
        if isinstance(row, ConsentRow) and row.act in _ACTS:
            yield row
            continue
        if isinstance(row, ConsentRow):
            bad = BadRow(0, f"{row.act!r} is no act of a consent record", place=row.address.addr_spec)
        else:
            bad = row
        read.bad_rows += 1
        read.bad += [bad][: MAX_REPORTED - len(read.bad)]


def _usable_keys(export: ExportRows, read: ReadReport, secret_id: str) -> Iterator[SuppressedKey]:
    others = 0
    for row in export.suppressed_keys:
        if row.secret_id == secret_id:
            yield row
        else:
            others += 1
    if others:
        read.left_behind.append(
            LeftBehind(
                "suppressions", f"{others} people are named by another service's secret: nobody here is kept out by it"
            )
        )
