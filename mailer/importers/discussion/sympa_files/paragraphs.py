"""Split what `sympa dump` writes into records: paragraphs of lines `key value`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

SympaRecord = dict[str, str]
"""Values by the keys of a dump: email, gecos, date, reception ..."""

_LINE = re.compile(r"(?P<key>[a-z][a-z0-9_]*)(?: (?P<value>.*))?", re.DOTALL)
_OPEN_ATTRIBUTES = re.compile(r"<custom_attributes\b(?!.*</custom_attributes>)", re.DOTALL)


def split_paragraphs(lines: Iterable[str]) -> Iterator[tuple[int, SympaRecord]]:
    """The records with the number of their last line. A value runs to the line's end; custom attributes may go on."""
    record: SympaRecord = {}
    last = ""
    number = 0
    for number, raw in enumerate(lines, 1):
        line = raw.rstrip("\r\n")
        match = _LINE.fullmatch(line)
        if last and _OPEN_ATTRIBUTES.search(record[last]):
            record[last] += f"\n{line}"
        elif match:
            last = match["key"]
            record[last] = match["value"] or ""
        elif not line.strip() and record:
            yield number - 1, record
            record, last = {}, ""
    if record:
        yield number, record
