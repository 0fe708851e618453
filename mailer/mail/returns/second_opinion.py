"""Whom a notice is about in the opinion of flufl.bounce, which knows many old mail systems: where we find nobody."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from email.message import Message

_KEPT = ("from", "subject", "x-mailer", "x-failed-recipients", "to")
_STUMBLES = (LookupError, ValueError, TypeError, AttributeError)
"""It was written for sound mails: some of its detectors fail where a field they look at is missing or odd."""
_PRINTABLE = range(32, 127)


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
            mail[name] = "".join(character for character in value if ord(character) in _PRINTABLE)
    mail["Content-Type"] = "text/plain; charset=us-ascii"
    mail.set_payload(text.encode("ascii", "replace").decode("ascii"))
    try:
        found = all_failures(mail)[1]
    except _STUMBLES:
        return []
    return sorted(address.decode("ascii", "replace") for address in found if b"@" in address)
