"""What came in is read, its sender looked up, and acted on: mail by mail, in the order it came."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress

import structlog

from mailer.actions.inbound.authenticate_mail import authenticate_mail
from mailer.actions.inbound.change_language import change_language
from mailer.actions.inbound.confirm_by_mail import confirm_by_token
from mailer.actions.inbound.forward_to_owner import forward_to_owner
from mailer.actions.inbound.identify_by_token import identify_by_token
from mailer.actions.inbound.inbound_request import InboundRequest
from mailer.actions.inbound.record_bounce import record_feedback
from mailer.actions.inbound.request_subscribe import request_subscribe
from mailer.actions.inbound.request_unsubscribe import request_unsubscribe
from mailer.actions.inbound.send_help import send_help
from mailer.actions.inbound.send_subscriptions import send_subscriptions
from mailer.actions.inbound.unsubscribe_by_mail import UnsubscribeByMailResult, unsubscribe_by_token
from mailer.actions.subscriptions.check_token import check_token
from mailer.actions.subscriptions.subscribe import subscribe_by_form
from mailer.app import App
from mailer.domain.bounce import FeedbackKind
from mailer.domain.command_address import Command, parse_local_part
from mailer.domain.incoming_message import IncomingMessage
from mailer.domain.sender_authentication import UNAUTHENTICATED
from mailer.errors import DatabaseUnavailable, NotFound, NothingPending, TokenRefused
from mailer.mail.bounces.match_delivery import FEEDBACK_COMMANDS, FeedbackMatch, match_feedback
from mailer.mail.inbound.command_parser import ParsedCommand, parse_commands
from mailer.mail.inbound.command_words import CommandName
from mailer.mail.inbound.parse_mail import InboundMail, parse_inbound_mail
from mailer.mail.inbound.yes_no_reply import Answer
from mailer.mail.message.header_section import header_digest
from mailer.mail.message.received import find_sending_host
from mailer.store import incoming_mails
from mailer.store.incoming_mails import IncomingState, StoredMessage
from mailer.store.spool import delete_message_file, read_message

_log = structlog.get_logger()

BATCH_SIZE = 20
"""Mails whose senders are looked up together: the DNS takes its time."""


async def process_incoming_mails(app: App, limit: int = BATCH_SIZE) -> bool:
    """Act on up to `most` of the oldest mails that wait; whether there were any, and all went well.

    Each one's try is counted before it is touched, so that a mail which breaks us is parked in the end; the others
    do not wait for it. Acting twice on one mail (after a crash) changes nothing twice.
    """
    if not await app.database.read(incoming_mails.any_waiting):
        return False
    taken = await app.database.write(incoming_mails.take_waiting, limit, app.interrupted_mails)
    app.interrupted_mails.clear()
    app.interrupted_mails.update(mail.id for mail in taken)
    looked_at = await asyncio.gather(*(_build_requests(app, mail) for mail in taken), return_exceptions=True)
    well = bool(taken)
    for mail, found in zip(taken, looked_at, strict=True):
        try:
            if isinstance(found, BaseException):
                raise found
            raw, askings = found
            end = await _process_mail(app, mail, askings)
            await app.database.write(incoming_mails.finish, mail.id, end, raw, app.clock())
            await delete_message_file(app.intake.spool, mail.message)
        except DatabaseUnavailable:
            raise
        except Exception:  # of whatever sort: it must not keep the mails behind it waiting
            _log.exception("a mail broke us", incoming=mail.id)
            well = False
        app.interrupted_mails.discard(mail.id)
    return well


async def _build_requests(app: App, mail: StoredMessage) -> tuple[bytes, list[InboundRequest]]:
    """Its octets, and what it asks of each of our addresses it was sent to."""
    raw = await read_message(app.intake.spool, mail.message)
    heard, source, digest = await asyncio.to_thread(_parse, raw, mail.message, app.intake.mail_servers)
    addresses = {recipient: parse_local_part(recipient.rpartition("@")[0]) for recipient in mail.message.recipients}
    matters = any(_needs_authentication(heard, to.command) for to in addresses.values())
    proofs = await authenticate_mail(app, mail, raw) if matters else {}
    return raw, [
        InboundRequest(
            mail_id=mail.id,
            mail=heard,
            recipient=recipient,
            address=to,
            octets=raw,
            envelope_sender=mail.message.sender,
            source=source,
            authentication=proofs.get(recipient, UNAUTHENTICATED),
            header_digest=digest,
            record_client=app.hearing.keep_client_address,
            feedback=await asyncio.to_thread(match_feedback, raw, app.site, to, app.clock()),
        )
        for recipient, to in addresses.items()
    ]


def _parse(raw: bytes, message: IncomingMessage, servers: Sequence[str]) -> tuple[InboundMail, str | None, str]:
    """What the mail says, the address it came from, and the digest of its header."""
    return parse_inbound_mail(raw, message.sender), find_sending_host(raw, message, servers).address, header_digest(raw)


def _needs_authentication(mail: InboundMail, command: Command) -> bool:
    return mail.automatic_mark is None and command is not Command.OWNER and command not in FEEDBACK_COMMANDS


async def _process_mail(app: App, mail: StoredMessage, askings: list[InboundRequest]) -> IncomingState:
    """Do what it asks; what is to become of its row."""
    if mail.message.form:
        with suppress(NotFound):  # the list is gone since
            await subscribe_by_form(app, mail.message)
        return IncomingState.DONE
    return _final_state([await _process_request(app, asking) for asking in askings])


def _final_state(ends: list[IncomingState]) -> IncomingState:
    return max(ends, key=list(IncomingState).index, default=IncomingState.DONE)


async def _process_request(app: App, request: InboundRequest) -> IncomingState:
    """Act on it, carry it to people, or keep it for them: what it is marked with never has it thrown away."""
    if request.feedback is not None:
        return await _process_feedback(app, request, request.feedback)
    try:
        if not request.may_act:
            _log.info(
                "a program's mail", incoming=request.mail_id, command=request.address.command, why=request.mail.any_mark
            )
            return IncomingState.KEPT
        await check_token(app, request.address)
        return await _HANDLERS[request.address.command](app, request)
    except (NotFound, TokenRefused) as refusal:
        # The door asked before it took the mail: what it asked for is gone since.
        _log.info("mail in vain", incoming=request.mail_id, why=str(refusal))
        return IncomingState.KEPT


async def _process_feedback(app: App, request: InboundRequest, feedback: FeedbackMatch) -> IncomingState:
    """Act on a bounce or a complaint; what else comes to a role address is for people.

    To a return path vacations come, too, of which nothing follows; what we do not understand is kept for a while.
    """
    acted = feedback.feedback is not None and await record_feedback(app, [feedback.feedback]) > 0
    _log.info("came back", incoming=request.mail_id, kind=feedback.kind, acted=acted)
    if not acted and (request.address.command is Command.ROLE or feedback.needs_human):
        return await forward_to_owner(app, request)
    automatic = feedback.kind is FeedbackKind.AUTO_REPLY and request.mail.automatic_mark
    understood = automatic or feedback.kind in {FeedbackKind.BOUNCE, FeedbackKind.DELAY, FeedbackKind.RECEIPT}
    return IncomingState.DONE if acted or understood else IncomingState.KEPT


async def _request_subscribe(app: App, request: InboundRequest, language: str | None = None) -> IncomingState:
    """Who asks against an order that only an organiser lifts reaches one, where the mail is proven to be theirs."""
    if not await request_subscribe(app, request, language):
        return await forward_to_owner(app, request)
    return IncomingState.DONE


async def _unsubscribe(app: App, request: InboundRequest) -> IncomingState:
    if request.address.token is None:
        await _request_unsubscribe(app, request)
    elif await unsubscribe_by_token(app, request) is UnsubscribeByMailResult.UNCLEAR:
        return await forward_to_owner(app, request)
    return IncomingState.DONE


async def _request_unsubscribe(app: App, request: InboundRequest, language: str | None = None) -> None:
    """Who is not on the list is sent its commands instead."""
    if not await request_unsubscribe(app, request, language):
        await send_help(app, request, language)


async def _send_help(app: App, request: InboundRequest) -> IncomingState:
    await send_help(app, request)
    return IncomingState.DONE


async def _run_commands(app: App, request: InboundRequest) -> IncomingState:
    """The commands stand in the subject or the text; where we find none, help does."""
    found = parse_commands(request.mail, app.vocabulary, strict=False)
    return _final_state(
        [await _run_command(app, request, one) for one in found or (ParsedCommand(command=CommandName.HELP),)]
    )


async def _confirm_subscription(app: App, request: InboundRequest) -> IncomingState:
    """What neither agrees nor declines reaches the owner."""
    try:
        if await confirm_by_token(app, request) is Answer.NEITHER:
            return await forward_to_owner(app, request)
    except NothingPending:
        if request.may_reply:
            await send_help(app, request)
    return IncomingState.DONE


async def _run_commands_or_forward(app: App, request: InboundRequest) -> IncomingState:
    """A command where it says nothing else, otherwise for the owner; a reply is of the person our letter went to."""
    by_token = request.address.command is Command.REPLY
    person = await identify_by_token(app, request) if by_token and "@" in request.mail.reply_text else None
    found = parse_commands(request.mail, app.vocabulary, strict=True, person=person.sender if person else None)
    if not found or request.mail.automatic_mark or not (by_token or request.may_reply):
        return await forward_to_owner(app, request)
    person = person or (await identify_by_token(app, request) if by_token else request)
    return _final_state([await _run_command(app, person, one) for one in found])


async def _run_command(app: App, request: InboundRequest, parsed: ParsedCommand) -> IncomingState:
    """One command in plain words, answered in the language of the word where nothing else tells it."""
    if parsed.command is CommandName.SUBSCRIBE:
        return await _request_subscribe(app, request, parsed.language)
    if parsed.command is CommandName.UNSUBSCRIBE:
        await _request_unsubscribe(app, request, parsed.language)
    elif parsed.command is CommandName.WHICH:
        await send_subscriptions(app, request, parsed.language)
    elif not (
        parsed.command is CommandName.LANGUAGE
        and parsed.argument
        and await change_language(app, request, parsed.argument)
    ):
        await send_help(app, request, parsed.language)
    return IncomingState.DONE


_HANDLERS: dict[Command, Callable[[App, InboundRequest], Awaitable[IncomingState]]] = {
    Command.JOIN: _request_subscribe,
    Command.LEAVE: _unsubscribe,
    Command.REQUEST: _run_commands,
    Command.HELP: _send_help,
    Command.CONFIRM: _confirm_subscription,
    Command.REPLY: _run_commands_or_forward,
    Command.OWNER: forward_to_owner,
    Command.POST: _run_commands_or_forward,
}
