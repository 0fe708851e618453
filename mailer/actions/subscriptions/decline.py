"""Decline a request to join, and "never ask me again" for all lists."""

from __future__ import annotations

from sqlalchemy import Connection

from mailer.app import App
from mailer.domain.address import Address
from mailer.domain.consent import ConsentAct, Evidence
from mailer.domain.mailing_list import MailingList
from mailer.domain.subscription import SubscriptionState
from mailer.domain.suppression import EVERY_LIST, SuppressionReason
from mailer.domain.token import Purpose, read_token
from mailer.store import consents, mailing_lists, retention, subscribers, subscriptions, suppressions
from mailer.store.queue import deliveries


async def decline(app: App, token: str, evidence: Evidence) -> MailingList:
    """Withdraw the pending request of this token; where none is pending, nothing changes.

    Raises TokenRefused and NotFound.
    """
    subscription_id = read_token(app.site.keyring, Purpose.CONFIRM, token)

    def work(tx: Connection) -> MailingList:
        subscription = subscriptions.get(tx, subscription_id)
        pending = (SubscriptionState.PENDING,)
        if subscriptions.change_state(
            tx, subscription.id, SubscriptionState.UNSUBSCRIBED, from_states=pending, now=app.clock()
        ):
            consents.record(tx, subscription, ConsentAct.DECLINED, evidence, app.clock())
        return mailing_lists.get(tx, subscription.mailing_list_id)

    return await app.database.write(work)


async def never_ask_again(app: App, token: str, evidence: Evidence, *, purpose: Purpose = Purpose.NEVER) -> None:
    """Suppress the mailbox of this token for all lists and all letters, and end its subscriptions.

    This holds for all addresses of the mailbox (without plus-tags, and without dots at Gmail), and is kept as hashes.
    A person who was never on a list is erased otherwise. Twice is no error. For a request that has expired, the
    address is that of the letter that carried the token. Raises TokenRefused.
    """
    subscription_id = read_token(app.site.keyring, purpose, token)
    expired = await app.database.read(_notices_of_expired_request, subscription_id)

    def work(tx: Connection) -> None:
        subscription = subscriptions.find_by_id(tx, subscription_id)
        if subscription is not None and subscription.address:
            _suppress_mailbox(tx, app, Address(subscription.address), subscription.mailing_list_id, evidence)
        for letter in expired:
            if letter.address and letter.mailing_list_id:
                _suppress_mailbox(tx, app, Address(letter.address), letter.mailing_list_id, evidence)
        retention.erase_notice_recipients(tx, [letter.id for letter in expired])

    await app.database.write(work)


def _notices_of_expired_request(tx: Connection, subscription_id: int) -> list[deliveries.PastNotice]:
    """The notices about a request that is not in the database any more; none where it is."""
    return [] if subscriptions.find_by_id(tx, subscription_id) else deliveries.list_notices_about(tx, subscription_id)


def _suppress_mailbox(tx: Connection, app: App, address: Address, mailing_list_id: int, evidence: Evidence) -> None:
    now, key = app.clock(), app.site.keyring.suppression_key
    keys_by_id = subscribers.find_in_mailbox(tx, address.mailbox_key)
    for suppression_key in {key(address.key), key(address.mailbox_key), *keys_by_id.values()}:
        suppressions.add(tx, suppression_key, EVERY_LIST, SuppressionReason.NEVER, now)
    for subscriber_id in keys_by_id:
        subscriptions.unsubscribe_all(tx, subscriber_id, now)
        deliveries.suppress_waiting(tx, subscriber_id, EVERY_LIST)
    were_subscribed = consents.find_agreed(tx, keys_by_id)
    consents.record_many(tx, mailing_list_id, were_subscribed, ConsentAct.NEVER, evidence, now)
    retention.erase_subscribers(tx, set(keys_by_id) - were_subscribed)
