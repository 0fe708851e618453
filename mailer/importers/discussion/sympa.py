"""Sympa's list: what `sympa dump` writes, tables of its database, and the lists of members of its web pages."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from mailer.errors import TableRefused
from mailer.importers.bad_row import BadRow
from mailer.importers.discussion.member_sources import add_listings
from mailer.importers.discussion.sympa_files.member_rows import (
    read_sympa_admin,
    read_sympa_exclusion,
    read_sympa_member,
    require_email,
)
from mailer.importers.discussion.sympa_files.paragraphs import SympaRecord, split_paragraphs
from mailer.importers.discussion.sympa_files.tables import find_table_kind, read_table
from mailer.importers.discussion.sympa_files.web_exports import is_web_export, read_web_export
from mailer.importers.export_format import ExportFormat, ExportRows, ReadOptions
from mailer.importers.member_row import ReadRow, merge_people
from mailer.importers.person_row import ListRole, PersonRow
from mailer.importers.source_files import SourceFile
from mailer.importers.table_encoding import open_table
from mailer.importers.table_records import read_lines

_DUMP = re.compile(r"(?:.*[-_.])?(?P<kind>member|owner|editor|subscriber)s?(?:\.db)?\.dump", re.IGNORECASE)
_WEB = re.compile(r"(?:export_?member.*|[^@/]+@[^@/]+\.[a-z]{2,})\.txt|review.*\.txt", re.IGNORECASE)
_EXCLUDED = re.compile(r"(?:.*[-_.])?exclu(?:ded?|sions?)\b.*\.(?:txt|csv|tsv)", re.IGNORECASE)
_TABLE_ENDINGS = (".csv", ".tsv", ".txt", ".tab")
_ROLES = {"owner": ListRole.OWNER, "editor": ListRole.MODERATOR}
_HEAD = 4096


@dataclass(frozen=True, slots=True)
class _SympaFile:
    """A file and what it is: member, owner, editor, subscriber, admin, exclusion, excluded, web."""

    file: SourceFile
    kind: str


def _find_files(files: Sequence[SourceFile]) -> tuple[SourceFile, ...]:
    return tuple(file for file in files if _kind(file))


def _kind(file: SourceFile) -> str | None:
    if dump := _DUMP.fullmatch(file.plain_name):
        kind = dump["kind"].lower()
        return "member" if kind == "subscriber" else kind
    if not file.base_name.lower().endswith(_TABLE_ENDINGS):
        return None
    with file.open() as octets:
        head = octets.read(_HEAD).decode("utf-8", "replace")
    if kind := find_table_kind(head.partition("\n")[0]):
        return kind
    is_list = is_web_export(head)
    if _EXCLUDED.fullmatch(file.plain_name) and is_list:
        return "excluded"
    return "web" if is_list and (_WEB.fullmatch(file.plain_name) or head.startswith("# Email\t")) else None


def _read(files: Sequence[SourceFile], options: ReadOptions) -> ExportRows:
    found = _of_one_list([_SympaFile(file, kind) for file in files if (kind := _kind(file))], options)
    guessed: list[str] = []
    primary = [row for one in found if one.kind != "web" for row in _read_file(one, options, guessed)]
    listed = [row for one in found if one.kind == "web" for row in _read_file(one, options, guessed)]
    has_members = any(one.kind in {"member", "subscriber"} for one in found)
    if has_members:
        place = next(one.file.base_name for one in found if one.kind in {"member", "subscriber"})
        return ExportRows(rows=add_listings(merge_people(primary), list(merge_people(listed)), place), guessed=())
    if listed:
        guessed.append(
            "the web page's list does not say whose letters are off: all are read as readers who get letters"
        )
    return ExportRows(rows=merge_people([*listed, *primary]), guessed=tuple(guessed))


def _of_one_list(found: Sequence[_SympaFile], options: ReadOptions) -> Sequence[_SympaFile]:
    """The files of the list that is asked for, where dumps of several lie in folders."""
    folders = {one.file.name.rpartition("/")[0] for one in found if one.kind in {"member", "owner", "editor"}}
    if len(folders) < 2:
        return found
    wanted = (options.source_list or "").lower()
    chosen = [one for one in folders if wanted and one.lower().rpartition("/")[2] in {wanted, wanted.partition("@")[0]}]
    if len(chosen) != 1:
        raise TableRefused(f"has lists in the folders {', '.join(sorted(folders))}: say whose with --source-list")
    return [one for one in found if one.file.name.rpartition("/")[0] == chosen[0]]


def _read_file(one: _SympaFile, options: ReadOptions, guessed: list[str]) -> list[ReadRow]:
    readers: dict[str, Callable[[SympaRecord], PersonRow]] = {
        "exclusion": partial(read_sympa_exclusion, zone=options.zone),
        "excluded": partial(read_sympa_exclusion, zone=options.zone),
        "owner": partial(read_sympa_admin, role=ListRole.OWNER),
        "editor": partial(read_sympa_admin, role=ListRole.MODERATOR),
        "admin": _read_admin,
    }
    reader = readers.get(one.kind, partial(read_sympa_member, zone=options.zone))
    with one.file.open() as octets:
        try:
            text, guess = open_table(octets, options.encoding)
            records = list(_records(one.kind, read_lines(text), options))
        except TableRefused as refusal:
            raise TableRefused(f"{one.file.base_name} {refusal}") from None
    if guess:
        guessed.append(f"{one.file.base_name}: {guess}")
    return [_read_record(number, record, reader, one.file.base_name) for number, record in records]


def _read_admin(record: SympaRecord) -> PersonRow:
    return read_sympa_admin(record, _ROLES.get(record.get("role", ""), ListRole.MODERATOR))


def _records(kind: str, lines: Iterable[str], options: ReadOptions) -> Iterator[tuple[int, SympaRecord | str]]:
    if kind in _DUMP_KINDS:
        return split_paragraphs(lines)
    if kind in {"web", "excluded"}:
        return read_web_export(lines)
    return _rows_of_one_list(list(read_table(lines)), options.source_list)


_DUMP_KINDS = frozenset({"member", "owner", "editor"})


def _rows_of_one_list(
    rows: Sequence[tuple[int, SympaRecord | str]], wanted: str | None
) -> Iterator[tuple[int, SympaRecord | str]]:
    """The rows of a table that are of the list that is asked for as `talk` or `talk@lists.example.org`."""
    names = {(row.get("list", ""), row.get("robot", "")) for _, row in rows if isinstance(row, dict)}
    chosen = {
        (name, domain)
        for name, domain in names
        if not wanted or wanted.lower() in {name.lower(), f"{name}@{domain}".lower()}
    }
    if len(chosen) > 1 or (wanted and names and not chosen):
        shown = ", ".join(sorted(f"{name}@{domain}".strip("@") for name, domain in names))
        raise TableRefused(f"has the lists {shown}: say whose with --source-list")
    for number, row in rows:
        if isinstance(row, str) or (row.get("list", ""), row.get("robot", "")) in chosen:
            yield number, row


def _read_record(
    number: int, record: SympaRecord | str, reader: Callable[[SympaRecord], PersonRow], place: str
) -> ReadRow:
    try:
        if isinstance(record, str):
            raise TableRefused(record)
        return number, reader(require_email(record))
    except TableRefused as refusal:
        return number, BadRow(number, str(refusal), place)


FORMAT = ExportFormat(name="sympa", title="Sympa's list", find_files=_find_files, read=_read)
