"""The person says no: nothing is joined, and on request nobody asks again."""

from __future__ import annotations

from sqlalchemy import Connection

from mailer.app import App
from mailer.domain.consent import Act, Evidence
from mailer.domain.mailing_list import MailingList
from mailer.domain.subscription import SubscriptionState
from mailer.domain.suppression import EVERY_LIST, Reason
from mailer.domain.token import Purpose, read_token
from mailer.store import consents, deliveries, mailing_lists, subscriptions, suppressions


async def decline(app: App, token: str, evidence: Evidence) -> MailingList:
    """Withdraw the pending request this token names; where none is pending nothing changes.

    Raises TokenRefused and NotFound.
    """
    subscription_id = read_token(app.house.keyring, Purpose.CONFIRM, token)

    def work(tx: Connection) -> MailingList:
        asked = subscriptions.get(tx, subscription_id)
        pending = (SubscriptionState.PENDING,)
        if subscriptions.move(tx, asked.id, SubscriptionState.UNSUBSCRIBED, of=pending, now=app.clock()):
            consents.record(tx, asked, Act.DECLINED, evidence, app.clock())
        return mailing_lists.get(tx, asked.mailing_list_id)

    return await app.database.write(work)


async def never_ask_again(app: App, token: str, evidence: Evidence) -> MailingList:
    """No list of this service may write to the person this token names, for anything, from now on.

    Asking twice is no error. Raises TokenRefused and NotFound.
    """
    subscription_id = read_token(app.house.keyring, Purpose.CONFIRM, token)

    def work(tx: Connection) -> MailingList:
        asked = subscriptions.get(tx, subscription_id)
        suppressions.order(tx, asked.suppression_key, EVERY_LIST, Reason.NEVER, app.clock())
        subscriptions.leave_all(tx, asked.subscriber_id, app.clock())
        deliveries.suppress_waiting(tx, asked.subscriber_id, EVERY_LIST)
        consents.record(tx, asked, Act.NEVER, evidence, app.clock())
        return mailing_lists.get(tx, asked.mailing_list_id)

    return await app.database.write(work)
