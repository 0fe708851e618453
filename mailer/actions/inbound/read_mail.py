"""Reading a mail that came in, for each of our addresses that it was sent to: feedback, or a person's request."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, replace

from mailer.actions.inbound.authenticate_mail import authenticate_mail
from mailer.actions.inbound.inbound_request import InboundRequest
from mailer.app import App
from mailer.domain.bounce import FeedbackKind
from mailer.domain.command_address import Command, CommandAddress, parse_local_part
from mailer.domain.sender_authentication import UNAUTHENTICATED, SenderAuthentication
from mailer.mail.bounces.match_delivery import FEEDBACK_COMMANDS, FeedbackMatch, match_feedback
from mailer.mail.inbound.parse_mail import InboundMail, parse_inbound_mail
from mailer.mail.message.auto_generated import find_automatic_mark
from mailer.mail.message.parsed_message import ParsedMessage
from mailer.mail.message.received import trace_received
from mailer.store.incoming_mails import StoredMessage
from mailer.store.spool import read_message

_WITHOUT_AUTHOR = FEEDBACK_COMMANDS | {Command.OWNER}
"""Addresses at which it does not matter who wrote: bounces, complaints, and what is only forwarded."""


@dataclass(frozen=True, kw_only=True, slots=True)
class InboundFeedback:
    """One mail to one of our addresses for bounces and complaints."""

    stored: StoredMessage
    message: ParsedMessage
    recipient: str
    address: CommandAddress
    """The recipient, parsed."""
    match: FeedbackMatch

    @property
    def is_automatic(self) -> bool:
        """Whether a program certainly sent it."""
        return find_automatic_mark(self.message.root, self.stored.message.sender) is not None


@dataclass(frozen=True, kw_only=True, slots=True)
class ReadMail:
    """The octets of a mail, and what it is to each recipient, in their order."""

    raw: bytes
    contents: tuple[InboundRequest | InboundFeedback, ...]


async def read_mail(app: App, stored: StoredMessage) -> ReadMail:
    """Parse a mail once, and authenticate its sender if what it asks for can depend on that."""
    message = ParsedMessage(await read_message(app.intake.spool, stored.message))
    addresses = {recipient: parse_local_part(recipient.rpartition("@")[0]) for recipient in stored.message.recipients}
    feedback = {name: address for name, address in addresses.items() if address.command in FEEDBACK_COMMANDS}
    requests = {name: address for name, address in addresses.items() if name not in feedback}
    contents: dict[str, InboundRequest | InboundFeedback] = {}
    for name, address in feedback.items():
        contents[name] = await asyncio.to_thread(_match, app, stored, message, name, address)
    if requests:
        contents |= await _read_requests(app, stored, message, requests)
    return ReadMail(raw=message.raw, contents=tuple(contents[name] for name in addresses))


async def read_as_request(app: App, feedback: InboundFeedback) -> InboundRequest:
    """The mail of `feedback` read as a person's, with an unauthenticated sender."""
    requests = {feedback.recipient: feedback.address}
    return (await _read_requests(app, feedback.stored, feedback.message, requests))[feedback.recipient]


def _match(
    app: App, stored: StoredMessage, message: ParsedMessage, recipient: str, address: CommandAddress
) -> InboundFeedback:
    match = match_feedback(message.raw, app.site, address, app.clock()) or FeedbackMatch(FeedbackKind.NONE)
    return InboundFeedback(stored=stored, message=message, recipient=recipient, address=address, match=match)


async def _read_requests(
    app: App, stored: StoredMessage, message: ParsedMessage, addresses: dict[str, CommandAddress]
) -> dict[str, InboundRequest]:
    mail, source = await asyncio.to_thread(_parse, app, stored, message)
    authentications: Mapping[str, SenderAuthentication] = {}
    if mail.automatic_mark is None and not {address.command for address in addresses.values()} <= _WITHOUT_AUTHOR:
        authentications = await authenticate_mail(app, stored, message)
    return {
        name: InboundRequest(
            mail_id=stored.id,
            message=message,
            mail=mail,
            recipient=name,
            address=address,
            envelope_sender=stored.message.sender,
            source=source,
            authentication=authentications.get(name, UNAUTHENTICATED),
            record_client=app.hearing.keep_client_address,
        )
        for name, address in addresses.items()
    }


def _parse(app: App, stored: StoredMessage, message: ParsedMessage) -> tuple[InboundMail, str | None]:
    """What the mail says, and the IP address that it came from."""
    mail = parse_inbound_mail(message, stored.message.sender)
    mail = replace(mail, header_recipients=app.add_own_addresses(mail.header_recipients))
    return mail, trace_received(message.header, stored.message, app.intake.mail_servers).source.address
