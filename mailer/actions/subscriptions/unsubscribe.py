"""Unsubscribe: once it is answered, no letter of the list is handed to the relay for the person."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection

from mailer.actions.subscriptions.abuse_guard import reset_mailbox_limit
from mailer.app import App
from mailer.domain.address import Address
from mailer.domain.consent import ConsentAct, Evidence
from mailer.domain.mailing_list import MailingList
from mailer.domain.subscription import Subscription, SubscriptionState
from mailer.domain.suppression import SuppressionReason
from mailer.domain.token import Purpose, read_token, sign_token
from mailer.store import consents, mailing_lists, subscriptions, suppressions
from mailer.store.queue import deliveries


@dataclass(frozen=True, slots=True)
class UnsubscribeResult:
    """The list that was left, and the token that undoes it."""

    mailing_list: MailingList
    rejoin_token: str


async def unsubscribe(
    app: App, token: str, evidence: Evidence, *, purpose: Purpose = Purpose.LEAVE
) -> UnsubscribeResult:
    """Unsubscribe the person of this token from its list, and suppress them for it.

    Twice is no error, nor is a subscription that was never confirmed. Raises TokenRefused and NotFound.
    """
    subscription_id = read_token(app.site.keyring, purpose, token)

    def work(tx: Connection) -> MailingList:
        subscription = subscriptions.get(tx, subscription_id)
        end_subscription(tx, app, subscription, evidence)
        if subscription.address:
            reset_mailbox_limit(tx, app, Address(subscription.address))
        return mailing_lists.get(tx, subscription.mailing_list_id)

    mailing_list = await app.database.write(work)
    return UnsubscribeResult(mailing_list, sign_token(app.site.keyring, Purpose.REJOIN, subscription_id))


def end_subscription(tx: Connection, app: App, subscription: Subscription, evidence: Evidence) -> None:
    """End a subscription within a transaction: state, consent record, suppression, and waiting deliveries."""
    now = app.clock()
    active_states = (SubscriptionState.PENDING, SubscriptionState.CONFIRMED)
    has_left = subscriptions.change_state(
        tx, subscription.id, SubscriptionState.UNSUBSCRIBED, from_states=active_states, now=now
    )
    list_id = subscription.mailing_list_id
    # Who had left by an import alone says it in person now.
    if suppressions.add(tx, subscription.suppression_key, list_id, SuppressionReason.LEFT, now) or has_left:
        consents.record(tx, subscription, ConsentAct.LEFT, evidence, now)
    deliveries.suppress_waiting(tx, subscription.subscriber_id, subscription.mailing_list_id)
