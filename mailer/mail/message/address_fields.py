"""The addresses in From, To and Cc, read strictly: for authenticating a sender, a malformed field names nobody."""

from __future__ import annotations

import re
from email.errors import HeaderParseError, ObsoleteHeaderDefect
from email.policy import default

from mailer.domain.address import Address, parse_address
from mailer.errors import AddressRefused
from mailer.mail.message.header_section import HeaderSection

_MAX_FROM_OCTETS = 1000
_COMMENT = r"(?:\s*\([^()<>@,]*\))?\s*"
_SINGLE_MAILBOX = re.compile(
    rf'(?:(?:"(?:[^"\\]|\\.)*"|[^"<>,;:])*<\s*(?P<named>[^<>\s]+)\s*>|\s*(?P<bare>[^\s<>(),:;"]+@[^\s<>(),:;"]+)){_COMMENT}'
)
_MAX_RECIPIENTS_CHARACTERS = 3000
"""The parser takes half a second for 8000 characters that are written to be slow."""
_PARSER_ERRORS = (HeaderParseError, ValueError, IndexError, AttributeError, TypeError, RecursionError)
"""The parser raises these for malformed fields."""


def find_sole_author(section: HeaderSection) -> Address | None:
    """The address in From; None for several fields, several addresses, a group or anything malformed.

    Mail programs disagree about which address of a malformed field they show, so it need not be the one checked here.
    """
    values = section.values("from")
    if len(values) != 1 or len(values[0].encode()) > _MAX_FROM_OCTETS:
        return None
    found = _SINGLE_MAILBOX.fullmatch(values[0])
    if found is None:
        return None
    try:
        return parse_address(found["named"] or found["bare"])
    except AddressRefused:
        return None


def parse_header_recipients(section: HeaderSection) -> frozenset[str]:
    """Every address in To and Cc (RFC 5322 section 3.4), groups included, in lower case; never fails.

    Text that looks like an address in a display name, a comment, a quoted local part or an encoded word is none. A
    malformed field names nobody, since mail programs disagree about how they read it. The number of To and Cc fields is
    not checked.
    """
    fields = [*section.values("to"), *section.values("cc")]
    return frozenset(address for value in fields for address in _parse_addresses(value))


def _parse_addresses(value: str) -> list[str]:
    if len(value) > _MAX_RECIPIENTS_CHARACTERS:
        return []
    try:
        parsed = default.header_factory("to", value)
        if not all(isinstance(defect, ObsoleteHeaderDefect) for defect in parsed.defects):
            return []
        return [address.addr_spec.lower() for address in parsed.addresses]
    except _PARSER_ERRORS:
        return []
