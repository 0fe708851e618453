"""Finding mail addresses in the text and fields of bounces, in the many forms that mail systems write them."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from itertools import islice

_ADDRESS = re.compile(
    r"(?<![\w.!#$%&'*+/=?^`{|}~-])(\"[^\"\s@]{1,64}\"|[\w.!#$%&'*+/=?^`{|}~-]{1,80})@([\w-][\w.-]{0,252})", re.UNICODE
)
_MAX_PER_LINE = 10
_EDGES = ".-_"
_ADDRESS_LABEL = re.compile(r"(?:smtp|rcpt|addr|to|t)=", re.IGNORECASE)
"""Some mail systems write `SMTP=rosa@example.org`."""
_DAEMONS = re.compile(
    r"(?:mailer[-_.]?daemon|postmaster|mail[-_.]?delivery|mdaemon|mail[-_.]?admin|abuse|no[-_.]?reply|do[-_.]?not[-_.]?reply|root)\b",
    re.IGNORECASE,
)


def find_addresses(line: str, most: int = _MAX_PER_LINE) -> Iterator[tuple[int, int, str]]:
    """Start, end and address of the first `most` addresses in a line; the caller bounds the line's length."""
    if "@" not in line:
        return
    for found in islice(_ADDRESS.finditer(line), most):
        local = found[1][label.end() :] if (label := _ADDRESS_LABEL.match(found[1])) else found[1]
        local, domain = local.lstrip("'`").strip('"'), found[2].rstrip(_EDGES)
        if local and domain and not domain.replace(".", "").isdigit():
            yield found.start(), found.end() - len(found[2]) + len(domain), f"{local}@{domain}"


def find_last_address(line: str) -> str | None:
    """The last address in a field, since a source route may stand before it (RFC 5321 appendix C), or None."""
    found = [address for _, _, address in find_addresses(line[:1000])]
    return found[-1] if found else None


def is_own_address(address: str, own: Collection[str]) -> bool:
    """Whether an address is one of `own`: our addresses, and domains all of whose addresses are ours, in lower case."""
    lowered = address.lower()
    return lowered in own or lowered.rpartition("@")[2] in own


def is_daemon_address(address: str) -> bool:
    """Whether an address is a mail system's own, such as mailer-daemon@."""
    return _DAEMONS.match(address) is not None
