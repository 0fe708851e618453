"""Who a mail says wrote it, where it says so plainly: one From field with one address in it."""

from __future__ import annotations

import re

from mailer.domain.address import Address, parse_address
from mailer.errors import AddressRefused
from mailer.mail.message.header_section import HeaderSection

_MAX_OCTETS = 1000
_COMMENT = r"(?:\s*\([^()<>@,]*\))?\s*"
_SINGLE_MAILBOX = re.compile(
    rf'(?:(?:"(?:[^"\\]|\\.)*"|[^"<>,;:])*<\s*(?P<named>[^<>\s]+)\s*>|\s*(?P<bare>[^\s<>(),:;"]+@[^\s<>(),:;"]+)){_COMMENT}'
)


def find_sole_author(section: HeaderSection) -> Address | None:
    """The address in From; None where there are several fields, several addresses, a group or anything odd.

    Mail programs disagree about what they show of odd ones, and it may be another address than the one checked.
    """
    values = section.values("from")
    if len(values) != 1 or len(values[0].encode()) > _MAX_OCTETS:
        return None
    found = _SINGLE_MAILBOX.fullmatch(values[0])
    if found is None:
        return None
    try:
        return parse_address(found["named"] or found["bare"])
    except AddressRefused:
        return None
