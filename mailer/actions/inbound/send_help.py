"""A person asks how a list is used, or wrote what we did not understand."""

from __future__ import annotations

from sqlalchemy import Connection

from mailer.actions.inbound.inbound_request import InboundRequest
from mailer.actions.subscriptions.abuse_guard import may_send_auto_reply
from mailer.app import App
from mailer.domain.delivery import Kind, Notice
from mailer.store import mailing_lists
from mailer.store.queue import deliveries


async def send_help(app: App, request: InboundRequest, language: str | None = None) -> None:
    """What the list is about and what can be asked of it: one short letter a day, whoever asks.

    Raises NotFound for an unknown list.
    """
    sender = request.sender
    if sender is None:
        return

    def work(tx: Connection) -> None:
        mailing_list = mailing_lists.get_by_name(tx, request.list_name)
        notice = Notice(
            kind=Kind.HELP,
            address=sender.addr_spec,
            suppression_key=app.site.keyring.suppression_key(sender.key),
            language=app.language(request.language, language, mailing_list.language),
            mailing_list_id=mailing_list.id,
            values=request.reply_values,
            cause=f"help {mailing_list.id} {sender.key} {app.clock().date()}",
        )
        if may_send_auto_reply(tx, app, sender, authenticated=request.authenticated, source=request.source):
            deliveries.add_notice(tx, notice, app.clock())

    await app.database.write(work)
