"""Split mbox files into mails (RFC 4155), whatever wrote them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import IO

MOST_MAIL_OCTETS = 16 << 20
"""A larger mail is passed over."""
_MOST_LINE = 1 << 16
_FROM_LINE = re.compile(rb"From \S+.*\d{4}|From (?:\S+ )?(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) ")
"""A line that begins a mail. Text that begins with "From " is one only where a date follows."""
_QUOTED_FROM = re.compile(rb"^>(>*From )", re.MULTILINE)


def is_mbox(head: bytes) -> bool:
    """Whether a file that begins so is an mbox."""
    return _FROM_LINE.match(head.lstrip(b"\r\n").partition(b"\n")[0]) is not None


def split_mbox(file: IO[bytes]) -> Iterator[bytes | None]:
    """The mails of an mbox in their order, without their From line and with quoted ones undone (mboxrd).

    None stands for a mail of more than MOST_MAIL_OCTETS.
    """
    mail: bytearray | None = None
    too_large, after_blank, at_start = False, True, True
    while line := file.readline(_MOST_LINE):
        if at_start and after_blank and _FROM_LINE.match(line):
            if mail is not None:
                yield _finish(mail, too_large)
            mail, too_large = bytearray(), False
        elif mail is not None and not too_large:
            mail += line
            too_large = len(mail) > MOST_MAIL_OCTETS
        after_blank = at_start and not line.strip(b"\r\n")
        at_start = line.endswith(b"\n")
    if mail is not None:
        yield _finish(mail, too_large)


def _finish(mail: bytearray, too_large: bool) -> bytes | None:
    return None if too_large else _QUOTED_FROM.sub(rb"\1", bytes(mail))
