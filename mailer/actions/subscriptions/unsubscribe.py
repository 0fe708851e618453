"""A person leaves a list: from the answer on nothing more is handed to them for it."""

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
    """Which list was left, and the token that takes it back."""

    mailing_list: MailingList
    rejoin_token: str


async def unsubscribe(
    app: App, token: str, evidence: Evidence, *, purpose: Purpose = Purpose.LEAVE
) -> UnsubscribeResult:
    """Never again mail this token's subscriber from its mailing list.

    Asking twice is no error, nor is asking about a request never confirmed: the person's wish is met either
    way. Raises TokenRefused and NotFound.
    """
    subscription_id = read_token(app.site.keyring, purpose, token)

    def work(tx: Connection) -> MailingList:
        leaving = subscriptions.get(tx, subscription_id)
        end_subscription(tx, app, leaving, evidence)
        if leaving.address:
            reset_mailbox_limit(tx, app, Address(leaving.address))
        return mailing_lists.get(tx, leaving.mailing_list_id)

    mailing_list = await app.database.write(work)
    return UnsubscribeResult(mailing_list, sign_token(app.site.keyring, Purpose.REJOIN, subscription_id))


def end_subscription(tx: Connection, app: App, subscription: Subscription, evidence: Evidence) -> None:
    """The same within a transaction: ended, noted, ordered never to be mailed, and what waits is marked."""
    now = app.clock()
    active_states = (SubscriptionState.PENDING, SubscriptionState.CONFIRMED)
    if subscriptions.change_state(
        tx, subscription.id, SubscriptionState.UNSUBSCRIBED, from_states=active_states, now=now
    ):
        consents.record(tx, subscription, ConsentAct.LEFT, evidence, now)
    suppressions.add(tx, subscription.suppression_key, subscription.mailing_list_id, SuppressionReason.LEFT, now)
    deliveries.suppress_waiting(tx, subscription.subscriber_id, subscription.mailing_list_id)
