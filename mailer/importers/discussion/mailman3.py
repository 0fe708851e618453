"""Mailman 3's list: answers of its REST API, its database, or what `mailman members` and Postorius print."""

from __future__ import annotations

import re
from collections.abc import Sequence

from mailer.errors import TableRefused
from mailer.importers.discussion.mailman.listing_files import read_listings
from mailer.importers.discussion.mailman.listing_lines import parse_listing_line
from mailer.importers.discussion.mailman.mailman3_database import is_mailman3_database, read_database
from mailer.importers.discussion.mailman.mailman3_rest import read_rest_answers
from mailer.importers.discussion.member_sources import add_listings
from mailer.importers.export_format import ExportFormat, ExportRows, ReadOptions
from mailer.importers.member_row import ReadRow, merge_people
from mailer.importers.source_files import SourceFile

_LISTING = re.compile(r"(?:mailman3?[-_ ]?)?members(?:[-_. ].*)?\.(?:txt|lst|out)", re.IGNORECASE)
_ROLE_LISTING = re.compile(r"(?:owner|moderator|nonmember|administrator)s?\.(?:txt|lst|out)", re.IGNORECASE)
_POSTORIUS = re.compile(r"(?:.*[-_ ])?subscribers(?: ?\(\d+\))?\.csv", re.IGNORECASE)
_HEAD = 1 << 16
_NOT_MAILMAN = b'"email_address"'


def _find_files(files: Sequence[SourceFile]) -> tuple[SourceFile, ...]:
    listings = {file.name for file in files if _LISTING.fullmatch(file.plain_name) or _is_postorius(file)}
    if listings:
        listings |= {file.name for file in files if _ROLE_LISTING.fullmatch(file.plain_name)}
    return tuple(file for file in files if file.name in listings or _is_rest(file) or is_mailman3_database(file))


def _is_rest(file: SourceFile) -> bool:
    if not file.base_name.lower().endswith((".json", ".ndjson", ".jsonl")):
        return False
    head = _head(file)
    is_answer = b'"list_id"' in head and (b'"email"' in head or b'"address"' in head)
    is_answer |= b'"delivery_status"' in head or re.search(rb'"self_link": ?"[^"]*/3\.[01]/', head) is not None
    return is_answer and _NOT_MAILMAN not in head


def _is_postorius(file: SourceFile) -> bool:
    """Whether it is the file that Postorius calls Subscribers.csv: addresses alone, without a heading."""
    if not _POSTORIUS.fullmatch(file.plain_name):
        return False
    line = _head(file).split(b"\n", 1)[0].decode("utf-8", "replace").strip("\ufeff\r \t")
    try:
        return parse_listing_line(line)[1] is None
    except TableRefused:
        return False


def _head(file: SourceFile) -> bytes:
    with file.open() as octets:
        return octets.read(_HEAD)


def _read(files: Sequence[SourceFile], options: ReadOptions) -> ExportRows:
    answers = [file for file in files if _is_rest(file)]
    databases = [file for file in files if is_mailman3_database(file)]
    listings = [file for file in files if file not in answers and file not in databases]
    if len(databases) > 1:
        raise TableRefused(f"has several databases: {', '.join(file.name for file in databases)}")
    listed, guessed = read_listings(listings, options)
    if not answers and not databases:
        return ExportRows(rows=merge_people(listed), guessed=tuple(guessed))
    rows: list[ReadRow] = []
    guessed = []
    if answers:
        rows, guessed = read_rest_answers(answers, options)
    for file in databases:
        rows = [*read_database(file, options), *rows]
    place = (answers or databases)[0].base_name
    return ExportRows(rows=add_listings(merge_people(rows), listed, place), guessed=tuple(guessed))


FORMAT = ExportFormat(name="mailman3", title="Mailman 3's list", find_files=_find_files, read=_read)
