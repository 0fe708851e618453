"""A person asks for letters in another language."""

from __future__ import annotations

from sqlalchemy import Connection

from mailer.actions.inbound.free_text_request import unprompted
from mailer.actions.inbound.inbound_request import Asking
from mailer.app import App
from mailer.domain.delivery import Kind, Notice
from mailer.domain.subscription import SubscriptionState
from mailer.mail.inbound.command_words import Wish
from mailer.store import mailing_lists, subscribers, subscriptions
from mailer.store.queue import deliveries


async def change_language(app: App, asking: Asking, language: str) -> bool:
    """Have a proven sender's letters come in `language`, and tell them in it; False where nothing was changed.

    It is so where it may be somebody else, or somebody who is not on the list. NotFound for an unknown list.
    """
    asking = unprompted(asking, Wish.LANGUAGE, app.templates.vocabulary)
    sender = asking.sender
    if sender is None or not asking.proven:
        return False

    def work(tx: Connection) -> bool:
        mailing_list = mailing_lists.named(tx, asking.list_name)
        person = subscriptions.find(tx, mailing_list.id, sender.key)
        if person is None or person.state is not SubscriptionState.CONFIRMED:
            return False
        row = {"subscriber_id": person.subscriber_id, "name": None, "language": language}
        subscribers.describe(tx, [row])
        notice = Notice(
            kind=Kind.SPOKEN,
            address=person.address,
            suppression_key=person.suppression_key,
            language=app.language(language, mailing_list.language),
            mailing_list_id=mailing_list.id,
            subscription_id=person.id,
            values=asking.answered | {"spoken": language},
            cause=f"language {person.id} {language} {app.clock().date()}",
        )
        deliveries.add_notice(tx, notice, app.clock())
        return True

    known = await app.database.write(work)
    app.bells.notices.set()
    return known
