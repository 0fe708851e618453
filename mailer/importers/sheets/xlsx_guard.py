"""Refuse workbooks that would fill the memory before a library reads them, by the sizes of their parts and cells."""

from __future__ import annotations

import re
import zipfile
import zlib
from dataclasses import dataclass
from typing import BinaryIO

from mailer.errors import TableRefused
from mailer.importers.sources.zip_file import open_zip

MOST_SHEET_OCTETS, MOST_STRING_OCTETS, MOST_PART_OCTETS = 128 << 20, 32 << 20, 4 << 20
"""Of one sheet, of all texts of a workbook, and of any other part that is read, unpacked."""
MOST_ROWS = 500_000
_MOST_TAGS = 200_000
"""In a part that is read as a whole: each element takes a few hundred octets of memory."""
_LONGEST_TEXT, _LONGEST_ROW = 1 << 20, 4 << 20
_CHUNK = 1 << 18
_UNREAD = re.compile(
    r"xl/(?:media|pivotCache|externalLinks|printerSettings|embeddings|activeX)/|customXml/", re.IGNORECASE
)
_ROW = re.compile(rb"<(?:\w+:)?row[\s>/]")
_HIDDEN_ROW = re.compile(rb"<(?:\w+:)?row\s[^<>]*?\bhidden=[\"'](?:1|true)[\"']")
_FORBIDDEN = re.compile(rb"<!DOCTYPE|<!ENTITY|<!\[CDATA\[", re.IGNORECASE)
_DAMAGES = (zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError)
_SAVE_AS_CSV = "save the sheet as CSV (UTF-8), and import that"


@dataclass(frozen=True, kw_only=True, slots=True)
class CheckedWorkbook:
    """What is known of a workbook that may be read."""

    hidden_rows: dict[str, int]
    """Part of the zip -> how many rows in it are hidden."""
    has_macros: bool


def check_workbook(file: BinaryIO) -> CheckedWorkbook:
    """Look through a workbook's parts. Raises TableRefused for one that is damaged, hostile, or too large."""
    with open_zip(file, "the workbook") as opened:
        hidden = {}
        for entry in opened.infolist():
            if entry.is_dir() or _UNREAD.match(entry.filename) or not entry.filename.endswith((".xml", ".rels")):
                continue
            _refuse_large(entry)
            try:
                hidden[entry.filename] = _check_part(opened, entry)
            except _DAMAGES as damage:
                raise TableRefused(f"{entry.filename!r} in it is damaged ({damage})") from None
        return CheckedWorkbook(hidden_rows=hidden, has_macros="xl/vbaProject.bin" in opened.namelist())


def _refuse_large(entry: zipfile.ZipInfo) -> None:
    name = entry.filename.casefold()
    limit = _most_octets(name)
    if entry.file_size > limit:
        raise TableRefused(f"{entry.filename!r} in it has {entry.file_size} octets, more than {limit}: {_SAVE_AS_CSV}")


def _most_octets(name: str) -> int:
    if "worksheets/" in name and not name.endswith(".rels"):
        return MOST_SHEET_OCTETS
    return MOST_STRING_OCTETS if name.endswith("sharedstrings.xml") else MOST_PART_OCTETS


def _check_part(opened: zipfile.ZipFile, entry: zipfile.ZipInfo) -> int:
    """Look through one part; how many of its rows are hidden."""
    hidden = rows = text = row = tags = 0
    most_tags = _MOST_TAGS if _most_octets(entry.filename.casefold()) == MOST_PART_OCTETS else MOST_SHEET_OCTETS
    rest = b""
    with opened.open(entry) as part:
        while chunk := part.read(_CHUNK):
            first, last = chunk.find(b"<"), chunk.rfind(b"<")
            if text + (first if first >= 0 else len(chunk)) > _LONGEST_TEXT:
                raise TableRefused(f"a cell in {entry.filename!r} has more than {_LONGEST_TEXT} octets: {_SAVE_AS_CSV}")
            text = len(chunk) - last if last >= 0 else text + len(chunk)
            # What begins in this chunk is looked at together with the next one.
            whole, rest = (rest + chunk[:last], chunk[last:]) if last >= 0 else (b"", rest + chunk)
            if _FORBIDDEN.search(whole):
                raise TableRefused(f"{entry.filename!r} in it defines entities of its own, which no spreadsheet does")
            tags += whole.count(b"<")
            if tags > most_tags:
                raise TableRefused(f"{entry.filename!r} in it has more than {most_tags} tags: {_SAVE_AS_CSV}")
            found = [match.start() for match in _ROW.finditer(whole)]
            row = len(whole) - found[-1] if found else row + len(whole)
            rows += len(found)
            if row > _LONGEST_ROW:
                raise TableRefused(f"a row in {entry.filename!r} has more than {_LONGEST_ROW} octets: {_SAVE_AS_CSV}")
            if rows > MOST_ROWS:
                raise TableRefused(f"{entry.filename!r} in it has more than {MOST_ROWS} rows: {_SAVE_AS_CSV}")
            hidden += len(_HIDDEN_ROW.findall(whole))
    return hidden
