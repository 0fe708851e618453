"""Acting on a person's mail, as the address says that it was sent to."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace

import structlog

from mailer.actions.inbound.commands import run_command
from mailer.actions.inbound.confirm_by_mail import confirm_by_token
from mailer.actions.inbound.forward_to_owner import forward_to_owner
from mailer.actions.inbound.inbound_request import InboundRequest
from mailer.actions.inbound.unsubscribe_by_mail import UnsubscribeByMailResult, unsubscribe_by_token
from mailer.actions.subscriptions.check_token import check_token
from mailer.app import App
from mailer.domain.address import parse_address
from mailer.domain.command_address import Command
from mailer.domain.sender_authentication import AuthenticationMethod, SenderAuthentication
from mailer.domain.token import Purpose, read_token
from mailer.errors import NotFound, NothingPending, TokenRefused
from mailer.mail.inbound.command_parser import ParsedCommand, parse_commands
from mailer.mail.inbound.command_words import CommandName
from mailer.mail.inbound.yes_no_reply import Answer
from mailer.store import subscriptions
from mailer.store.incoming_mails import IncomingState

_log = structlog.get_logger()

_HELP = ParsedCommand(CommandName.HELP)


async def process_request(app: App, request: InboundRequest) -> IncomingState:
    """Act on the mail, forward it to the owner, or keep it for people to look at; the new state of its row."""
    try:
        if not request.may_act:
            mark = request.mail.any_mark
            _log.info("skipped automatic mail", mail=request.mail_id, command=request.address.command, why=mark)
            return IncomingState.KEPT
        await check_token(app, request.address)
        return await _HANDLERS[request.address.command](app, request)
    except (NotFound, TokenRefused) as error:
        # The SMTP server checked both before it accepted the mail: the list or the key has been removed since.
        _log.info("skipped mail", mail=request.mail_id, why=str(error))
        return IncomingState.KEPT


def final_state(states: Sequence[IncomingState]) -> IncomingState:
    """The state of a mail that had several effects: the one that keeps its text the longest."""
    return max(states, key=list(IncomingState).index, default=IncomingState.DONE)


async def _subscribe(app: App, request: InboundRequest) -> IncomingState:
    return await run_command(app, request, ParsedCommand(CommandName.SUBSCRIBE))


async def _unsubscribe(app: App, request: InboundRequest) -> IncomingState:
    """By the token of the address, or as a command where it has none; the owner gets an unclear answer."""
    if request.address.token is None:
        return await run_command(app, request, ParsedCommand(CommandName.UNSUBSCRIBE))
    if await unsubscribe_by_token(app, request) is UnsubscribeByMailResult.UNCLEAR:
        return await forward_to_owner(app, request)
    return IncomingState.DONE


async def _send_help(app: App, request: InboundRequest) -> IncomingState:
    return await run_command(app, request, _HELP)


async def _run_commands(app: App, request: InboundRequest) -> IncomingState:
    """Run the commands in the subject or the text; send help if there are none."""
    commands = parse_commands(request.mail, app.vocabulary, strict=False) or (_HELP,)
    return final_state([await run_command(app, request, command) for command in commands])


async def _confirm(app: App, request: InboundRequest) -> IncomingState:
    """Confirm or decline; the owner gets an answer that does neither."""
    try:
        if await confirm_by_token(app, request) is Answer.NEITHER:
            return await forward_to_owner(app, request)
    except NothingPending:
        if request.may_reply:
            await run_command(app, request, _HELP)
    return IncomingState.DONE


async def _run_commands_or_forward(app: App, request: InboundRequest) -> IncomingState:
    """Run the commands of a mail that consists of nothing else; forward any other mail to the owner.

    The author of a mail to a reply address is the subscriber whose address it is.
    """
    is_reply = request.address.command is Command.REPLY
    # The text may contain the subscriber's address, which has to be known to read the command.
    subscriber = await _identify_by_token(app, request) if is_reply and "@" in request.mail.reply_text else None
    person = subscriber.sender if subscriber else None
    commands = parse_commands(request.mail, app.vocabulary, strict=True, person=person)
    if not commands or request.mail.automatic_mark or not (is_reply or request.may_reply):
        return await forward_to_owner(app, request)
    author = subscriber or (await _identify_by_token(app, request) if is_reply else request)
    return final_state([await run_command(app, author, command) for command in commands])


async def _identify_by_token(app: App, request: InboundRequest) -> InboundRequest:
    """The same request, authenticated as from the subscriber whose reply address it was sent to.

    Only they were given the address. The reply goes to them, whatever From says. Raises TokenRefused, NotFound.
    """
    subscription_id = read_token(app.site.keyring, Purpose.REPLY, request.address.token or "")
    subscription = await app.database.read(subscriptions.get, subscription_id)
    address = parse_address(subscription.address)
    authentication = SenderAuthentication(
        method=AuthenticationMethod.REPLY_TOKEN,
        domain=address.domain,
        why="sent to the address only this person was given",
    )
    mail = replace(request.mail, sender=address, sender_name=None)
    return replace(request, mail=mail, authentication=authentication)


_HANDLERS: dict[Command, Callable[[App, InboundRequest], Awaitable[IncomingState]]] = {
    Command.JOIN: _subscribe,
    Command.LEAVE: _unsubscribe,
    Command.REQUEST: _run_commands,
    Command.HELP: _send_help,
    Command.CONFIRM: _confirm,
    Command.REPLY: _run_commands_or_forward,
    Command.OWNER: forward_to_owner,
    Command.POST: _run_commands_or_forward,
}
