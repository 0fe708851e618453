"""What readers of discussion lists share: addresses, names, choices and roles of members as rows."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from email.errors import HeaderParseError
from email.header import decode_header, make_header

from mailer.domain.address import Address, parse_address
from mailer.domain.suppression import SuppressionReason
from mailer.errors import AddressRefused, TableRefused
from mailer.importers.bad_row import BadRow, LeftBehind
from mailer.importers.person_row import PersonRow, SuppressionEntry

MAX_NAME = 500
BY_OWNER = {"by": "owner"}
"""Evidence of a choice that an organiser made."""
ReadRow = tuple[int, PersonRow | BadRow | LeftBehind]

_BREAKS = re.compile(r"\s*[\x00-\x1f\x7f-\x9f\u2028\u2029]+\s*")
_SURROGATE = re.compile(r"[\ud800-\udfff]")
_EPOCHS = range(86400, 7_258_118_400)
"""From the second day of 1970 to the year 2200: outside are stand-ins for no time."""


def read_address(text: str) -> Address:
    """The address of a member. Raises TableRefused."""
    try:
        return parse_address(text)
    except AddressRefused as refusal:
        raise TableRefused(str(refusal)) from None


def clean_name(text: str | None) -> str | None:
    """A name on one line, encoded words (RFC 2047) decoded; None where nothing is left."""
    if not text:
        return None
    if "=?" in text:
        text = _decode_words(text)
    name = _SURROGATE.sub("\ufffd", _BREAKS.sub(" ", text)).strip()
    return name[:MAX_NAME] or None


def _decode_words(text: str) -> str:
    try:
        return str(make_header(decode_header(text)))
    except (HeaderParseError, LookupError, ValueError):
        return text


def read_epoch(seconds: object) -> datetime | None:
    """A time from seconds of the epoch, as a number or a text; None for anything else and for 0."""
    try:
        number = int(float(seconds))  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        return None
    return datetime.fromtimestamp(number, UTC) if number in _EPOCHS else None


def suppress(
    reason: SuppressionReason,
    *,
    since: datetime | None = None,
    until: datetime | None = None,
    everywhere: bool = False,
) -> tuple[SuppressionEntry, ...]:
    """The suppressions of a row, one."""
    return (SuppressionEntry(reason=reason, everywhere=everywhere, since=since, until=until),)


def merge_people(rows: Iterable[ReadRow]) -> Iterator[ReadRow]:
    """The rows with those of one person merged, the stricter kept; what is no person comes last."""
    people: dict[str, tuple[int, PersonRow]] = {}
    others: list[ReadRow] = []
    for line, row in rows:
        if not isinstance(row, PersonRow):
            others.append((line, row))
        elif earlier := people.get(row.address.key):
            people[row.address.key] = (earlier[0], _merge(row, earlier[1]))
        else:
            people[row.address.key] = (line, row)
    yield from people.values()
    yield from others


def _merge(later: PersonRow, earlier: PersonRow) -> PersonRow:
    """How somebody gets letters is said by rows of readers only."""
    merged = later.merge_over(earlier)
    modes = [one.delivery_mode for one in (earlier, later) if one.state is not None]
    return replace(merged, delivery_mode=modes[0]) if len(modes) == 1 else merged
