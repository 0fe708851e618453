"""Failed recipients that the library flufl.bounce finds in a notice: it knows many old mail systems."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from email.message import Message

_KEPT_FIELDS = ("from", "subject", "x-mailer", "x-failed-recipients", "to")
_FLUFL_ERRORS = (LookupError, ValueError, TypeError, AttributeError, RecursionError)
"""What its detectors raise where a field that they read is missing or malformed."""
_PRINTABLE = frozenset(map(chr, range(32, 127))) - frozenset("()")
_MAX_FIELD_LENGTH = 320
_MAX_LINES, _MAX_LINE_LENGTH = 200, 200
"""Some of its patterns take quadratic time in a line's length."""


def find_flufl_failures(fields: Mapping[str, str], text: str) -> list[str]:
    """Addresses in a notice's text that failed permanently; empty where none is found.

    The library gets a new mail of a few `fields` and the text, since the standard library's parser has no bounds.
    """
    # Importing it takes 20 ms, and few mails need it.
    from flufl.bounce import all_failures

    # It logs its own failures on malformed mails as errors; no administrator can act on them.
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
