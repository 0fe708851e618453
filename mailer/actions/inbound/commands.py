"""The commands that a mail can give: what each one changes, and the notice that answers it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace

from sqlalchemy import Connection

from mailer.actions.inbound.forward_to_owner import forward_to_owner
from mailer.actions.inbound.inbound_request import InboundRequest
from mailer.actions.subscriptions.abuse_guard import may_send_auto_reply
from mailer.actions.subscriptions.legacy_links import subscriptions_notice
from mailer.actions.subscriptions.subscribe import subscribe
from mailer.actions.subscriptions.unsubscribe import end_subscription
from mailer.app import App
from mailer.domain.address import Address
from mailer.domain.delivery import Kind, Notice
from mailer.domain.mailing_list import MailingList
from mailer.domain.subscription import SubscriptionState
from mailer.domain.subscription_request import SubscriptionRequest
from mailer.domain.token import Purpose
from mailer.mail.inbound.command_parser import ParsedCommand, parse_commands
from mailer.mail.inbound.command_words import CommandName
from mailer.store import mailing_lists, subscribers, subscriptions
from mailer.store.incoming_mails import IncomingState
from mailer.store.queue import deliveries


async def run_command(app: App, request: InboundRequest, command: ParsedCommand) -> IncomingState:
    """Run one command for the author of a mail; the new state of the mail's row.

    The reply is in the language of the person or the mail, else in that of the command's word, else in the list's.
    Raises NotFound for an unknown list.
    """
    return await _COMMANDS[command.name](app, request, command)


async def _subscribe(app: App, request: InboundRequest, command: ParsedCommand) -> IncomingState:
    """Ask the author by letter whether they want to join.

    The owner gets the mail of an authenticated author whose suppression only an organiser can lift.
    """
    if request.sender is None:
        return IncomingState.DONE
    subscription_request = SubscriptionRequest(
        list_name=request.list_name,
        address=request.sender,
        evidence=request.evidence,
        name=request.mail.sender_name,
        language=request.language or command.language,
        in_reply_to=request.mail.message_id,
        source=request.source,
        authenticated=request.authenticated,
    )
    if await subscribe(app, subscription_request):
        return IncomingState.DONE
    return await forward_to_owner(app, request)


async def _unsubscribe(app: App, request: InboundRequest, command: ParsedCommand) -> IncomingState:
    """End an authenticated author's subscription at once and say so; ask any other author by letter.

    The sender of a mail is easily forged, so that an unauthenticated mail causes no more than this letter, once a day.
    An author who is not on the list is sent help.
    """
    original, request = request, _require_own_words(app, request, CommandName.UNSUBSCRIBE)

    def make_notice(tx: Connection, mailing_list: MailingList, sender: Address) -> Notice | None:
        subscription = subscriptions.find(tx, mailing_list.id, sender.key)
        if subscription is None or subscription.state is SubscriptionState.UNSUBSCRIBED:
            return None
        if request.authenticated:
            end_subscription(tx, app, subscription, request.evidence)
        # Up to 0.3.0 the Reply-To of this letter was the address in List-Unsubscribe; the value tells them apart.
        own_token = {} if request.authenticated else {"reply_token": Purpose.LEAVE_REPLY.name}
        return Notice(
            kind=Kind.GOODBYE if request.authenticated else Kind.CONFIRM_LEAVING,
            address=subscription.address,
            suppression_key=subscription.suppression_key,
            language=app.language(subscription.language, request.language, command.language, mailing_list.language),
            mailing_list_id=mailing_list.id,
            subscription_id=subscription.id,
            values=request.reply_values | own_token,
        )

    if await reply_with_notice(app, request, make_notice):
        return IncomingState.DONE
    return await _send_help(app, original, command)


async def _send_subscriptions(app: App, request: InboundRequest, command: ParsedCommand) -> IncomingState:
    """Send the sender's address the lists that it is on, each with a link to unsubscribe."""

    def make_notice(tx: Connection, mailing_list: MailingList, sender: Address) -> Notice:
        notice = subscriptions_notice(tx, app, mailing_list, sender, request.language, command.language)
        return replace(notice, values=request.reply_values | notice.values)

    await reply_with_notice(app, request, make_notice)
    return IncomingState.DONE


