"""The Undo of a goodbye: the person takes the list up again."""

from __future__ import annotations

from sqlalchemy import Connection

from mailer.app import App
from mailer.domain.consent import ConsentAct, Evidence
from mailer.domain.mailing_list import MailingList
from mailer.domain.subscription import SubscriptionState, may_rejoin
from mailer.domain.suppression import SuppressionReason
from mailer.domain.token import Purpose, read_token
from mailer.errors import NothingPending
from mailer.store import consents, mailing_lists, subscriptions, suppressions


async def rejoin(app: App, token: str, evidence: Evidence) -> MailingList:
    """Make the left subscription this token names stand again; letters that were missed stay missed.

    Twice is no error. Raises TokenRefused, NotFound, and NothingPending when the leaving is too long ago.
    """
    subscription_id = read_token(app.site.keyring, Purpose.REJOIN, token)

    def work(tx: Connection) -> MailingList:
        left = subscriptions.get(tx, subscription_id)
        mailing_list = mailing_lists.get(tx, left.mailing_list_id)
        if left.state is SubscriptionState.CONFIRMED:
            return mailing_list
        now = app.clock()
        key = left.suppression_key
        barred = suppressions.find_suppressed(tx, [key]) or suppressions.is_suppressed_by_feedback(
            tx, key, mailing_list.id
        )
        if not may_rejoin(left, now) or barred:
            raise NothingPending("this can no longer be undone: please ask to join again")
        subscriptions.change_state(
            tx, left.id, SubscriptionState.CONFIRMED, from_states=(SubscriptionState.UNSUBSCRIBED,), now=now
        )
        suppressions.lift_suppressions(tx, left.suppression_key, mailing_list.id, SuppressionReason.LEFT)
        consents.record(tx, left, ConsentAct.REJOINED, evidence, now)
        return mailing_list

    return await app.database.write(work)
