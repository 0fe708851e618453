"""Undo an unsubscription, with the token of the goodbye letter or page."""

from __future__ import annotations

from sqlalchemy import Connection

from mailer.app import App
from mailer.domain.consent import ConsentAct, Evidence
from mailer.domain.mailing_list import MailingList
from mailer.domain.subscription import SubscriptionState, may_rejoin
from mailer.domain.suppression import EVERY_LIST, SuppressionReason
from mailer.domain.token import Purpose, read_token
from mailer.errors import NothingPending
from mailer.store import consents, mailing_lists, subscriptions, suppressions


async def resubscribe(app: App, token: str, evidence: Evidence) -> MailingList:
    """Confirm the unsubscribed subscription of this token again. Campaigns sent in between are not sent afterwards.

    A pause from before ends: the person asks for letters. Twice is no error. Raises TokenRefused, NotFound, and
    NothingPending where the unsubscription is too long ago or another suppression stands.
    """
    subscription_id = read_token(app.site.keyring, Purpose.REJOIN, token)

    def work(tx: Connection) -> MailingList:
        subscription = subscriptions.get(tx, subscription_id)
        mailing_list = mailing_lists.get(tx, subscription.mailing_list_id)
        if subscription.state is SubscriptionState.CONFIRMED:
            return mailing_list
        now = app.clock()
        key = subscription.suppression_key
        stay = suppressions.reasons_for(tx, key, mailing_list.id) - {SuppressionReason.LEFT, SuppressionReason.PAUSED}
        if not may_rejoin(subscription, now) or stay or suppressions.refuses_requests(tx, key, mailing_list.id):
            raise NothingPending("this can no longer be undone: please ask to join again")
        subscriptions.change_state(
            tx, subscription.id, SubscriptionState.CONFIRMED, from_states=(SubscriptionState.UNSUBSCRIBED,), now=now
        )
        suppressions.lift_suppressions(tx, key, mailing_list.id, SuppressionReason.LEFT, SuppressionReason.PAUSED)
        suppressions.lift_suppressions(tx, key, EVERY_LIST, SuppressionReason.LEFT)
        suppressions.lift_suppressions(tx, key, EVERY_LIST, SuppressionReason.PAUSED)
        consents.record(tx, subscription, ConsentAct.REJOINED, evidence, now)
        return mailing_list

    return await app.database.write(work)