async def _change_language(app: App, request: InboundRequest, command: ParsedCommand) -> IncomingState:
    """Change the language of an authenticated subscriber's letters, and say so in it; send help to anybody else."""
    language = command.argument
    original, request = request, _require_own_words(app, request, CommandName.LANGUAGE)

    def make_notice(tx: Connection, mailing_list: MailingList, sender: Address) -> Notice | None:
        subscription = subscriptions.find(tx, mailing_list.id, sender.key)
        if subscription is None or subscription.state is not SubscriptionState.CONFIRMED:
            return None
        row = {"subscriber_id": subscription.subscriber_id, "name": None, "language": language}
        subscribers.update_details(tx, [row])
        return Notice(
            kind=Kind.LANGUAGE_CHANGED,
            address=subscription.address,
            suppression_key=subscription.suppression_key,
            language=app.language(language, mailing_list.language),
            mailing_list_id=mailing_list.id,
            subscription_id=subscription.id,
            values=request.reply_values | {"spoken": language},
            cause=f"language {subscription.id} {language} {app.clock().date()}",
        )

    if language and request.authenticated and await reply_with_notice(app, request, make_notice, limited=False):
        return IncomingState.DONE
    return await _send_help(app, original, command)


async def _send_help(app: App, request: InboundRequest, command: ParsedCommand) -> IncomingState:
    """Send the author what the list is about and which commands there are, once a day."""

    def make_notice(_: Connection, mailing_list: MailingList, sender: Address) -> Notice:
        return Notice(
            kind=Kind.HELP,
            address=sender.addr_spec,
            suppression_key=app.site.keyring.suppression_key(sender.key),
            language=app.language(request.language, command.language, mailing_list.language),
            mailing_list_id=mailing_list.id,
            values=request.reply_values,
            cause=f"help {mailing_list.id} {sender.key} {app.clock().date()}",
        )

    await reply_with_notice(app, request, make_notice)
    return IncomingState.DONE


async def reply_with_notice(
    app: App,
    request: InboundRequest,
    make_notice: Callable[[Connection, MailingList, Address], Notice | None],
    *,
    limited: bool = True,
) -> bool:
    """Answer a mail with the notice that `make_notice` returns, in one transaction; False if it returns None.

    `make_notice` gets the transaction, the list and the sender, and writes what the command changes. If `limited`, the
    notice is left out beyond the limits for automatic replies. False also for a mail without a sender. Raises NotFound
    for an unknown list.
    """
    sender = request.sender
    if sender is None:
        return False

    def work(tx: Connection) -> bool:
        notice = make_notice(tx, mailing_lists.get_by_name(tx, request.list_name), sender)
        if notice is None:
            return False
        if not limited or may_send_auto_reply(
            tx, app, sender, authenticated=request.authenticated, source=request.source
        ):
            deliveries.add_notice(tx, notice, app.clock())
        return True

    return await app.database.write(work)


def _require_own_words(app: App, request: InboundRequest, name: CommandName) -> InboundRequest:
    """The same request, but unauthenticated if it is a reply whose own words do not give the command.

    Anybody can write to a ticket system with an address of ours in From and a command in the subject. Its automatic
    answer comes to that address with the command in its subject, and signed by the domain of the ticket system.
    """
    if not (request.authenticated and request.mail.is_reply and request.address.token is None):
        return request
    commands = parse_commands(replace(request.mail, subject=""), app.vocabulary, strict=False)
    if any(command.name is name for command in commands):
        return request
    why = "it answers a mail, and does not ask for this in its own words"
    return replace(request, authentication=request.authentication.unauthenticated(why))


_COMMANDS: dict[CommandName, Callable[[App, InboundRequest, ParsedCommand], Awaitable[IncomingState]]] = {
    CommandName.SUBSCRIBE: _subscribe,
    CommandName.UNSUBSCRIBE: _unsubscribe,
    CommandName.WHICH: _send_subscriptions,
    CommandName.LANGUAGE: _change_language,
    CommandName.HELP: _send_help,
    CommandName.INFO: _send_help,
    CommandName.CONFIRM: _send_help,
}
