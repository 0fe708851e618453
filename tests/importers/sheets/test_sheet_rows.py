"""What volunteers write beside names and addresses, and lines through them."""

from __future__ import annotations

import pytest
from openpyxl import Workbook
from openpyxl.styles import Font

from mailer.errors import TableRefused
from mailer.importers.bad_row import BadRow
from mailer.importers.person_row import PersonRow
from tests.importers.sheets.test_sheet_workbook import read, save
from tests.importers.test_spreadsheet import rows

LEAVING_NOTES = (
    *("hat sich am 3.4. abgemeldet", "möchte keine Mails mehr", "Bitte streichen!", "asked to be removed (May)"),
    *("opted out 2023", "Mme Roux, décédée", "désinscrite le 3/4", "dado de baja", "2024年退订了", "отписался в мае"),
)


@pytest.mark.parametrize("note", LEAVING_NOTES)
def test_a_note_that_says_that_they_left_refuses_the_row(note: str) -> None:
    found = rows(f"Name;E-Mail;Bemerkung\nIda;ida@example.org;{note}\nBea;bea@example.org;mag Pflaumen\n")

    assert isinstance(found[0], BadRow)
    assert "may say that they left" in found[0].reason
    assert isinstance(found[1], PersonRow)


@pytest.mark.parametrize("cell", ["NICHT ida@example.org", "# ida@example.org", "ida@example.org (raus)"])
def test_what_stands_before_an_address_may_take_it_out(cell: str) -> None:
    found = rows(f"Name;E-Mail\nIda;{cell}\nBea;bea@example.org\n")

    assert [type(one) for one in found] == [BadRow, PersonRow]


def test_a_name_with_a_note_in_brackets_refuses_the_row() -> None:
    found = rows("Name;E-Mail\nIda Moss (abgemeldet);ida@example.org\nBea Unsubrook;bea@example.org\n")

    assert [type(one) for one in found] == [BadRow, PersonRow]


@pytest.mark.parametrize("heading", ["Will Post?", "Wants emails", "durchgestrichen", "Souhaite recevoir la lettre"])
def test_a_heading_about_wanting_letters_is_asked_about(heading: str) -> None:
    with pytest.raises(TableRefused, match="may say who agreed"):
        rows(f"Name;E-Mail;{heading}\nIda;ida@example.org;nein\n")


def test_a_row_whose_address_is_struck_through_is_refused() -> None:
    workbook = Workbook()
    sheet = workbook.active
    assert sheet is not None
    for row in (("Name", "E-Mail"), ("Ida", "ida@example.org"), ("Bea", "bea@example.org"), ("Olu", "olu@example.org")):
        sheet.append(row)
    sheet["B2"].font = Font(strike=True)
    sheet["A4"].font = Font(strike=True)

    found = dict(read(save(workbook)).rows)

    assert isinstance(found[2], BadRow)
    assert "struck through" in found[2].reason
    assert isinstance(found[3], PersonRow)
    assert isinstance(found[4], PersonRow)
