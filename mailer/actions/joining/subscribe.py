"""Somebody asks for an address to join a list: the request waits, and a letter asks the person."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import Connection

from mailer.app import App
from mailer.domain.address import Address
from mailer.domain.consent import Act, Evidence
from mailer.domain.delivery import Kind, Notice
from mailer.domain.mailing_list import MailingList
from mailer.domain.subscription import ASKED_PER_MAILBOX, Subscription, SubscriptionState, may_ask
from mailer.store import consents, deliveries, mailing_lists, subscribers, subscriptions, suppressions


async def subscribe(
    app: App,
    *,
    list_name: str,
    address: Address,
    evidence: Evidence,
    name: str | None = None,
    language: str | None = None,
    in_reply_to: str | None = None,
    again: bool = False,
) -> None:
    """Let the person at `address` be asked by letter whether they want to join.

    Asking again is no error and sends at most one letter a day (a second when asked for `again`). Nothing that
    the asker can see depends on who is subscribed. Name and language wait with the request. Raises NotFound
    for an unknown list only.
    """

    def work(tx: Connection) -> None:
        mailing_list = mailing_lists.named(tx, list_name)
        if (asked := _reachable(tx, app, mailing_list, address, again)) is None:
            return
        notice = _notice(app, mailing_list, asked, language, in_reply_to)
        deliveries.add_notice(tx, notice, app.clock())
        if notice.kind is Kind.ALREADY:
            subscriptions.note_answered(tx, asked, app.clock())
        else:
            subscriptions.note_asking(tx, asked, name=name, language=language, now=app.clock())
            consents.record(tx, asked, Act.ASKED, evidence, app.clock())

    await app.database.write(work)
    app.bells.notices.set()


def _reachable(
    tx: Connection, app: App, mailing_list: MailingList, address: Address, again: bool
) -> Subscription | None:
    """The subscription to ask about, or None where no letter may go now."""
    now = app.clock()
    suppression_key = app.house.keyring.suppression_key(address.key)
    if suppressions.standing(tx, [suppression_key]):
        return None
    subscriber_id = subscribers.find_or_add(tx, address, suppression_key, now)
    asked = subscriptions.find_or_add_pending(tx, mailing_list.id, subscriber_id, now)
    if not may_ask(asked, now, again=again):
        return None
    if subscriptions.asked_lately(tx, address.mailbox_key, now - timedelta(days=1)) >= ASKED_PER_MAILBOX:
        return None
    return asked


def _notice(
    app: App, mailing_list: MailingList, asked: Subscription, language: str | None, in_reply_to: str | None
) -> Notice:
    return Notice(
        kind=Kind.ALREADY if asked.state is SubscriptionState.CONFIRMED else Kind.CONFIRM,
        address=asked.address,
        suppression_key=asked.suppression_key,
        language=app.language(language, asked.language, mailing_list.language),
        mailing_list_id=mailing_list.id,
        subscription_id=asked.id,
        values={"in_reply_to": in_reply_to} if in_reply_to else {},
    )
