"""Acting on the mails that came in, in their order: each is read, its sender authenticated, its commands run."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

import structlog

from mailer.actions.inbound.change_language import change_language
from mailer.actions.inbound.confirm_by_mail import confirm_by_token
from mailer.actions.inbound.forward_to_owner import forward_to_owner
from mailer.actions.inbound.identify_by_token import identify_by_token
from mailer.actions.inbound.inbound_request import InboundRequest
from mailer.actions.inbound.read_mail import InboundFeedback, ReadMail, read_as_request, read_mail
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
from mailer.domain.command_address import Command
from mailer.errors import DatabaseUnavailable, NotFound, NothingPending, TokenRefused
from mailer.mail.inbound.command_parser import ParsedCommand, parse_commands
from mailer.mail.inbound.command_words import CommandName
from mailer.mail.inbound.yes_no_reply import Answer
from mailer.store import incoming_mails
from mailer.store.incoming_mails import IncomingState, StoredMessage
from mailer.store.spool import delete_message_file

_log = structlog.get_logger()

BATCH_SIZE = 20
"""Mails whose senders are authenticated at the same time: DNS answers take a while."""


async def process_incoming_mails(app: App, limit: int = BATCH_SIZE) -> bool:
    """Act on up to `limit` of the oldest waiting mails; True if there were any and all went well.

    1. Count a try of each, so that a mail whose processing fails again and again is parked in the end.
    2. Read and authenticate all of them at the same time.
    3. Act on each in turn. A failure is logged and does not keep the mails behind it waiting.

    Acting on a mail again after a crash changes nothing more. Raises DatabaseUnavailable.
    """
    if not await app.database.read(incoming_mails.any_waiting):
        return False
    taken = await app.database.write(incoming_mails.take_waiting, limit, app.interrupted_mails)
    app.interrupted_mails.clear()
    app.interrupted_mails.update(stored.id for stored in taken)
    results = await asyncio.gather(*(read_mail(app, stored) for stored in taken), return_exceptions=True)
    all_well = bool(taken)
    for stored, result in zip(taken, results, strict=True):
        try:
            if isinstance(result, BaseException):
                raise result
            state = await _process_mail(app, stored, result)
            await app.database.write(incoming_mails.finish, stored.id, state, result.raw, app.clock())
            await delete_message_file(app.intake.spool, stored.message)
        except DatabaseUnavailable:
            raise
        except Exception:  # of any kind: it must not keep the mails behind it waiting
            _log.exception("failed to process mail", mail=stored.id)
            all_well = False
        app.interrupted_mails.discard(stored.id)
    return all_well


async def _process_mail(app: App, stored: StoredMessage, read: ReadMail) -> IncomingState:
    """Act on a mail or form for each of its recipients; the new state of its row."""
    if stored.message.form:
        with suppress(NotFound):  # the list has been deleted since
            await subscribe_by_form(app, stored.message)
        return IncomingState.DONE
    states = []
    for content in read.contents:
        if isinstance(content, InboundFeedback):
            states.append(await _process_feedback(app, content))
        else:
            states.append(await _process_request(app, content))
    return _final_state(states)


def _final_state(states: list[IncomingState]) -> IncomingState:
    return max(states, key=list(IncomingState).index, default=IncomingState.DONE)


async def _process_feedback(app: App, feedback: InboundFeedback) -> IncomingState:
    """Record a bounce or a complaint; forward any other mail to a role address, and what a person should read.

    Auto-replies and receipts to a return path change nothing. A mail that is not understood is kept for a while.
    """
    match = feedback.match
    recorded = match.feedback is not None and await record_feedback(app, [match.feedback]) > 0
    _log.info("accepted feedback", mail=feedback.stored.id, kind=match.kind, recorded=recorded)
    if not recorded and (feedback.address.command is Command.ROLE or match.needs_human):
        return await forward_to_owner(app, await read_as_request(app, feedback))
    is_auto_reply = match.kind is FeedbackKind.AUTO_REPLY and feedback.is_automatic
    understood = is_auto_reply or match.kind in {FeedbackKind.BOUNCE, FeedbackKind.DELAY, FeedbackKind.RECEIPT}
    return IncomingState.DONE if recorded or understood else IncomingState.KEPT


async def _process_request(app: App, request: InboundRequest) -> IncomingState:
    """Act on a mail as its address says, forward it to the owner, or keep it for people to look at."""
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
