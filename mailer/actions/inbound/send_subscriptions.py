"""A person asks which lists they are on."""

from __future__ import annotations

from sqlalchemy import Connection

from mailer.actions.inbound.inbound_request import InboundRequest
from mailer.actions.subscriptions.abuse_guard import may_send_auto_reply
from mailer.app import App
from mailer.domain.delivery import Kind, Notice
from mailer.store import mailing_lists, subscriptions
from mailer.store.queue import deliveries


async def send_subscriptions(app: App, request: InboundRequest, language: str | None = None) -> None:
    """Write to the sender's own address which lists it is on, each with its way out; nobody else learns of it.

    Raises NotFound for an unknown list.
    """
    sender = request.sender
    if sender is None:
        return

    def work(tx: Connection) -> None:
        mailing_list = mailing_lists.get_by_name(tx, request.list_name)
        titles = {one.id: one.title for one in mailing_lists.list_all(tx)}
        found = subscriptions.list_confirmed(tx, sender.key)
        own = next((one.language for one in found), None)
        notice = Notice(
            kind=Kind.SUBSCRIPTIONS,
            address=sender.addr_spec,
            suppression_key=app.site.keyring.suppression_key(sender.key),
            language=app.language(own, request.language, language, mailing_list.language),
            mailing_list_id=mailing_list.id,
            values=request.reply_values | {"lists": [[titles[one.mailing_list_id], one.id] for one in found]},
        )
        if may_send_auto_reply(tx, app, sender, authenticated=request.authenticated, source=request.source):
            deliveries.add_notice(tx, notice, app.clock())

    await app.database.write(work)
