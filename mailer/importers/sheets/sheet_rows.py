"""Parse the rows of any spreadsheet into people."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from mailer.domain.subscription import SubscriptionState
from mailer.importers.export_format import ReadOptions
from mailer.importers.person_cells import clean_cell, person_of_cells, read_row_cells
from mailer.importers.person_row import EvidenceGrade, PersonRow
from mailer.importers.sheets.sheet_columns import describe_state_columns, refuse_without_state, state_is_said
from mailer.importers.sheets.sheet_states import read_row_states
from mailer.importers.state_words import AGREEING
from mailer.importers.table_columns import Column
from mailer.importers.table_layout import TableLayout

_STAYING = {SubscriptionState.CONFIRMED, SubscriptionState.PENDING}


@dataclass(frozen=True, kw_only=True, slots=True)
class RowPlan:
    """How the rows of one table are to be read."""

    columns: tuple[Column, ...]
    width: int
    """How many of them the table has; the others are made of these."""
    agreeing: tuple[Column, ...]
    """Those that say who agreed."""
    state: SubscriptionState | None
    """The state of people of whom no column says it."""
    zone: str | None
    own_export: bool
    guessed: tuple[str, ...]


def plan_rows(layout: TableLayout, options: ReadOptions, *, they_left: bool) -> RowPlan:
    """How to read the rows of a table; `they_left` is whether its name says that the people in it left.

    Raises TableRefused for a table that does not say who agreed, if `options` do not, either.
    """
    columns, guessed = layout.columns, list(layout.guessed)
    said = state_is_said(columns) or layout.own_export
    guessed += describe_state_columns(columns)
    if not said and they_left:
        guessed.append(
            "its name says that these people left: they are read as unsubscribed (else give it another name)"
        )
    elif not said and options.state is None:
        refuse_without_state(columns)
    return RowPlan(
        columns=columns,
        width=sum(not one.made_of for one in columns),
        agreeing=tuple(one for one in columns if one.says in AGREEING),
        state=SubscriptionState.UNSUBSCRIBED if they_left else options.state,
        zone=options.zone,
        own_export=layout.own_export,
        guessed=tuple(guessed),
    )


def parse_sheet_row(plan: RowPlan, cells: Sequence[str]) -> PersonRow:
    """Parse a row. TableRefused says why the row is refused."""
    columns: Sequence[Column] = plan.columns
    if plan.width < len(columns):
        if any(cell.strip() for cell in cells[plan.width :]):
            columns = columns[: plan.width]
        else:
            cells = _with_made_cells(plan, cells)
    row = read_row_cells(columns, cells, own_export=plan.own_export)
    person = person_of_cells(row, own_export=plan.own_export)
    if plan.own_export:
        return person
    states = read_row_states(plan.agreeing, row.said, plan.state, plan.zone)
    return replace(
        person,
        state=states.state,
        suppressions=states.suppressions,
        agreed_at=states.agreed_at,
        changed_at=states.left_at or (states.since if states.state in _STAYING else None),
        evidence_grade=EvidenceGrade.SOME if states.agreed_at else EvidenceGrade.NONE,
        evidence=states.evidence,
        remarks=(*person.remarks, *states.remarks),
    )


def _with_made_cells(plan: RowPlan, cells: Sequence[str]) -> list[str]:
    row = [*cells[: plan.width], *[""] * (plan.width - len(cells))]
    made = [" ".join(filter(None, (clean_cell(row[at]) for at in one.made_of))) for one in plan.columns[plan.width :]]
    return row + made
