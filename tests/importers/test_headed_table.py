"""Tables with known headings: separators, encodings, short and long rows, quotes that are never closed."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailer.errors import TableRefused
from mailer.importers.bad_row import BadRow
from mailer.importers.headed_table import find_headings, heading_keys, open_headed_table
from tests.support.export_files import source_files

REQUIRED = ("email", "status")


def rows(content: str | bytes, **named: object) -> list[tuple[int, object]]:
    return list(open_headed_table(source_files({"t.csv": content})[0], REQUIRED, **named).rows)  # type: ignore[arg-type]


CELL = st.text(st.characters(codec="utf-8", categories=["L", "N", "P", "S"]), max_size=8).filter(
    lambda cell: not cell.startswith("'")
)


@given(
    st.lists(st.tuples(CELL.filter(bool), CELL, CELL), min_size=1, max_size=5),
    st.sampled_from(",;\t|"),
    st.sampled_from(["\n", "\r\n"]),
    st.sampled_from([csv.QUOTE_ALL, csv.QUOTE_MINIMAL]),
    st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
    st.sampled_from(["", "Members of the harvest\n", "\n\n"]),
)
def test_what_is_written_is_read(cells, delimiter, end, quoting, encoding, above) -> None:
    file = io.StringIO()
    writer = csv.writer(file, delimiter=delimiter, lineterminator=end, quoting=quoting)
    writer.writerows([("EMAIL", "Status", "Plot No"), *cells])

    found = rows((above + file.getvalue()).encode(encoding))

    assert [row for _, row in found] == [dict(zip(("email", "status", "plot no"), one, strict=True)) for one in cells]


def test_rows_of_another_length() -> None:
    found = rows("email,status,note\na@x.org,on,hm,\nb@x.org,on,hm,shifted\nc@x.org\nd@x.org,on\n")

    assert [row if isinstance(row, dict) else row.reason for _, row in found] == [  # type: ignore[attr-defined]
        {"email": "a@x.org", "status": "on", "note": "hm"},
        "has 4 cells, the heading 3",
        "has 1 cells, the heading 3",
        {"email": "d@x.org", "status": "on", "note": ""},
    ]
    assert [line for line, _ in found] == [2, 3, 4, 5]


def test_a_quote_that_is_never_closed_takes_one_row_with_it() -> None:
    found = rows('email,status\n"a@x.org,on\nb@x.org,on\nc@x.org,on\n')

    assert [row["email"] for _, row in found if isinstance(row, dict)][-2:] == ["b@x.org", "c@x.org"]


def test_formula_escapes_and_odd_blanks_are_undone() -> None:
    found = rows("email,status\n\u00a0a@x.org\u200b,'=on\n")

    assert found == [(2, {"email": "a@x.org", "status": "=on"})]


def test_a_cell_that_is_too_long_is_a_bad_row() -> None:
    ((line, row),) = rows(f"email,status\na@x.org,{'x' * 3_000_000}\n")

    assert (line, isinstance(row, BadRow)) == (2, True)


def test_equal_headings_have_keys_of_their_own() -> None:
    assert heading_keys(["Notes", "NOTES", "notes", "", ""]) == ("notes", "notes 2", "notes 3", "", "")


@pytest.mark.parametrize("content", ["", "email\n", "a,b\n" * 9 + "email,status\n", b"PK\x03\x04...", b"\0\1\2\3"])
def test_tables_without_the_headings_are_refused(content: str | bytes) -> None:
    file = source_files({"t.csv": content})[0]

    assert find_headings(file, REQUIRED) is None
    with pytest.raises(TableRefused):
        open_headed_table(file, REQUIRED)
