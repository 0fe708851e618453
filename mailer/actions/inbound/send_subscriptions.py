"""A person asks which lists they are on."""

from __future__ import annotations

from sqlalchemy import Connection

from mailer.actions.inbound.inbound_request import Asking
from mailer.actions.subscriptions.abuse_guard import may_write_to_stranger
from mailer.app import App
from mailer.domain.delivery import Kind, Notice
from mailer.store import mailing_lists, subscriptions
from mailer.store.queue import deliveries


async def tell_lists(app: App, asking: Asking, language: str | None = None) -> None:
    """Write to the sender's own address which lists it is on, each with its way out; nobody else learns of it.

    Raises NotFound for an unknown list.
    """
    sender = asking.sender
    if sender is None:
        return

    def work(tx: Connection) -> None:
        mailing_list = mailing_lists.named(tx, asking.list_name)
        titles = {one.id: one.title for one in mailing_lists.every(tx)}
        found = subscriptions.standing_of(tx, sender.key)
        own = next((one.language for one in found), None)
        notice = Notice(
            kind=Kind.WHICH,
            address=sender.mailed,
            suppression_key=app.house.keyring.suppression_key(sender.key),
            language=app.language(own, asking.language, language, mailing_list.language),
            mailing_list_id=mailing_list.id,
            values=asking.answered | {"lists": [[titles[one.mailing_list_id], one.id] for one in found]},
        )
        if may_write_to_stranger(tx, app, sender, proven=asking.proven, source=asking.source):
            deliveries.add_notice(tx, notice, app.clock())

    await app.database.write(work)
    app.bells.notices.set()
