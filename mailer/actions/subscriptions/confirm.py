"""The person says yes: the subscription stands from now on."""

from __future__ import annotations

from sqlalchemy import Connection

from mailer.actions.subscriptions import abuse_guard
from mailer.actions.subscriptions.ask_confirmation import ask_confirmation
from mailer.actions.subscriptions.lift_suppressions import lift_bounces, lift_suppressions
from mailer.app import App
from mailer.domain.address import Address
from mailer.domain.consent import ConsentAct, Evidence
from mailer.domain.delivery import Kind, Notice
from mailer.domain.mailing_list import MailingList
from mailer.domain.subscription import Subscription, SubscriptionState, may_confirm
from mailer.domain.subscription_request import SubscriptionRequest
from mailer.domain.suppression import SuppressionReason
from mailer.domain.token import Purpose, read_token
from mailer.errors import NothingPending
from mailer.store import consents, mailing_lists, subscribers, subscriptions, suppressions
from mailer.store.queue import deliveries


async def confirm(app: App, token: str, evidence: Evidence) -> MailingList:
    """Confirm the pending subscription this token names, and welcome the person once.

    Confirming twice is no error. What the request said of name and language is theirs from now on, and an
    earlier leaving of this list is lifted, and what bounces ordered: somebody is there. The oldest request for the
    same address that was put off is asked about now: one for each confirmation, so that these cannot be used to bomb
    anybody either. Raises TokenRefused, NotFound, and NothingPending for a request declined, withdrawn or too old.
    """
    subscription_id = read_token(app.site.keyring, Purpose.CONFIRM, token)

    def work(tx: Connection) -> MailingList:
        asked = subscriptions.get(tx, subscription_id)
        mailing_list = mailing_lists.get(tx, asked.mailing_list_id)
        if asked.state is SubscriptionState.CONFIRMED:
            if suppressions.is_suppressed_by_bounces(tx, asked.suppression_key, mailing_list.id):
                lift_bounces(tx, app, asked, evidence)
            return mailing_list
        if not may_confirm(asked, app.clock()):
            raise NothingPending("nothing waits to be confirmed here any more: please ask to join again")
        _confirm_subscription(tx, app, mailing_list, asked, evidence)
        _ask_next_deferred(tx, app, asked, evidence)
        return mailing_list

    return await app.database.write(work)


def _confirm_subscription(
    tx: Connection, app: App, mailing_list: MailingList, asked: Subscription, evidence: Evidence
) -> None:
    now = app.clock()
    subscriptions.change_state(
        tx, asked.id, SubscriptionState.CONFIRMED, from_states=(SubscriptionState.PENDING,), now=now
    )
    subscribers.update_details(
        tx,
        [{"subscriber_id": asked.subscriber_id, "name": asked.requested_name, "language": asked.requested_language}],
    )
    suppressions.lift_suppressions(tx, asked.suppression_key, mailing_list.id, SuppressionReason.LEFT)
    if suppressions.is_suppressed_by_bounces(tx, asked.suppression_key, mailing_list.id):
        lift_suppressions(tx, app, asked, SuppressionReason.BOUNCED)
    consents.record(tx, asked, ConsentAct.CONFIRMED, evidence, now)
    welcome = Notice(
        kind=Kind.WELCOME,
        address=asked.address,
        suppression_key=asked.suppression_key,
        language=app.language(asked.requested_language, asked.language, mailing_list.language),
        mailing_list_id=mailing_list.id,
        subscription_id=asked.id,
    )
    deliveries.add_notice(tx, welcome, now)


def _ask_next_deferred(tx: Connection, app: App, confirmed: Subscription, evidence: Evidence) -> None:
    address = Address(confirmed.address)
    abuse_guard.reset_mailbox_limit(tx, app, address)
    if (held := subscriptions.find_oldest_deferred(tx, confirmed.subscriber_id)) is None:
        return
    abuse_guard.count_letter(tx, app, address)
    held_since = held.held_at.isoformat() if held.held_at else None
    why = Evidence(evidence.channel, {"confirmed": confirmed.id, "held_since": held_since})
    mailing_list = mailing_lists.get(tx, held.mailing_list_id)
    request = SubscriptionRequest(
        list_name=mailing_list.name, address=address, evidence=why, language=held.requested_language
    )
    ask_confirmation(tx, app, mailing_list, held, request)
