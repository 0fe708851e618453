"""A person asks how a list is used, or wrote what we did not understand."""

from __future__ import annotations

from sqlalchemy import Connection

from mailer.actions.inbound.inbound_request import Asking
from mailer.actions.subscriptions.abuse_guard import may_write_to_stranger
from mailer.app import App
from mailer.domain.delivery import Kind, Notice
from mailer.store import mailing_lists
from mailer.store.queue import deliveries


async def send_help(app: App, asking: Asking, language: str | None = None) -> None:
    """What the list is about and what can be asked of it: one short letter a day, whoever asks.

    Raises NotFound for an unknown list.
    """
    sender = asking.sender
    if sender is None:
        return

    def work(tx: Connection) -> None:
        mailing_list = mailing_lists.named(tx, asking.list_name)
        notice = Notice(
            kind=Kind.HELP,
            address=sender.mailed,
            suppression_key=app.house.keyring.suppression_key(sender.key),
            language=app.language(asking.language, language, mailing_list.language),
            mailing_list_id=mailing_list.id,
            values=asking.answered,
            cause=f"help {mailing_list.id} {sender.key} {app.clock().date()}",
        )
        if may_write_to_stranger(tx, app, sender, proven=asking.proven, source=asking.source):
            deliveries.add_notice(tx, notice, app.clock())

    await app.database.write(work)
    app.bells.notices.set()
