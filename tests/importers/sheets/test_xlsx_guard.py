"""Hostile workbooks are refused by name, in little time and memory."""

from __future__ import annotations

import io
import json
import random
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from openpyxl import Workbook
from openpyxl.worksheet.worksheet import Worksheet

from mailer.errors import TableRefused
from mailer.importers.bad_row import BadRow
from mailer.importers.person_row import PersonRow
from mailer.importers.spreadsheet import FORMAT
from tests.importers.sheets.test_sheet_workbook import read, workbook_of
from tests.importers.test_spreadsheet import EVERYBODY_AGREED, source_file
from tests.support.app_helpers import ROOT

SHEET, STRINGS, BOOK = "xl/worksheets/sheet1.xml", "xl/sharedStrings.xml", "xl/workbook.xml"
_CELL = '<c r="A{row}" t="inlineStr"><is><t>{text}</t></is></c>'
_XMLNS = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
PROGRAM = """
import io, json, resource, sys
from mailer.domain.subscription import SubscriptionState
from mailer.errors import TableRefused
from mailer.importers.export_format import ReadOptions
from mailer.importers.source_files import SourceFile
from mailer.importers.spreadsheet import FORMAT
from tests.support.peak_memory import peak_kib
import openpyxl, mailer.importers.sheets.sheet_workbook
resource.setrlimit(resource.RLIMIT_CPU, (20, 20))
before = peak_kib()
for path in sys.argv[1:]:
    file = SourceFile(name=path, size=0, open=lambda: open(path, "rb"))
    try:
        said = str(len(list(FORMAT.read([file], ReadOptions(state=SubscriptionState.CONFIRMED)).rows)))
    except TableRefused as refusal:
        said = str(refusal)
    peak = (peak_kib() - before) >> 10
    print(json.dumps([said, peak]))
"""


def sheet_of(rows: str, *, dimension: str = "A1:B9", before: str = "") -> str:
    return (
        f'<?xml version="1.0"?>{before}<worksheet xmlns="{_XMLNS}"><dimension ref="{dimension}"/>'
        f"<sheetData>{rows}</sheetData></worksheet>"
    )


def row(number: int, text: str) -> str:
    return f'<row r="{number}">{_CELL.format(row=number, text=text)}</row>'


TWO_ROWS = row(1, "email") + row(2, "rosa@example.org")


def with_parts(**parts: bytes | str) -> bytes:
    """A workbook whose parts are replaced; `sheet`, `strings` and `book` are short names."""
    names = {"sheet": SHEET, "strings": STRINGS, "book": BOOK}
    replaced = {names.get(name, name): part for name, part in parts.items()}
    octets = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(workbook_of(["email"], ["rosa@example.org"]))) as source:
        with zipfile.ZipFile(octets, "w", zipfile.ZIP_DEFLATED) as target:
            for name in source.namelist():
                if name not in replaced:
                    target.writestr(name, source.read(name))
            for name, part in replaced.items():
                target.writestr(name, part)
    return octets.getvalue()


def wide() -> bytes:
    workbook = Workbook()
    sheet = workbook.active
    assert isinstance(sheet, Worksheet)
    sheet.append(["email", *(f"c{number}" for number in range(16_383))])
    octets = io.BytesIO()
    workbook.save(octets)
    return octets.getvalue()


