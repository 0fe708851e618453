"""Whom a notice is about in the opinion of flufl.bounce, which knows many old mail systems: where we find nobody."""

from __future__ import annotations

from collections.abc import Mapping
from email.message import Message

_KEPT = ("from", "subject", "x-mailer", "x-failed-recipients", "to")
_PRINTABLE = range(32, 127)


def second_opinion(fields: Mapping[str, str], text: str) -> list[str]:
    """Addresses in a notice's text that are thought to have failed for good, perhaps none.

    It is shown a mail made for it of this text alone: the standard library's parser has no bounds.
    """
    # It costs 20 ms to load, and most mails need none.
    from flufl.bounce import all_failures

    mail = Message()
    for name in _KEPT:
        if value := fields.get(name):
            mail[name] = "".join(character for character in value if ord(character) in _PRINTABLE)
    mail["Content-Type"] = "text/plain; charset=us-ascii"
    mail.set_payload(text.encode("ascii", "replace").decode("ascii"))
    found = all_failures(mail)[1]
    return sorted(address.decode("ascii", "replace") for address in found if b"@" in address)
