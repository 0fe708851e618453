"""The header section of a mail: its fields in order, each as often as it occurs."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass

from mailer.mail.message.text_decoding import decode_text

MAX_HEADER_OCTETS = 64 * 1024
"""Octets of a header section that are read; people's mails have a tenth of that."""

_EMPTY_LINE = re.compile(rb"(?:\A|\r?\n)\r?\n")
_FOLD = re.compile(rb"\r?\n[ \t]+")
_FIELD = re.compile(rb"([!-9;-~]{1,100})[ \t]*:(.*)", re.DOTALL)


@dataclass(frozen=True, kw_only=True, slots=True)
class HeaderSection:
    """Everything before the first empty line of a mail (RFC 5322 section 2.1)."""

    octets: bytes
    """At most MAX_HEADER_OCTETS, without the line end of the last field if an empty line follows."""
    is_complete: bool
    """Whether the header section is no longer than that."""
    body_start: int
    """Offset of the body in the mail; the mail's length if it has none."""
    fields: tuple[tuple[str, str], ...]
    """Lower-case name and value of each field, unfolded, encoded words not decoded, in order."""

    def values(self, name: str) -> list[str]:
        """The values of the fields of this lower-case name, from the top."""
        return [value for field, value in self.fields if field == name]

    @property
    def digest(self) -> str:
        """SHA-256 of the octets in hex: identifies the mail in a record without revealing anything of it."""
        return hashlib.sha256(self.octets).hexdigest()


def parse_header_section(mail: bytes) -> HeaderSection:
    """The header section of a mail or a MIME part whose lines end in CRLF or LF; never fails."""
    end = _EMPTY_LINE.search(mail)
    is_short = end is not None and end.end() <= MAX_HEADER_OCTETS
    octets = mail[: end.start()] if end is not None and is_short else mail[:MAX_HEADER_OCTETS]
    return HeaderSection(
        octets=octets,
        is_complete=is_short or len(mail) <= MAX_HEADER_OCTETS,
        body_start=end.end() if end else len(mail),
        fields=tuple(_parse_fields(octets)),
    )


def _parse_fields(octets: bytes) -> list[tuple[str, str]]:
    found = (_FIELD.fullmatch(line) for line in _FOLD.sub(b" ", octets).split(b"\n"))
    return [(field[1].decode("ascii").lower(), decode_text(field[2].strip(), None)) for field in found if field]
