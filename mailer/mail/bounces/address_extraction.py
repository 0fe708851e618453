"""Finding mail addresses in what mail systems write, which is freer than in what people are asked to type."""

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
"""Some write `SMTP=rosa@example.org`."""
_DAEMONS = re.compile(
    r"(?:mailer[-_.]?daemon|postmaster|mail[-_.]?delivery|mdaemon|mail[-_.]?admin|abuse|no[-_.]?reply|do[-_.]?not[-_.]?reply|root)\b",
    re.IGNORECASE,
)


def find_addresses(line: str, most: int = _MAX_PER_LINE) -> Iterator[tuple[int, int, str]]:
    """Where the first `most` addresses begin and end in a line, and each of them; the line is to be bounded."""
    if "@" not in line:
        return
    for found in islice(_ADDRESS.finditer(line), most):
        local = found[1][label.end() :] if (label := _ADDRESS_LABEL.match(found[1])) else found[1]
        local, domain = local.lstrip("'`").strip('"'), found[2].rstrip(_EDGES)
        if local and domain and not domain.replace(".", "").isdigit():
            yield found.start(), found.end() - len(found[2]) + len(domain), f"{local}@{domain}"


def find_last_address(line: str) -> str | None:
    """The last address in a field: what stands before it may be a route (RFC 5321 appendix C)."""
    found = [address for _, _, address in find_addresses(line[:1000])]
    return found[-1] if found else None


def is_own_address(address: str, own: Collection[str]) -> bool:
    """Whether it is one of `own`: addresses, or domains whose addresses are all ours; in lower case."""
    lowered = address.lower()
    return lowered in own or lowered.rpartition("@")[2] in own


def is_daemon_address(address: str) -> bool:
    """Whether it is a mail system's own."""
    return _DAEMONS.match(address) is not None
