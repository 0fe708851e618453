"""mlmmj's list: the folder in which it keeps subscribers, requests and settings."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from mailer.domain.subscription import DeliveryMode, SubscriptionState
from mailer.domain.suppression import SuppressionReason
from mailer.errors import TableRefused
from mailer.importers.bad_row import BadRow, LeftBehind
from mailer.importers.export_format import ExportFormat, ExportRows, ReadOptions
from mailer.importers.member_row import ReadRow, merge_people, read_address, suppress
from mailer.importers.person_row import ListRole, PersonRow
from mailer.importers.source_files import SourceFile
from mailer.importers.table_encoding import open_table
from mailer.importers.table_records import read_lines

_Parts = Mapping[str, Sequence[SourceFile]]
"""The files of one list by folder; those of control by their path."""

_FOLDERS = ("subscribers.d", "digesters.d", "nomailsubs.d", "subconf", "unsubconf", "bounce")
_CONTROLS = ("listaddress", "owner", "moderators", "submod", "access", "footer", "footer-text", "footer-html")
_PATH = re.compile(rf"(?:(?P<list>.+)/)?(?P<folder>{'|'.join(map(re.escape, _FOLDERS))}|control)/(?P<file>[^/]+)")
_SUBSCRIBERS = ("subscribers.d", "digesters.d", "nomailsubs.d")
_ROLES = {"owner": ListRole.OWNER, "moderators": ListRole.MODERATOR, "submod": ListRole.MODERATOR}
_LEAVING = "asked to leave and had not confirmed it: gets no letters until asked"
_TEXTS = ("footer", "footer-text", "footer-html")


def _find_files(files: Sequence[SourceFile]) -> tuple[SourceFile, ...]:
    """All files of the folders that are read, of lists that have subscribers or an address."""
    parts = {file.name: match for file in files if (match := _PATH.fullmatch(file.name)) and _is_read(match)}
    lists = {
        match["list"]
        for match in parts.values()
        if match["folder"] in _SUBSCRIBERS or (match["folder"] == "control" and match["file"] == "listaddress")
    }
    return tuple(file for file in files if file.name in parts and parts[file.name]["list"] in lists)


def _is_read(match: re.Match[str]) -> bool:
    if match["folder"] == "control":
        return match["file"] in _CONTROLS
    return not match["file"].startswith(".") and not match["file"].endswith(".lastmsg")


def _read(files: Sequence[SourceFile], options: ReadOptions) -> ExportRows:
    by_list: dict[str, dict[str, list[SourceFile]]] = {}
    for file in files:
        if match := _PATH.fullmatch(file.name):
            key = match["folder"] if match["folder"] != "control" else f"control/{match['file']}"
            by_list.setdefault(match["list"] or "", {}).setdefault(key, []).append(file)
    chosen = _choose_list(by_list, options)
    return ExportRows(rows=merge_people(_read_list(chosen, options)))


def _choose_list(by_list: Mapping[str, _Parts], options: ReadOptions) -> _Parts:
    wanted = (options.source_list or "").lower()
    found = []
    for path, parts in by_list.items():
        addresses = {line.lower() for file in parts.get("control/listaddress", ()) for _, line in _lines(file, options)}
        names = {path.rpartition("/")[2].lower(), *addresses, *(one.partition("@")[0] for one in addresses)}
        if not wanted or wanted in names:
            found.append(parts)
    if len(found) != 1:
        shown = ", ".join(sorted(path or "this folder" for path in by_list))
        raise TableRefused(f"has {len(found)} such lists of {shown}: say whose with --source-list")
    return found[0]


def _read_list(parts: _Parts, options: ReadOptions) -> Iterator[ReadRow]:
    """Subscribers of all kinds, requests, roles, and what of the list does not come along."""
    folders: dict[str, list[str]] = {}
    yield from _read_subscribers(parts, folders, options)
    yield from _read_bounces(parts, folders, options)
    yield from _read_requests(parts, folders, options)
    for control, role in _ROLES.items():
        for line, row in _read_people(parts.get(f"control/{control}", ()), options):
            yield line, _changed(row, state=None, role=role)
    yield from _left_behind(parts, options)


def _read_subscribers(parts: _Parts, folders: dict[str, list[str]], options: ReadOptions) -> Iterator[ReadRow]:
    """Notes in `folders` by address key where each was found."""
    for folder in _SUBSCRIBERS:
        for line, row in _read_people(parts.get(folder, ()), options):
            if isinstance(row, PersonRow):
                found = folders.setdefault(row.address.key, [])
                if folder not in found:
                    found.append(folder)
                yield line, _subscriber(row, folder, found)
            else:
                yield line, row


def _read_requests(parts: _Parts, known: Collection[str], options: ReadOptions) -> Iterator[ReadRow]:
    for line, row in _read_people(parts.get("subconf", ()), options):
        again = isinstance(row, PersonRow) and row.address.key in known
        words = "asked to subscribe once more, and did not confirm it" if again else "asked, and did not confirm it"
        yield line, _changed(row, state=SubscriptionState.PENDING, remarks=(words,))
    for line, row in _read_people(parts.get("unsubconf", ()), options):
        if not isinstance(row, PersonRow) or row.address.key in known:
            yield line, _changed(row, suppressions=suppress(SuppressionReason.PAUSED), remarks=(_LEAVING,))


def _subscriber(row: PersonRow, folder: str, folders: Sequence[str]) -> PersonRow:
    """The row of a subscriber who was found in these folders so far, last in `folder`."""
    remarks = (f"is in {' and '.join(folders)}",) if len(folders) > 1 else ()
    if folder == "nomailsubs.d":
        return replace(row, suppressions=suppress(SuppressionReason.PAUSED), remarks=remarks)
    mode = DeliveryMode.EACH if folder == "subscribers.d" else DeliveryMode.DIGEST_MIME
    return replace(row, delivery_mode=mode, remarks=remarks)


def _read_bounces(parts: _Parts, known: Collection[str], options: ReadOptions) -> Iterator[ReadRow]:
    """Remarks on subscribers whose letters bounced. mlmmj itself takes out those who bounce for days."""
    for file in parts.get("bounce", ()):
        address = "@".join(file.base_name.rsplit("=", 1))
        if address.casefold() in known:
            count = sum(1 for _ in _lines(file, options))
            yield 0, _changed(_person(address, 0, file.name), remarks=(f"{count} bounces on record",))


def _read_people(files: Iterable[SourceFile], options: ReadOptions) -> Iterator[ReadRow]:
    """The addresses in these files, one a line."""
    for file in files:
        for number, line in _lines(file, options):
            yield number, _person(line, number, file.name)


def _person(text: str, line: int, place: str) -> PersonRow | BadRow:
    try:
        return PersonRow(address=read_address(text), attributes={})
    except TableRefused as refusal:
        return BadRow(line, str(refusal), place)


def _changed(row: PersonRow | BadRow | LeftBehind, **changes: Any) -> PersonRow | BadRow | LeftBehind:
    return replace(row, **changes) if isinstance(row, PersonRow) else row


def _lines(file: SourceFile, options: ReadOptions) -> Iterator[tuple[int, str]]:
    """The lines that hold something."""
    try:
        with file.open() as octets:
            text, _ = open_table(octets, options.encoding)
            for number, raw in enumerate(read_lines(text), 1):
                if line := raw.strip("\ufeff \t\r\n\0"):
                    yield number, line
    except TableRefused as refusal:
        raise TableRefused(f"{file.name} {refusal}") from None


def _left_behind(parts: _Parts, options: ReadOptions) -> Iterator[ReadRow]:
    for file in parts.get("control/access", ()):
        for rule in (line for _, line in _lines(file, options) if " " in line):
            yield 0, LeftBehind(f"control/access: {rule}", "a rule on who may write: shown to the owner")
    for name in _TEXTS:
        for file in parts.get(f"control/{name}", ()):
            if any(True for _ in _lines(file, options)):
                yield 0, LeftBehind(f"control/{name}", "a text of the list: put it into the list's settings here")


FORMAT = ExportFormat(name="mlmmj", title="mlmmj's list folder", find_files=_find_files, read=_read)
