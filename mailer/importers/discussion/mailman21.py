"""Mailman 2.1's list: its config.pck, or what list_members and config_list print."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from mailer.errors import TableRefused
from mailer.importers.discussion.mailman.config_list import parse_config_list
from mailer.importers.discussion.mailman.listing_files import read_listings
from mailer.importers.discussion.mailman.mailman21_config import (
    Mailman21List,
    parse_mailman21_list,
    read_mailman21_list,
    read_roles,
)
from mailer.importers.discussion.mailman.pickle_reader import MAX_PICKLE
from mailer.importers.discussion.member_sources import add_listings
from mailer.importers.export_format import ExportFormat, ExportRows, ReadOptions
from mailer.importers.member_row import ReadRow, merge_people
from mailer.importers.source_files import SourceFile
from mailer.importers.table_encoding import open_table
from mailer.importers.table_records import read_lines

_LISTING = re.compile(r"list[-_]members\b.*|list_members.*", re.IGNORECASE)
_PICKLE_STARTS = (b"}", b"(d", b"\x80")
_OTHER_PICKLES = re.compile(r"(?:pending|request|bounce-events.*|heldmsg.*)\.pck")
_BACKUP = re.compile(r"config\.pck\..+|config\.db(?:\..+)?")
_CONFIG_LIST_HEADING = b"mailing list configuration settings"
_HEAD = 1000


def _find_files(files: Sequence[SourceFile]) -> tuple[SourceFile, ...]:
    return tuple(
        file
        for file in files
        if _is_config(file) or _LISTING.fullmatch(file.plain_name) or _is_backup(file) or _is_config_list(file)
    )


def _is_config(file: SourceFile) -> bool:
    if not (file.base_name.lower().endswith(".pck") or not file.name) or _OTHER_PICKLES.fullmatch(file.plain_name):
        return False
    return file.base_name == "config.pck" or _head(file).startswith(_PICKLE_STARTS)


def _is_backup(file: SourceFile) -> bool:
    return _BACKUP.fullmatch(file.plain_name) is not None


def _is_config_list(file: SourceFile) -> bool:
    is_candidate = file.base_name.endswith((".txt", ".cfg", ".config", ".conf", ".py")) or "config" in file.base_name
    return is_candidate and not file.base_name.endswith(".pck") and _CONFIG_LIST_HEADING in _head(file)


def _head(file: SourceFile) -> bytes:
    with file.open() as octets:
        return octets.read(_HEAD)


def _read(files: Sequence[SourceFile], options: ReadOptions) -> ExportRows:
    configs = [file for file in files if _is_config(file)]
    listings = _of_one_folder([file for file in files if _LISTING.fullmatch(file.plain_name)], options)
    if not configs and not listings:
        _refuse_backups([file for file in files if _is_backup(file)])
    listed, guessed = read_listings(listings, options)
    if configs:
        config, source = _choose_list(configs, options)
        rows: Iterator[ReadRow] = add_listings(read_mailman21_list(source, config.base_name), listed, config.base_name)
        guessed = []
    else:
        rows = merge_people([*listed, *_config_list_rows(files, options)])
    return ExportRows(rows=rows, guessed=tuple(guessed))


def _choose_list(configs: Sequence[SourceFile], options: ReadOptions) -> tuple[SourceFile, Mailman21List]:
    """The config.pck of the list that is asked for; of one it is that one."""
    found = []
    for file in configs:
        wanted = (options.source_list or "").lower()
        folder = file.name.rpartition("/")[0].rpartition("/")[2].lower()
        if len(configs) > 1 and wanted and folder and folder != wanted.partition("@")[0]:
            continue
        source = _parse(file)
        if not wanted or wanted in {folder, *source.names}:
            found.append((file, source))
    if len(found) == 1:
        return found[0]
    names = ", ".join(file.name for file in configs)
    raise TableRefused(
        f"has {len(found)} lists called {options.source_list!r}: {names}"
        if options.source_list
        else f"has several lists, {names}: say whose with --source-list"
    )


def _parse(file: SourceFile) -> Mailman21List:
    try:
        if file.size > MAX_PICKLE:
            raise TableRefused(f"has {file.size} octets, more than {MAX_PICKLE}: print its members with list_members")
        with file.open() as octets:
            return parse_mailman21_list(octets.read())
    except TableRefused as refusal:
        raise TableRefused(f"{file.name} {refusal}") from None


def _of_one_folder(listings: Sequence[SourceFile], options: ReadOptions) -> list[SourceFile]:
    folders = {file.name.rpartition("/")[0] for file in listings}
    if len(folders) < 2:
        return list(listings)
    chosen = [one for one in folders if options.source_list and one.rpartition("/")[2] == options.source_list]
    if len(chosen) != 1:
        raise TableRefused(f"has lists in the folders {', '.join(sorted(folders))}: say whose with --source-list")
    return [file for file in listings if file.name.rpartition("/")[0] == chosen[0]]


def _config_list_rows(files: Sequence[SourceFile], options: ReadOptions) -> Iterator[ReadRow]:
    for file in files:
        if _is_config_list(file):
            with file.open() as octets:
                text, _ = open_table(octets, options.encoding)
                attributes = parse_config_list(read_lines(text))
            yield from read_roles(Mailman21List(attributes), file.base_name)


def _refuse_backups(backups: Sequence[SourceFile]) -> None:
    for file in backups:
        if file.base_name.startswith("config.db"):
            raise TableRefused(
                f"{file.name} is of Mailman 2.0: let bin/update of Mailman 2.1 make a config.pck of it, or give what"
                " list_members prints"
            )
        raise TableRefused(
            f"{file.name} is an older copy of the list, and people may have left since: give its config.pck"
        )


FORMAT = ExportFormat(name="mailman21", title="Mailman 2.1's list", find_files=_find_files, read=_read)
