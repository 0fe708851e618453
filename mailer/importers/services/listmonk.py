"""listmonk's subscribers: the JSON of its API, beside it the bounces, or the table that its pages export."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain

from mailer.importers.bad_row import BadRow, LeftBehind
from mailer.importers.export_format import ExportFormat, ExportRows, ReadOptions
from mailer.importers.json_records import find_json_keys
from mailer.importers.person_row import PersonRow
from mailer.importers.services.listmonk_bounces import is_bounce_file, read_bounces
from mailer.importers.services.listmonk_subscribers import choose_list, read_subscribers
from mailer.importers.services.listmonk_table import is_subscriber_table, read_tables
from mailer.importers.source_files import SourceFile

PLACES = ("data.results.item", "results.item", "data.item", "item", "")
_SUBSCRIBER_KEYS = {"uuid", "email", "attribs", "status", "lists"}


def _is_subscriber_file(file: SourceFile) -> bool:
    keys = find_json_keys(file, PLACES)
    return keys is not None and keys >= _SUBSCRIBER_KEYS


def _find_files(files: Sequence[SourceFile]) -> tuple[SourceFile, ...]:
    tables = [one for one in files if is_subscriber_table(one)]
    subscribers = [one for one in files if _is_subscriber_file(one)]
    if not tables and not subscribers:
        return ()
    return (*subscribers, *tables, *(one for one in files if is_bounce_file(one)))


def _read(files: Sequence[SourceFile], options: ReadOptions) -> ExportRows:
    subscribers = [one for one in files if _is_subscriber_file(one)]
    tables = [one for one in files if is_subscriber_table(one)]
    bounces = [one for one in files if is_bounce_file(one)]
    rows: list[Iterator[tuple[int, PersonRow | BadRow | LeftBehind]]] = []
    guessed: list[str] = []
    if subscribers:
        chosen = choose_list(subscribers, PLACES, options)
        guessed += chosen.guessed
        rows += [read_subscribers(one, PLACES, chosen, options) for one in subscribers]
    if tables:
        found = read_tables(tables, options, beside_api=bool(subscribers))
        rows.append(found.rows)
        guessed += found.guessed
    rows += [read_bounces(one) for one in bounces]
    return ExportRows(rows=chain.from_iterable(rows), guessed=tuple(guessed))


FORMAT = ExportFormat(name="listmonk", title="listmonk's subscribers", find_files=_find_files, read=_read)
