"""A person leaves a list: from the answer on nothing more is handed to them for it."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection

from mailer.actions.subscriptions.abuse_guard import note_answer
from mailer.app import App
from mailer.domain.address import Address
from mailer.domain.consent import Act, Evidence
from mailer.domain.mailing_list import MailingList
from mailer.domain.subscription import Subscription, SubscriptionState
from mailer.domain.suppression import Reason
from mailer.domain.token import Purpose, read_token, sign_token
from mailer.store import consents, mailing_lists, subscriptions, suppressions
from mailer.store.queue import deliveries


@dataclass(frozen=True, slots=True)
class Farewell:
    """Which list was left, and the token that takes it back."""

    mailing_list: MailingList
    rejoin_token: str


async def unsubscribe(app: App, token: str, evidence: Evidence, *, purpose: Purpose = Purpose.LEAVE) -> Farewell:
    """Never again mail this token's subscriber from its mailing list.

    Asking twice is no error, nor is asking about a request never confirmed: the person's wish is met either
    way. Raises TokenRefused and NotFound.
    """
    subscription_id = read_token(app.house.keyring, purpose, token)

    def work(tx: Connection) -> MailingList:
        leaving = subscriptions.get(tx, subscription_id)
        let_go(tx, app, leaving, evidence)
        if leaving.address:
            note_answer(tx, app, Address(leaving.address))
        return mailing_lists.get(tx, leaving.mailing_list_id)

    left = await app.database.write(work)
    return Farewell(left, sign_token(app.house.keyring, Purpose.REJOIN, subscription_id))


def let_go(tx: Connection, app: App, leaving: Subscription, evidence: Evidence) -> None:
    """The same within a transaction: ended, noted, ordered never to be mailed, and what waits is marked."""
    now = app.clock()
    still_on = (SubscriptionState.PENDING, SubscriptionState.CONFIRMED)
    if subscriptions.move(tx, leaving.id, SubscriptionState.UNSUBSCRIBED, of=still_on, now=now):
        consents.record(tx, leaving, Act.LEFT, evidence, now)
    suppressions.order(tx, leaving.suppression_key, leaving.mailing_list_id, Reason.LEFT, now)
    deliveries.suppress_waiting(tx, leaving.subscriber_id, leaving.mailing_list_id)
