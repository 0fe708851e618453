"""All products whose exports are read, and which of them wrote some files."""

from __future__ import annotations

from collections.abc import Sequence

from mailer.errors import TableRefused
from mailer.importers import own_export, spreadsheet
from mailer.importers.discussion import mailman3, mailman21, mlmmj, sympa
from mailer.importers.export_format import ExportFormat
from mailer.importers.headed_table import MOST_TABLES, forget_heads, may_be_table
from mailer.importers.services import (
    brevo,
    buttondown,
    ghost,
    google_groups,
    keila,
    listmonk,
    mailchimp,
    phplist,
    substack,
)
from mailer.importers.source_files import SourceFile, SourceFiles

_MOST_NAMES = 4

_PRODUCTS = (
    mailman21.FORMAT,
    mailman3.FORMAT,
    sympa.FORMAT,
    mlmmj.FORMAT,
    listmonk.FORMAT,
    phplist.FORMAT,
    keila.FORMAT,
    ghost.FORMAT,
    substack.FORMAT,
    mailchimp.FORMAT,
    buttondown.FORMAT,
    brevo.FORMAT,
    google_groups.FORMAT,
)
_IN_TURN: tuple[tuple[ExportFormat, ...], ...] = ((own_export.FORMAT,), _PRODUCTS, (spreadsheet.FORMAT,))
"""The later are tried where none of the earlier recognises anything."""
FORMATS = tuple(one for formats in _IN_TURN for one in formats)


def recognize_format(source: SourceFiles, name: str | None = None) -> tuple[ExportFormat, tuple[SourceFile, ...]]:
    """The format of these files, and which of them belong to it; with `name` no other is tried.

    Raises TableRefused where none or several recognise the files.
    """
    if not source.files:
        raise TableRefused(f"{source.name} holds no files that could be read")
    if name is not None:
        named = _format_called(name)
        if files := named.find_files(source.files):
            return named, files
        raise TableRefused(f"{source.name} holds nothing of {named.title}{_describe_files(source)}")
    found = _find_formats(source)
    if not found:
        known = "; ".join(one.title for one in FORMATS)
        raise TableRefused(f"{source.name} is no export that is known here{_describe_files(source)}. Read are: {known}")
    if len(found) > 1:
        which = ", or ".join(f"{one.title} (--from {one.name}: {_list_names(files)})" for one, files in found)
        raise TableRefused(f"{source.name} may be {which}: say which with --from")
    chosen, files = found[0]
    if chosen is spreadsheet.FORMAT and len(files) > 1:
        raise TableRefused(
            f"{source.name} holds tables of no product that is known here ({_list_names(files)}): give one of them, or "
            "say --from spreadsheet if people stand in all"
        )
    return chosen, files


def _find_formats(source: SourceFiles) -> list[tuple[ExportFormat, tuple[SourceFile, ...]]]:
    tables = sum(may_be_table(one) for one in source.files if "." in one.base_name)
    if tables > MOST_TABLES:
        raise TableRefused(f"{source.name} has {tables} tables, more than {MOST_TABLES}: give those of one export")
    try:
        for formats in _IN_TURN:
            if found := [(one, files) for one in formats if (files := one.find_files(source.files))]:
                return found
    finally:
        forget_heads()
    return []


def _format_called(name: str) -> ExportFormat:
    for one in FORMATS:
        if one.name == name.casefold():
            return one
    raise TableRefused(f"{name!r} is not known here; there are: {', '.join(one.name for one in FORMATS)}")


def _describe_files(source: SourceFiles) -> str:
    return f" (it holds {_list_names(source.files)})" if len(source.files) > 1 else ""


def _list_names(files: Sequence[SourceFile]) -> str:
    """The names of files, the first few of many."""
    shown = ", ".join(file.name or "standard input" for file in files[:_MOST_NAMES])
    return shown if len(files) <= _MOST_NAMES else f"{shown} and {len(files) - _MOST_NAMES} more"
