"""Columns that people have added to a product's table, and that say who left."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import replace

from mailer.importers.headed_table import HeadedTable, TableCells
from mailer.importers.person_row import PersonRow
from mailer.importers.sheets.sheet_states import read_departures
from mailer.importers.state_words import STATE_SAYING, state_heading
from mailer.importers.table_columns import Column

RowParser = Callable[[TableCells], PersonRow | None]


def with_added_columns(table: HeadedTable, own: Collection[str], zone: str | None, parse: RowParser) -> RowParser:
    """The function that reads a row as `parse` does, and heeds what columns beside the `own` ones say of leaving.

    They make a person's state stricter, never milder.
    """
    columns = [
        (key, Column(heading=heading, meaning=None, attribute=None, ignored=False, says=says))
        for key, heading in zip(table.keys, table.headings, strict=True)
        if key not in own and (says := state_heading(heading)) in STATE_SAYING
    ]
    if not columns:
        return parse

    def parse_with_added(cells: TableCells) -> PersonRow | None:
        person = parse(cells)
        said = [(column, cells[key]) for key, column in columns if cells[key]]
        if person is None or not said:
            return person
        states = read_departures(said, person.state, zone)
        return replace(
            person,
            state=states.state,
            suppressions=tuple(dict.fromkeys((*person.suppressions, *states.suppressions))),
            changed_at=person.changed_at or states.left_at,
            evidence={**person.evidence, **states.evidence},
            remarks=(*person.remarks, *states.remarks),
        )

    return parse_with_added
