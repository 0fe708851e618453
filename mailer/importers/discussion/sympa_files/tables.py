"""Read tables of Sympa's database that were saved as text with a heading: subscribers, admins, exclusions."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from mailer.errors import TableRefused
from mailer.importers.discussion.sympa_files.paragraphs import SympaRecord
from mailer.importers.table_records import read_records

_ADDRESS_COLUMN = re.compile(r'(?:^|[\t,;|])"?user_(subscriber|admin|exclusion)"?(?:$|[\t,;|\r\n])', re.IGNORECASE)
_ENDINGS = re.compile(r"_(?:epoch_)?(?:subscriber|admin|exclusion)$")
_NAMES = {"user": "email", "comment": "gecos", "suspend_start_date": "startdate", "suspend_end_date": "enddate"}
_NULLS = frozenset({"NULL", "\\N"})


def find_table_kind(heading: str) -> str | None:
    """`subscriber`, `admin` or `exclusion` for the heading of such a table, otherwise None."""
    match = _ADDRESS_COLUMN.search(heading)
    return match[1].lower() if match else None


def read_table(lines: Iterable[str]) -> Iterator[tuple[int, SympaRecord | str]]:
    """The rows with the keys of a dump, and `list` and `robot`; a text says what is wrong with a row."""
    source = iter(lines)
    heading = next(source, "")
    delimiter = max("\t,;|", key=heading.count)
    records = read_records([heading], delimiter)
    _, names = next(records, (0, []))
    if isinstance(names, str):
        raise TableRefused(names)
    keys = [_key(name) for name in names]
    for number, cells in read_records(source, delimiter):
        if isinstance(cells, str):
            yield number + 1, cells
            continue
        pairs = zip(keys, (cell.strip() for cell in cells), strict=False)
        yield number + 1, {key: cell for key, cell in pairs if cell and cell not in _NULLS}


def _key(column: str) -> str:
    name = _ENDINGS.sub("", column.strip().lower())
    return _NAMES.get(name, name)
