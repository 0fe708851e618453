"""A person writes, without a link of their own, that they want to leave a list."""

from __future__ import annotations

from sqlalchemy import Connection

from mailer.actions.guarding.guard import may_write_to_stranger
from mailer.actions.joining.unsubscribe import let_go
from mailer.app import App
from mailer.domain.delivery import Kind, Notice
from mailer.domain.mailing_list import MailingList
from mailer.domain.subscription import Subscription, SubscriptionState
from mailer.mail.asking import Asking
from mailer.store import deliveries, mailing_lists, subscriptions


async def ask_to_leave(app: App, asking: Asking, language: str | None = None) -> None:
    """Let a proven sender leave at once, and tell them; ask whoever may be somebody else by letter.

    A sender is easily forged: of a stranger's mail nothing but that letter comes, one a day. Who is not on the list
    is sent the list's commands instead. Raises NotFound for an unknown list.
    """
    sender = asking.sender
    if sender is None:
        return

    def work(tx: Connection) -> None:
        mailing_list = mailing_lists.named(tx, asking.list_name)
        leaving = subscriptions.find(tx, mailing_list.id, sender.key)
        on_it = leaving is not None and leaving.state is not SubscriptionState.UNSUBSCRIBED
        if leaving is not None and on_it and asking.proven:
            let_go(tx, app, leaving, asking.evidence)
        if may_write_to_stranger(tx, app, sender, proven=asking.proven, source=asking.source):
            told = leaving if on_it else None
            deliveries.add_notice(tx, _notice(app, asking, mailing_list, told, language), app.clock())

    await app.database.write(work)
    app.bells.notices.set()


def _notice(
    app: App, asking: Asking, mailing_list: MailingList, leaving: Subscription | None, language: str | None
) -> Notice:
    kind = Kind.HELP if leaving is None else Kind.GOODBYE if asking.proven else Kind.LEAVING
    address, key = (asking.sender.mailed, asking.sender.key) if asking.sender else ("", "")
    return Notice(
        kind=kind,
        address=leaving.address if leaving else address,
        suppression_key=app.house.keyring.suppression_key(key),
        language=app.language(leaving.language if leaving else None, asking.language, language, mailing_list.language),
        mailing_list_id=mailing_list.id,
        subscription_id=leaving.id if leaving else None,
        values=asking.answered,
        cause=None if leaving else f"help {mailing_list.id} {key} {app.clock().date()}",
    )
