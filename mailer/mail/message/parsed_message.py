"""One mail that came in, parsed once: each view of it is made when it is first used, and kept."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from mailer.mail.message.header_section import HeaderSection, parse_header_section
from mailer.mail.message.mime_parser import Part, has_cr_line_ends, make_part, parse_mime


@dataclass(frozen=True)
class ParsedMessage:
    """The octets of a mail, and what is parsed from them. Parsing never fails, whatever the octets are."""

    raw: bytes

    @cached_property
    def header(self) -> HeaderSection:
        """All fields in order; lines that end in CR alone are not told apart here."""
        return parse_header_section(self.raw)

    @cached_property
    def root(self) -> Part:
        """The mail as a MIME part."""
        return parse_mime(self.raw) if has_cr_line_ends(self.raw) else make_part(self.header, self.raw)
