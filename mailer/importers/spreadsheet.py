"""Any spreadsheet: a table of people from no product that is known, whose columns are guessed or named."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from mailer.errors import TableRefused
from mailer.importers.bad_row import BadRow, LeftBehind
from mailer.importers.export_format import ExportFormat, ExportRows, ReadOptions
from mailer.importers.person_row import PersonRow
from mailer.importers.sheets.sheet_text import SheetRows, holds_addresses, read_text_sheet
from mailer.importers.sheets.sheet_workbook import read_workbook
from mailer.importers.source_files import SourceFile
from mailer.importers.sources.zip_file import open_zip

_TEXT_ENDINGS = (".csv", ".tsv", ".tab", ".txt", ".text")
_WORKBOOK_ENDINGS = (".xlsx", ".xlsm", ".xltx", ".xltm")
_OTHER_ENDINGS = (".xls", ".xlsb", ".ods", ".fods", ".numbers")
_ZIP, _OLE = b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")
_CHUNK = 1 << 20
_SAVE_AS = "open it, save the sheet as xlsx or as CSV (UTF-8), and import that"


def _find_files(files: Sequence[SourceFile]) -> tuple[SourceFile, ...]:
    endings = (*_TEXT_ENDINGS, *_WORKBOOK_ENDINGS, *_OTHER_ENDINGS)
    named = tuple(one for one in files if one.base_name.casefold().endswith(endings))
    if named or len(files) != 1 or "." in files[0].base_name:
        return named
    return tuple(files)


def _read(files: Sequence[SourceFile], options: ReadOptions) -> ExportRows:
    opened: list[tuple[str, SheetRows | LeftBehind]] = []
    guessed: list[str] = []
    for file in files:
        place = file.name if len(files) > 1 else ""
        try:
            sheet = _open_sheet(file, options, is_alone=not place)
        except TableRefused as refusal:
            raise TableRefused(f"{file.name or 'the table'}: {refusal}") from None
        opened.append((place, sheet or LeftBehind(place, "no column of it holds addresses")))
        guessed += [f"{place}: {text}" if place else text for text in (sheet.guessed if sheet else ())]
    return ExportRows(rows=_rows(opened), guessed=tuple(guessed))


def _open_sheet(file: SourceFile, options: ReadOptions, *, is_alone: bool) -> SheetRows | None:
    """The people of one file; None for a text beside other files in which no column holds addresses."""
    with file.open() as octets:
        head = octets.read(len(_OLE))
    if head == _OLE:
        raise TableRefused(_describe_old_workbook(file))
    if head.startswith(_ZIP):
        _refuse_other_documents(file)
        return read_workbook(file, options)
    if file.base_name.casefold().endswith((*_WORKBOOK_ENDINGS, *_OTHER_ENDINGS)):
        raise TableRefused(f"it is no workbook of Excel, whatever its name says: {_SAVE_AS}")
    if not is_alone and not holds_addresses(file, options):
        return None
    return read_text_sheet(file, options)


def _describe_old_workbook(file: SourceFile) -> str:
    before = b""
    with file.open() as octets:
        while chunk := octets.read(_CHUNK):
            if _ENCRYPTED in before + chunk:
                return f"it is protected by a password: {_SAVE_AS} without one"
            before = chunk[-len(_ENCRYPTED) :]
    return f"it is a workbook of an old Excel (xls): {_SAVE_AS}"


def _refuse_other_documents(file: SourceFile) -> None:
    """Raise TableRefused for a zip that is no workbook of Excel that can be read."""
    with file.open() as octets, open_zip(octets, "the workbook") as opened:
        names = set(opened.namelist())
    if any(name.casefold() == "xl/workbook.bin" for name in names):
        raise TableRefused(f"it is a binary workbook of Excel (xlsb): {_SAVE_AS}")
    if "mimetype" in names or "content.xml" in names:
        raise TableRefused(f"it is a document of LibreOffice (ods): {_SAVE_AS}")
    if "[Content_Types].xml" not in names:
        raise TableRefused(f"it is no workbook of Excel: {_SAVE_AS}")


def _rows(
    opened: Sequence[tuple[str, SheetRows | LeftBehind]],
) -> Iterator[tuple[int, PersonRow | BadRow | LeftBehind]]:
    for place, sheet in opened:
        if isinstance(sheet, LeftBehind):
            yield 0, sheet
            continue
        for number, row in sheet.rows:
            yield number, replace(row, place=place) if place and isinstance(row, BadRow) else row


FORMAT = ExportFormat(name="spreadsheet", title="a spreadsheet", find_files=_find_files, read=_read)
