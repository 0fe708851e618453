"""To whom a mail says it is: the whole addresses in To and Cc."""

from __future__ import annotations

from email.errors import HeaderParseError, ObsoleteHeaderDefect
from email.policy import default

from mailer.mail.message.header_section import HeaderSection

_MAX_CHARACTERS = 3000
"""The parser takes half a second for 8000 characters of somebody who means harm."""
_PARSER_ERRORS = (HeaderParseError, ValueError, IndexError, AttributeError, TypeError, RecursionError)
"""It was written for sound fields."""


def parse_header_recipients(section: HeaderSection) -> frozenset[str]:
    """Every address in To and Cc (RFC 5322 section 3.4), groups included, in lower case; never fails.

    What looks like an address in a display name, a comment, a quoted local part or an encoded word is none. A field in
    which anything is odd names nobody: mail programs disagree about what they read there. Does not see duplicates.
    """
    fields = [*section.values("to"), *section.values("cc")]
    return frozenset(address for value in fields for address in _parse_addresses(value))


def _parse_addresses(value: str) -> list[str]:
    if len(value) > _MAX_CHARACTERS:
        return []
    try:
        parsed = default.header_factory("to", value)
        if not all(isinstance(defect, ObsoleteHeaderDefect) for defect in parsed.defects):
            return []
        return [address.addr_spec.lower() for address in parsed.addresses]
    except _PARSER_ERRORS:
        return []
