"""Whom a notice is about in the opinion of flufl.bounce, which knows many old mail systems: where we find nobody."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from email.message import Message

_KEPT_FIELDS = ("from", "subject", "x-mailer", "x-failed-recipients", "to")
_FLUFL_ERRORS = (LookupError, ValueError, TypeError, AttributeError, RecursionError)
"""It was written for sound mails: some of its detectors fail where a field they look at is missing or odd."""
_PRINTABLE = frozenset(map(chr, range(32, 127))) - frozenset("()")
_MAX_FIELD_LENGTH = 320
_MAX_LINES, _MAX_LINE_LENGTH = 200, 200
"""Some of its patterns take time with the square of a line's length."""


def find_flufl_failures(fields: Mapping[str, str], text: str) -> list[str]:
    """Addresses in a notice's text that are thought to have failed for good, perhaps none.

    It is shown a mail made for it of this text alone: the standard library's parser has no bounds.
    """
    # It costs 20 ms to load, and most mails need none.
    from flufl.bounce import all_failures

    # It logs what it stumbles over as an error; there is nothing to be done about that.
    logging.getLogger("flufl.bounce").setLevel(logging.CRITICAL)
    mail = Message()
    for name in _KEPT_FIELDS:
        if value := fields.get(name):
            mail[name] = "".join(character for character in value[:_MAX_FIELD_LENGTH] if character in _PRINTABLE)
    mail["Content-Type"] = "text/plain; charset=us-ascii"
    lines = (line[:_MAX_LINE_LENGTH] for line in text.split("\n")[:_MAX_LINES])
    mail.set_payload("\n".join(lines).encode("ascii", "replace").decode("ascii"))
    try:
        found = all_failures(mail)[1]
    except _FLUFL_ERRORS:
        return []
    return sorted(address.decode("ascii", "replace") for address in found if b"@" in address)
