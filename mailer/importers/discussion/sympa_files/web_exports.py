"""Read the lists of members that Sympa's web pages give: an address a line, a name, and bounces where asked for."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from mailer.importers.discussion.sympa_files.paragraphs import SympaRecord

_HEADING = re.compile(r"#\s*email\t", re.IGNORECASE)
_KEYS = {
    "email": "email",
    "name": "gecos",
    "bounce score": "bounce_score",
    "bounce count": "count",
    "first bounce": "first",
    "last bounce": "last",
}
_ADDRESS_LINE = re.compile(r"[^\s@<>]+@[^\s@<>]+(?:\t[^\t]*)?")


def is_web_export(head: str) -> bool:
    """Whether the first lines are such a list's: its own heading, or addresses with or without a tab and a name."""
    lines = [line for line in head.splitlines() if line.strip()]
    people = [line for line in lines if not line.startswith("#")]
    return any(_HEADING.match(line) for line in lines) or (
        bool(people) and all(_ADDRESS_LINE.fullmatch(line.strip("\ufeff\r ")) for line in people[:3])
    )


def read_web_export(lines: Iterable[str]) -> Iterator[tuple[int, SympaRecord]]:
    """The members as records of a dump."""
    keys = ["email", "gecos"]
    for number, raw in enumerate(lines, 1):
        line = raw.strip("\ufeff\r\n")
        if _HEADING.match(line):
            keys = [_KEYS.get(cell.strip().lower(), "") for cell in line.lstrip("# ").split("\t")]
        if not line.strip() or line.startswith("#"):
            continue
        record = {key: cell.strip() for key, cell in zip(keys, line.split("\t"), strict=False) if cell.strip()}
        if "last" in record:
            record["bounce"] = f"{record.get('first', '0')} {record['last']} {record.get('count', '0')}"
        yield number, record
