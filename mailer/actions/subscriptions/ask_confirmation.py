"""A person is asked by letter whether they want to join, or the request is put off."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection

from mailer.app import App
from mailer.domain.consent import ConsentAct
from mailer.domain.delivery import Kind, Notice
from mailer.domain.mailing_list import MailingList
from mailer.domain.subscription import Subscription, SubscriptionState
from mailer.domain.subscription_request import SubscriptionRequest
from mailer.store import consents, subscriptions, suppressions
from mailer.store.queue import deliveries


def ask_confirmation(
    tx: Connection,
    app: App,
    mailing_list: MailingList,
    asked: Subscription,
    request: SubscriptionRequest,
    *,
    cause: str | None = None,
) -> None:
    """Write the letter that asks, or tells that they are subscribed, and note that it was written.

    A `cause` is answered once.
    """
    now, is_on = app.clock(), asked.state is SubscriptionState.CONFIRMED
    is_reached = not suppressions.is_suppressed_by_bounces(tx, asked.suppression_key, mailing_list.id)
    notice = Notice(
        kind=Kind.ALREADY_SUBSCRIBED if is_on and is_reached else Kind.CONFIRM,
        address=asked.address,
        suppression_key=asked.suppression_key,
        language=app.language(request.language, asked.language, mailing_list.language),
        mailing_list_id=mailing_list.id,
        subscription_id=asked.id,
        values=_reply_values(request),
        cause=cause,
    )
    if not deliveries.add_notice(tx, notice, now):
        return
    if is_on:
        subscriptions.mark_answered(tx, asked, now)
    else:
        subscriptions.mark_asked(tx, asked, name=request.name, language=request.language, now=now)
    if notice.kind is Kind.CONFIRM:
        consents.record(tx, asked, ConsentAct.ASKED, request.evidence, now)


def _reply_values(request: SubscriptionRequest) -> dict[str, Any]:
    """What a letter says of the mail that it answers; of a stranger's it does not name the Message-ID."""
    if request.in_reply_to is None:
        return {}
    return {"in_reply_to": request.in_reply_to} if request.authenticated else {"replied": True}


def defer_request(tx: Connection, app: App, asked: Subscription, request: SubscriptionRequest) -> None:
    """Let the request wait without a letter, once, unless they are on the list already."""
    if asked.state is not SubscriptionState.CONFIRMED and asked.held_at is None:
        subscriptions.defer_request(tx, asked, name=request.name, language=request.language, now=app.clock())
        consents.record(tx, asked, ConsentAct.HELD, request.evidence, app.clock())
