"""A person asks for letters in another language."""

from __future__ import annotations

from sqlalchemy import Connection

from mailer.actions.inbound.free_text_request import require_explicit_command
from mailer.actions.inbound.inbound_request import InboundRequest
from mailer.app import App
from mailer.domain.delivery import Kind, Notice
from mailer.domain.subscription import SubscriptionState
from mailer.mail.inbound.command_words import CommandName
from mailer.store import mailing_lists, subscribers, subscriptions
from mailer.store.queue import deliveries


async def change_language(app: App, request: InboundRequest, language: str) -> bool:
    """Have a proven sender's letters come in `language`, and tell them in it; False where nothing was changed.

    It is so where it may be somebody else, or somebody who is not on the list. NotFound for an unknown list.
    """
    request = require_explicit_command(request, CommandName.LANGUAGE, app.vocabulary)
    sender = request.sender
    if sender is None or not request.authenticated:
        return False

    def work(tx: Connection) -> bool:
        mailing_list = mailing_lists.get_by_name(tx, request.list_name)
        person = subscriptions.find(tx, mailing_list.id, sender.key)
        if person is None or person.state is not SubscriptionState.CONFIRMED:
            return False
        row = {"subscriber_id": person.subscriber_id, "name": None, "language": language}
        subscribers.update_details(tx, [row])
        notice = Notice(
            kind=Kind.LANGUAGE_CHANGED,
            address=person.address,
            suppression_key=person.suppression_key,
            language=app.language(language, mailing_list.language),
            mailing_list_id=mailing_list.id,
            subscription_id=person.id,
            values=request.reply_values | {"spoken": language},
            cause=f"language {person.id} {language} {app.clock().date()}",
        )
        deliveries.add_notice(tx, notice, app.clock())
        return True

    return await app.database.write(work)
