"""Whom a notice is about in the opinion of flufl.bounce, which knows many old mail systems: where we find nobody."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from email.message import Message

_KEPT = ("from", "subject", "x-mailer", "x-failed-recipients", "to")
_STUMBLES = (LookupError, ValueError, TypeError, AttributeError, RecursionError)
"""It was written for sound mails: some of its detectors fail where a field they look at is missing or odd."""
_PRINTABLE = frozenset(map(chr, range(32, 127))) - frozenset("()")
_LONGEST = 320
_MOST_LINES, _LONGEST_LINE = 200, 200
"""Some of its patterns take time with the square of a line's length."""


def second_opinion(fields: Mapping[str, str], text: str) -> list[str]:
    """Addresses in a notice's text that are thought to have failed for good, perhaps none.

    It is shown a mail made for it of this text alone: the standard library's parser has no bounds.
    """
    # It costs 20 ms to load, and most mails need none.
    from flufl.bounce import all_failures

    # It logs what it stumbles over as an error; there is nothing to be done about that.
    logging.getLogger("flufl.bounce").setLevel(logging.CRITICAL)
    mail = Message()
    for name in _KEPT:
        if value := fields.get(name):
            mail[name] = "".join(character for character in value[:_LONGEST] if character in _PRINTABLE)
    mail["Content-Type"] = "text/plain; charset=us-ascii"
    lines = (line[:_LONGEST_LINE] for line in text.split("\n")[:_MOST_LINES])
    mail.set_payload("\n".join(lines).encode("ascii", "replace").decode("ascii"))
    try:
        found = all_failures(mail)[1]
    except _STUMBLES:
        return []
    return sorted(address.decode("ascii", "replace") for address in found if b"@" in address)
