"""Workbooks of Excel: which sheet is read, and what its cells are."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, time

import pytest
from openpyxl import Workbook
from openpyxl.cell.rich_text import CellRichText, TextBlock
from openpyxl.cell.text import InlineFont
from openpyxl.worksheet.worksheet import Worksheet

from mailer.domain.subscription import SubscriptionState
from mailer.errors import TableRefused
from mailer.importers.bad_row import BadRow
from mailer.importers.export_format import ExportRows, ReadOptions
from mailer.importers.person_row import PersonRow
from mailer.importers.spreadsheet import FORMAT
from tests.importers.test_spreadsheet import CONFIRMED, EVERYBODY_AGREED, UNSUBSCRIBED, source_file

HEADING = ["E-Mail", "Vorname", "Status"]


def save(workbook: Workbook) -> bytes:
    octets = io.BytesIO()
    workbook.save(octets)
    return octets.getvalue()


def workbook_of(*rows: Sequence[object], change: Callable[[Worksheet], None] = lambda _: None) -> bytes:
    workbook = Workbook()
    sheet = workbook.active
    assert isinstance(sheet, Worksheet)
    for row in rows:
        sheet.append(row)
    change(sheet)
    return save(workbook)


def read(octets: bytes, options: ReadOptions = EVERYBODY_AGREED, name: str = "readers.xlsx") -> ExportRows:
    return FORMAT.read(FORMAT.find_files([source_file(octets, name)]), options)


def people(octets: bytes, options: ReadOptions = EVERYBODY_AGREED) -> list[PersonRow]:
    found = [row for _, row in read(octets, options).rows]
    assert not [row for row in found if not isinstance(row, PersonRow)], found
    return [row for row in found if isinstance(row, PersonRow)]


def test_a_sheet_with_a_title_gaps_and_a_total_is_read_by_row() -> None:
    octets = workbook_of(
        ["Verteiler, Stand Mai"],
        [],
        HEADING,
        ["rosa@example.org", "Rosa", "aktiv"],
        [],
        ["Emma <emma@example.org>", None, "abgemeldet"],
        ["Summe", 2],
        change=lambda sheet: sheet.merge_cells("A1:C1"),
    )

    found = dict(read(octets, ReadOptions()).rows)

    assert list(found) == [4, 6, 7]
    assert [row.state for row in found.values() if isinstance(row, PersonRow)] == [CONFIRMED, UNSUBSCRIBED]
    assert isinstance(found[7], BadRow)
    assert found[7].where == "line 7"
    assert "no address" in found[7].reason


def test_cells_become_the_texts_that_one_sees() -> None:
    rich = CellRichText("Ro", TextBlock(InlineFont(b=True), "sa"))
    octets = workbook_of(
        ["E-Mail", "Name", "Seit", "PLZ", "Betrag", "VIP", "Um", "Kunde", "Formel"],
        ["rosa@example.org", rich, date(2024, 2, 1), 8010, 12.5, True, time(9, 30), 45321, "=1+1"],
        ["emma@example.org", "#N/A", datetime(2024, 2, 1, 10, 30), "08010", 3.0, False, None, "x", None],
    )

    rosa, emma = people(octets, ReadOptions(state=CONFIRMED, zone="Europe/Berlin"))

    assert (rosa.name, rosa.changed_at) == ("Rosa", datetime(2024, 1, 31, 23, tzinfo=UTC))
    assert rosa.attributes == {
        "plz": "8010",
        "betrag": "12.5",
        "vip": "true",
        "um": "09:30:00",
        "kunde": "45321",
    }
    assert emma.changed_at == datetime(2024, 2, 1, 9, 30, tzinfo=UTC)
    assert emma.attributes == {"plz": "08010", "betrag": "3", "vip": "false", "kunde": "x"}
    assert emma.remarks == ("Name is #N/A, an error of the spreadsheet: left out",)


def test_yes_and_no_of_a_workbook_say_who_agreed() -> None:
    octets = workbook_of(
        ["E-Mail", "Opt-in", "Abgemeldet am"],
        ["rosa@example.org", True, None],
        ["emma@example.org", False, None],
        ["bea@example.org", True, date(2025, 6, 7)],
    )

    rosa, emma, bea = people(octets, ReadOptions())

    assert (rosa.state, emma.state, bea.state) == (CONFIRMED, UNSUBSCRIBED, UNSUBSCRIBED)
    assert bea.changed_at == datetime(2025, 6, 7, tzinfo=UTC)


def test_a_linked_cell_is_read_as_it_is_shown() -> None:
    def link(sheet: Worksheet) -> None:
        sheet["A2"].hyperlink = "mailto:rosa@example.org"

    octets = workbook_of(["E-Mail"], ["rosa@example.org"], change=link)

    assert [row.address.addr_spec for row in people(octets)] == ["rosa@example.org"]


def with_sheets(**hidden: bool) -> bytes:
    workbook = Workbook()
    active = workbook.active
    assert isinstance(active, Worksheet)
    active.title = "Notes"
    active.append(["Ask the office"])
    for name, is_hidden in hidden.items():
        sheet = workbook.create_sheet(name)
        sheet.append(["E-Mail"])
        sheet.append([f"{name.lower()}@example.org"])
        sheet.sheet_state = "hidden" if is_hidden else "visible"
    return save(workbook)


def test_the_sheet_that_holds_addresses_is_read_and_the_others_are_named() -> None:
    export = read(with_sheets(Readers=False, Board=True))

    assert [row.address.addr_spec for _, row in export.rows if isinstance(row, PersonRow)] == ["readers@example.org"]
    assert "of its sheets only 'Readers' is read, not 'Notes', 'Board'" in export.guessed
    assert "hidden in it: 'Board'" in export.guessed


def test_of_several_sheets_with_addresses_one_must_be_named() -> None:
    octets = with_sheets(Active=False, Unsubscribed=False)

    with pytest.raises(TableRefused, match=r"2 of its sheets hold addresses: .* 'Active', 'Unsubscribed'"):
        read(octets)
    with pytest.raises(TableRefused, match=r"no sheet is called 'Mine'; there are: 'Notes', 'Active', 'Unsubscribed'"):
        read(octets, ReadOptions(source_list="Mine"))

    (left,) = people(octets, ReadOptions(state=CONFIRMED, source_list="unsubscribed"))
    assert (left.address.addr_spec, left.state) == ("unsubscribed@example.org", UNSUBSCRIBED)


def test_hidden_rows_and_sheets_are_told() -> None:
    def hide(sheet: Worksheet) -> None:
        sheet.row_dimensions[3].hidden = True

    octets = workbook_of(["E-Mail"], ["rosa@example.org"], ["emma@example.org"], change=hide)

    export = read(octets)

    assert "1 of its rows are hidden: they are read, too" in export.guessed
    assert len(list(export.rows)) == 2
    with pytest.raises(TableRefused, match="only hidden sheets hold addresses"):
        read(with_sheets(Board=True))


def test_columns_of_a_workbook_are_what_the_organiser_says() -> None:
    octets = workbook_of(["Wer", "Kontakt", "Ok"], ["Rosa", "rosa@example.org", 1])
    options = ReadOptions(columns={"email": ("Kontakt",), "name": ("Wer",), "state": ("Ok",)})

    (rosa,) = people(octets, options)

    assert (rosa.name, rosa.state) == ("Rosa", SubscriptionState.CONFIRMED)
    with pytest.raises(TableRefused, match="no column is called 'Mehl'; there are: Wer, Kontakt, Ok"):
        read(octets, ReadOptions(state=CONFIRMED, columns={"email": ("Mehl",)}))


def test_a_workbook_with_a_list_of_addresses_alone_needs_no_heading() -> None:
    (rosa, emma) = people(workbook_of(["rosa@example.org"], ["Emma Berg <emma@example.org>"]))

    assert (rosa.name, emma.name) == (None, "Emma Berg")
