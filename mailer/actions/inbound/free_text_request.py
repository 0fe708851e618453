"""What a proven sender asks for in words of their own, and what a program of theirs may only have answered."""

from __future__ import annotations

from dataclasses import replace

from mailer.actions.inbound.inbound_request import InboundRequest
from mailer.mail.inbound.command_parser import parse_commands
from mailer.mail.inbound.command_words import CommandName, Vocabulary


def require_explicit_command(request: InboundRequest, command: CommandName, vocabulary: Vocabulary) -> InboundRequest:
    """The same, unproven where it answers a mail and its own words do not ask for `wish`.

    Anybody can write to a ticket system with an address of ours in From and a command in the subject: its answer comes
    to that address with the command in its subject, sent and signed by the domain it belongs to.
    """
    if not (request.authenticated and request.mail.is_reply and request.address.token is None):
        return request
    own = parse_commands(replace(request.mail, subject=""), vocabulary, strict=False)
    if any(one.command is command for one in own):
        return request
    return replace(
        request,
        authentication=request.authentication.unauthenticated(
            "it answers a mail, and does not ask for this in its own words"
        ),
    )
