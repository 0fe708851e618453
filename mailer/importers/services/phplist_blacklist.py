"""The tables of phpList's blacklist (user_blacklist, user_blacklist_data), exported as tables from its database."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from mailer.domain.suppression import SuppressionReason
from mailer.importers.bad_row import BadRow
from mailer.importers.export_format import ReadOptions
from mailer.importers.export_times import parse_export_time
from mailer.importers.headed_table import TableCells, find_headings, open_headed_table
from mailer.importers.person_fields import keep_known, parse_rows, read_address
from mailer.importers.person_row import PersonRow, SuppressionEntry
from mailer.importers.source_files import SourceFile

_BOUNCED = re.compile(r"bounce|undeliver|unzustellbar|rebond|rebot|rimbalz|geri d[oö]n", re.IGNORECASE)
_COMPLAINED = re.compile(r"spam|abuse|complain|feedback loop|beschwer|plainte|queja|reclam", re.IGNORECASE)


def is_blacklist(file: SourceFile) -> bool:
    """Whether a file is a table of the blacklist, by its name and its columns."""
    if "blacklist" not in file.base_name.lower():
        return False
    keys = find_headings(file, ("email",))
    return keys is not None and bool({*keys} & {"added", "data"})


def read_blacklist(file: SourceFile, options: ReadOptions) -> Iterator[tuple[int, PersonRow | BadRow]]:
    """The people of the blacklist, who get nothing of any list, whether they are subscribers or not."""
    table = open_headed_table(file, ("email",), encoding=options.encoding)
    return parse_rows(table.rows, _row_parser(options), file.base_name)


def _row_parser(options: ReadOptions) -> Callable[[TableCells], PersonRow | None]:
    def parse(cells: TableCells) -> PersonRow | None:
        since = parse_export_time(cells.get("added", ""), zone=options.zone)
        words = cells.get("data", "")
        reason = SuppressionReason.LEFT
        if _COMPLAINED.search(words):
            reason = SuppressionReason.COMPLAINED
        elif _BOUNCED.search(words):
            reason = SuppressionReason.BOUNCED
        return PersonRow(
            address=read_address(cells["email"]),
            attributes={},
            state=None,
            suppressions=(SuppressionEntry(reason=reason, everywhere=True, since=since),),
            changed_at=since,
            evidence=keep_known({"reason": words, "blacklisted": cells.get("added", "")}),
        )

    return parse