NOISE = random.Random(1).randbytes(2_000_000).hex()
LAUGHS = '<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>'
HOSTILE: dict[str, tuple[Callable[[], bytes], str]] = {
    "entities in a sheet": (lambda: with_parts(sheet=sheet_of(row(1, "&b;"), before=LAUGHS)), "defines entities"),
    "entities in UTF-16": (
        lambda: with_parts(
            sheet=sheet_of(row(1, "&b;"), before=LAUGHS).replace('"1.0"', '"1.0" encoding="UTF-16"').encode("utf-16")
        ),
        "no workbook that can be read",
    ),
    "entities in the texts": (
        lambda: with_parts(strings=f'{LAUGHS}<sst xmlns="{_XMLNS}"><si><t>&b;</t></si></sst>'),
        "defines entities",
    ),
    "a file from elsewhere": (
        lambda: with_parts(book='<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><workbook>&a;</workbook>'),
        "defines entities",
    ),
    "a million empty rows": (
        lambda: with_parts(sheet=sheet_of("".join(f'<row r="{number}"/>' for number in range(1, 1_000_001)))),
        "more than 500000 rows",
    ),
    "a sheet that unpacks to 100 MB": (lambda: with_parts(sheet=sheet_of(row(1, " " * 100_000_000))), "octets"),
    "texts that unpack to 40 MB": (lambda: with_parts(strings="<si><t>ab</t></si>" * 2_300_000), "octets"),
    "a cell of four megabytes": (lambda: with_parts(sheet=sheet_of(row(1, NOISE))), "a cell in"),
    "a row of many megabytes": (
        lambda: with_parts(sheet=sheet_of("<row>" + "".join(f"<c><v>{n}</v></c>" for n in range(400_000)) + "</row>")),
        "a row in",
    ),
    "16,384 columns": (wide, "16384 columns, more than 500"),
    "elements within elements": (lambda: with_parts(book="<a>" * 500_000), "more than 200000 tags"),
}


@pytest.mark.slow
def test_hostile_workbooks_are_refused_by_name_in_little_time_and_memory(tmp_path: Path) -> None:
    paths = []
    for number, (make, _) in enumerate(HOSTILE.values()):
        paths.append(tmp_path / f"{number}.xlsx")
        paths[-1].write_bytes(make())

    run = subprocess.run([sys.executable, "-c", PROGRAM, *paths], capture_output=True, text=True, cwd=ROOT, check=True)

    for (name, (_, why)), path, line in zip(HOSTILE.items(), paths, run.stdout.splitlines(), strict=True):
        said, peak = json.loads(line)
        assert why in said, name
        assert str(path) in said, name
        assert peak < 100, (name, peak)


def test_a_sheet_that_lies_about_its_size_is_read() -> None:
    rows = TWO_ROWS + row(1_048_576, "emma@example.org")
    octets = with_parts(sheet=sheet_of(rows, dimension="A1:XFD1048576"))

    assert [line for line, found in read(octets).rows if isinstance(found, PersonRow)] == [2, 1_048_576]


def test_links_elsewhere_and_macros_are_not_followed() -> None:
    parts = {
        "xl/externalLinks/externalLink1.xml": LAUGHS,
        "xl/vbaProject.bin": b"macros",
    }
    octets = with_parts(**parts)

    export = read(octets, name="readers.xlsm")

    assert "it has macros: they are not run" in export.guessed
    assert len([found for _, found in export.rows if isinstance(found, PersonRow)]) == 1


@pytest.mark.parametrize("seed", range(15))
def test_a_damaged_workbook_gives_rows_or_a_refusal(seed: int) -> None:
    rng = random.Random(seed)
    octets = bytearray(
        with_parts(sheet=sheet_of(TWO_ROWS)) if seed % 2 else workbook_of(["email"], ["rosa@example.org"])
    )
    for _ in range(rng.randint(1, 12)):
        octets[rng.randrange(len(octets))] = rng.randrange(256)
    if seed % 5 == 0:
        del octets[rng.randrange(len(octets)) :]

    try:
        found = list(FORMAT.read([source_file(bytes(octets), "readers.xlsx")], EVERYBODY_AGREED).rows)
    except TableRefused:
        return
    assert all(isinstance(one, PersonRow | BadRow) for _, one in found)


@pytest.mark.parametrize("seed", range(25))
def test_a_damaged_part_gives_rows_or_a_refusal(seed: int) -> None:
    rng = random.Random(seed)
    with zipfile.ZipFile(io.BytesIO(workbook_of(["email", "since"], ["rosa@example.org", 45321.5]))) as source:
        name = rng.choice([one for one in source.namelist() if one.endswith((".xml", ".rels"))])
        part = bytearray(source.read(name))
    for _ in range(rng.randint(1, 4)):
        part[rng.randrange(len(part))] = rng.choice(b'<>&"/ 09aZ\x00\xff')

    try:
        found = list(read(with_parts(**{name: bytes(part)})).rows)
    except TableRefused:
        return
    assert all(isinstance(one, PersonRow | BadRow) for _, one in found)
