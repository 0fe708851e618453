"""Ask a person by letter to confirm a request to join, or defer the request."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection

from mailer.app import App
from mailer.domain.consent import ConsentAct
from mailer.domain.delivery import Kind, Notice
from mailer.domain.mailing_list import MailingList
from mailer.domain.subscription import Subscription, SubscriptionState
from mailer.domain.subscription_request import SubscriptionRequest
from mailer.store import consents, subscription_requests, suppressions
from mailer.store.queue import deliveries


def ask_confirmation(
    tx: Connection,
    app: App,
    mailing_list: MailingList,
    subscription: Subscription,
    request: SubscriptionRequest,
    *,
    cause: str | None = None,
) -> None:
    """Queue the confirmation letter, or for subscribers the letter that says so, and record that.

    With a `cause`, only the first letter of the same cause is queued.
    """
    now, is_confirmed = app.clock(), subscription.state is SubscriptionState.CONFIRMED
    is_reached = not suppressions.is_lifted_by_request(tx, subscription.suppression_key, mailing_list.id)
    notice = Notice(
        kind=Kind.ALREADY_SUBSCRIBED if is_confirmed and is_reached else Kind.CONFIRM,
        address=subscription.address,
        suppression_key=subscription.suppression_key,
        language=app.language(request.language, subscription.language, mailing_list.language),
        mailing_list_id=mailing_list.id,
        subscription_id=subscription.id,
        values=_reply_values(request),
        cause=cause,
    )
    if not deliveries.add_notice(tx, notice, now):
        return
    if is_confirmed:
        subscription_requests.mark_answered(tx, subscription, now)
    else:
        subscription_requests.mark_asked(tx, subscription, name=request.name, language=request.language, now=now)
    if notice.kind is Kind.CONFIRM:
        consents.record(tx, subscription, ConsentAct.ASKED, request.evidence, now)


def _reply_values(request: SubscriptionRequest) -> dict[str, Any]:
    """What the letter says of the mail that it answers: its Message-ID for authenticated senders only."""
    if request.in_reply_to is None:
        return {}
    return {"in_reply_to": request.in_reply_to} if request.authenticated else {"replied": True}


def defer_request(tx: Connection, app: App, subscription: Subscription, request: SubscriptionRequest) -> None:
    """Keep the request without a letter; nothing changes where it is deferred already or the person is subscribed."""
    if subscription.state is not SubscriptionState.CONFIRMED and subscription.held_at is None:
        subscription_requests.defer_request(
            tx, subscription, name=request.name, language=request.language, now=app.clock()
        )
        consents.record(tx, subscription, ConsentAct.HELD, request.evidence, app.clock())
