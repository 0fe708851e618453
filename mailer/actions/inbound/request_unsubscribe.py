"""A person writes, without a link of their own, that they want to leave a list."""

from __future__ import annotations

from sqlalchemy import Connection

from mailer.actions.inbound.free_text_request import require_explicit_command
from mailer.actions.inbound.inbound_request import InboundRequest
from mailer.actions.subscriptions.abuse_guard import may_send_auto_reply
from mailer.actions.subscriptions.unsubscribe import end_subscription
from mailer.app import App
from mailer.domain.delivery import Kind, Notice
from mailer.domain.subscription import SubscriptionState
from mailer.domain.token import Purpose
from mailer.mail.inbound.command_words import CommandName
from mailer.store import mailing_lists, subscriptions
from mailer.store.queue import deliveries


async def request_unsubscribe(app: App, request: InboundRequest, language: str | None = None) -> bool:
    """Let a proven sender leave at once, and tell them; ask whoever may be somebody else by letter.

    A sender is easily forged: of a stranger's mail nothing but that letter comes, one a day. False where the sender is
    not on the list, and nothing was done. Raises NotFound for an unknown list.
    """
    request = require_explicit_command(request, CommandName.UNSUBSCRIBE, app.vocabulary)
    sender = request.sender
    if sender is None:
        return False

    def work(tx: Connection) -> bool:
        mailing_list = mailing_lists.get_by_name(tx, request.list_name)
        leaving = subscriptions.find(tx, mailing_list.id, sender.key)
        if leaving is None or leaving.state is SubscriptionState.UNSUBSCRIBED:
            return False
        if request.authenticated:
            end_subscription(tx, app, leaving, request.evidence)
        # In letters of 0.3.0 an answer went to the address that List-Unsubscribe names: these values tell them apart.
        own_token = {} if request.authenticated else {"reply_token": Purpose.LEAVE_REPLY.name}
        notice = Notice(
            kind=Kind.GOODBYE if request.authenticated else Kind.CONFIRM_LEAVING,
            address=leaving.address,
            suppression_key=leaving.suppression_key,
            language=app.language(leaving.language, request.language, language, mailing_list.language),
            mailing_list_id=mailing_list.id,
            subscription_id=leaving.id,
            values=request.reply_values | own_token,
        )
        if may_send_auto_reply(tx, app, sender, authenticated=request.authenticated, source=request.source):
            deliveries.add_notice(tx, notice, app.clock())
        return True

    return await app.database.write(work)
