"""Confirm: the person with a confirmation token joins the list."""

from __future__ import annotations

from sqlalchemy import Connection

from mailer.actions.subscriptions import abuse_guard
from mailer.actions.subscriptions.ask_confirmation import ask_confirmation
from mailer.actions.subscriptions.lift_suppressions import lift_by_request, lift_suppressions
from mailer.app import App
from mailer.domain.address import Address
from mailer.domain.consent import ConsentAct, Evidence
from mailer.domain.delivery import Kind, Notice
from mailer.domain.mailing_list import MailingList
from mailer.domain.subscription import Subscription, SubscriptionState, may_confirm
from mailer.domain.subscription_request import SubscriptionRequest
from mailer.domain.suppression import EVERY_LIST, LIFTED_BY_REQUEST, SuppressionReason
from mailer.domain.token import Purpose, read_token
from mailer.errors import NothingPending
from mailer.store import consents, mailing_lists, subscribers, subscription_requests, subscriptions, suppressions
from mailer.store.queue import deliveries


async def confirm(app: App, token: str, evidence: Evidence) -> MailingList:
    """Confirm the pending subscription of this token, and send one welcome letter. Confirming twice is no error.

    Of a subscriber who gets no letters, since they bounced or are paused, that is lifted.

    The subscriber gets the name and language of the request. Suppressions for bounces and for leaving this list are
    lifted, and pauses. The oldest deferred request for the same address gets its confirmation letter now: one for each
    confirmation, which bounds the letters. Raises TokenRefused, NotFound, and NothingPending for a request that was
    declined, withdrawn or is too old, or of a person who complained or is banned.
    """
    subscription_id = read_token(app.site.keyring, Purpose.CONFIRM, token)

    def work(tx: Connection) -> MailingList:
        subscription = subscriptions.get(tx, subscription_id)
        mailing_list = mailing_lists.get(tx, subscription.mailing_list_id)
        if subscription.state is SubscriptionState.CONFIRMED:
            if suppressions.is_lifted_by_request(tx, subscription.suppression_key, mailing_list.id):
                lift_by_request(tx, app, subscription, evidence)
                _welcome(tx, app, mailing_list, subscription)
            return mailing_list
        refused = suppressions.refuses_requests(tx, subscription.suppression_key, mailing_list.id)
        if refused or not may_confirm(subscription, app.clock()):
            raise NothingPending("nothing waits to be confirmed here any more: please ask to join again")
        _confirm_subscription(tx, app, mailing_list, subscription, evidence)
        _ask_next_deferred(tx, app, subscription, evidence)
        return mailing_list

    return await app.database.write(work)


def _confirm_subscription(
    tx: Connection, app: App, mailing_list: MailingList, subscription: Subscription, evidence: Evidence
) -> None:
    now = app.clock()
    subscriptions.change_state(
        tx, subscription.id, SubscriptionState.CONFIRMED, from_states=(SubscriptionState.PENDING,), now=now
    )
    subscribers.update_details(
        tx,
        [
            {
                "subscriber_id": subscription.subscriber_id,
                "name": subscription.requested_name,
                "language": subscription.requested_language,
            }
        ],
    )
    # Other software has people who left it altogether: whoever comes back by their own word has not left any more.
    for list_id in (mailing_list.id, EVERY_LIST):
        suppressions.lift_suppressions(tx, subscription.suppression_key, list_id, SuppressionReason.LEFT)
    if suppressions.is_lifted_by_request(tx, subscription.suppression_key, mailing_list.id):
        lift_suppressions(tx, app, subscription, *LIFTED_BY_REQUEST)
    consents.record(tx, subscription, ConsentAct.CONFIRMED, evidence, now)
    _welcome(tx, app, mailing_list, subscription)


def _welcome(tx: Connection, app: App, mailing_list: MailingList, subscription: Subscription) -> None:
    welcome = Notice(
        kind=Kind.WELCOME,
        address=subscription.address,
        suppression_key=subscription.suppression_key,
        language=app.language(subscription.requested_language, subscription.language, mailing_list.language),
        mailing_list_id=mailing_list.id,
        subscription_id=subscription.id,
    )
    deliveries.add_notice(tx, welcome, app.clock())


def _ask_next_deferred(tx: Connection, app: App, confirmed: Subscription, evidence: Evidence) -> None:
    address = Address(confirmed.address)
    abuse_guard.reset_mailbox_limit(tx, app, address)
    if (deferred := subscription_requests.find_oldest_deferred(tx, confirmed.subscriber_id)) is None:
        return
    if suppressions.refuses_requests(tx, deferred.suppression_key, deferred.mailing_list_id):
        return
    abuse_guard.count_letter(tx, app, address)
    held_since = deferred.held_at.isoformat() if deferred.held_at else None
    evidence_of_wait = Evidence(evidence.channel, {"confirmed": confirmed.id, "held_since": held_since})
    mailing_list = mailing_lists.get(tx, deferred.mailing_list_id)
    request = SubscriptionRequest(
        list_name=mailing_list.name, address=address, evidence=evidence_of_wait, language=deferred.requested_language
    )
    ask_confirmation(tx, app, mailing_list, deferred, request)
