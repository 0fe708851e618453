"""The header section of a mail that came in: its fields in order, each as often as it stands there."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass

from mailer.mail.message.mime_parser import parse_header_fields

MAX_HEADER_OCTETS = 64 * 1024
"""Of a header section that are looked at; mails of people have a tenth of that."""

_END = re.compile(rb"(?:\A|\r?\n)\r?\n")


@dataclass(frozen=True, kw_only=True, slots=True)
class HeaderSection:
    """All that stands before the first empty line (RFC 5322 section 2.1)."""

    octets: bytes
    """At most MOST_OCTETS, without the line end of the last field where an empty line follows."""
    is_complete: bool
    """Whether that is all of it."""
    body_start: int
    """Where the body begins in the mail; its length where there is none."""
    fields: tuple[tuple[str, str], ...]
    """Lower-case name and value, unfolded, in order."""

    def values(self, name: str) -> list[str]:
        """The values of the fields of this (lower-case) name, from the top."""
        return [value for field, value in self.fields if field == name]


def parse_header_section(mail: bytes) -> HeaderSection:
    """The header section of a mail; never fails, whatever its octets are."""
    end = _END.search(mail, 0, MAX_HEADER_OCTETS)
    octets = mail[: end.start()] if end else mail[:MAX_HEADER_OCTETS]
    return HeaderSection(
        octets=octets,
        is_complete=end is not None or len(mail) <= MAX_HEADER_OCTETS,
        body_start=end.end() if end else len(mail),
        fields=tuple(parse_header_fields(octets)),
    )


def header_digest(mail: bytes) -> str:
    """SHA-256 in hex of a mail's header section (its first 64 KiB): names a mail in the record, tells nothing of it."""
    return hashlib.sha256(parse_header_section(mail).octets).hexdigest()
