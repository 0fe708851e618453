"""What a proven sender asks for in words of their own, and what a program of theirs may only have answered."""

from __future__ import annotations

from dataclasses import replace

from mailer.actions.inbound.inbound_request import Asking
from mailer.mail.inbound.command_parser import asked
from mailer.mail.inbound.command_words import Vocabulary, Wish


def unprompted(asking: Asking, wish: Wish, vocabulary: Vocabulary) -> Asking:
    """The same, unproven where it answers a mail and its own words do not ask for `wish`.

    Anybody can write to a ticket system with an address of ours in From and a command in the subject: its answer comes
    to that address with the command in its subject, sent and signed by the domain it belongs to.
    """
    if not (asking.proven and asking.heard.is_reply and asking.to.token is None):
        return asking
    own = asked(replace(asking.heard, subject=""), vocabulary, strict=False)
    if any(one.command is wish for one in own):
        return asking
    return replace(asking, proof=asking.proof.doubted("it answers a mail, and does not ask for this in its own words"))
