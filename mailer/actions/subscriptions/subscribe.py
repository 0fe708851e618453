"""Subscribe: a request for an address is recorded as pending, and a letter asks the person to confirm."""

from __future__ import annotations

from sqlalchemy import Connection

from mailer.actions.subscriptions import abuse_guard
from mailer.actions.subscriptions.ask_confirmation import ask_confirmation, defer_request
from mailer.actions.subscriptions.lift_suppressions import lift_by_request
from mailer.app import App
from mailer.domain.abuse_limits import RequestDecision
from mailer.domain.address import Address, parse_address
from mailer.domain.consent import Channel, Evidence
from mailer.domain.incoming_message import IncomingMessage
from mailer.domain.mailing_list import MailingList
from mailer.domain.subscription import Subscription, may_send_confirmation
from mailer.domain.subscription_request import SubscriptionRequest
from mailer.store import mailing_lists, subscribers, subscriptions, suppressions


async def subscribe(app: App, request: SubscriptionRequest) -> bool:
    """Ask the person at the request's address by letter whether they want to join; False where an order forbids it.

    An unauthenticated request is answered with one letter a day to a mailbox, over all lists (with a second one where
    `resend` is set). Beyond the limits of [shield] it is deferred or dropped. Nothing that the requester can see
    depends on this, nor on who is subscribed. Name and language wait with the request until it is confirmed. A person
    suppressed for bounces, or paused, is asked like anybody; an authenticated request lifts that suppression at once.

    False is returned for an authenticated request only: the person complained, is banned or opted out, nothing was
    written, and an organiser should see the mail. Raises NotFound for an unknown list.
    """
    return await app.database.write(process_request, app, request)


async def subscribe_by_form(app: App, incoming: IncomingMessage) -> None:
    """Process the join form that was stored as a row, as `subscribe` does. NotFound: the list is gone."""
    form = incoming.form
    request = SubscriptionRequest(
        list_name=form["list"],
        address=parse_address(form["address"]),
        evidence=Evidence(Channel.FORM, {"client": incoming.client} if app.hearing.keep_client_address else {}),
        name=form["name"],
        language=form["language"],
        resend=form["again"],
        source=incoming.client,
    )
    await subscribe(app, request)


def process_request(tx: Connection, app: App, request: SubscriptionRequest) -> bool:
    """What `subscribe` does, within a transaction."""
    mailing_list = mailing_lists.get_by_name(tx, request.list_name)
    if _is_suppressed(tx, app, mailing_list, request.address):
        return not request.authenticated
    if abuse_guard.admits_request(tx, app, request.address, source=request.source, authenticated=request.authenticated):
        _process_admitted(tx, app, mailing_list, request)
    return True


def _is_suppressed(tx: Connection, app: App, mailing_list: MailingList, address: Address) -> bool:
    """Whether a suppression stands that a request does not lift: a complaint, a ban, or an opt-out from all letters."""
    key = app.site.keyring.suppression_key(address.key)
    return suppressions.refuses_requests(tx, key, mailing_list.id) or abuse_guard.has_opted_out(tx, app, address)


def _process_admitted(tx: Connection, app: App, mailing_list: MailingList, request: SubscriptionRequest) -> None:
    known, now = subscriptions.find(tx, mailing_list.id, request.address.key), app.clock()
    decision = _decide(tx, app, mailing_list, request, known)
    if decision is RequestDecision.DROP:
        return
    if known is not None and request.authenticated:
        known = _without_liftable_suppression(tx, app, known, request.evidence)
    subscription = known or _add_pending(tx, app, mailing_list, request.address)
    if decision is RequestDecision.DEFER:
        defer_request(tx, app, subscription, request)
        return
    # One mail is answered once, though it is processed twice after a crash. For unauthenticated mail the limit of one
    # letter a day has the same effect.
    cause = f"asked {subscription.id} {now.date()} {request.in_reply_to}"
    answers_mail = request.authenticated and request.in_reply_to is not None
    ask_confirmation(tx, app, mailing_list, subscription, request, cause=cause if answers_mail else None)


def _without_liftable_suppression(
    tx: Connection, app: App, subscription: Subscription, evidence: Evidence
) -> Subscription:
    if not suppressions.is_lifted_by_request(tx, subscription.suppression_key, subscription.mailing_list_id):
        return subscription
    lift_by_request(tx, app, subscription, evidence)
    return subscriptions.get(tx, subscription.id)


def _decide(
    tx: Connection, app: App, mailing_list: MailingList, request: SubscriptionRequest, known: Subscription | None
) -> RequestDecision:
    now = app.clock()
    asked_today = known is not None and not may_send_confirmation(known, now)
    may_ask = known is None or request.authenticated or may_send_confirmation(known, now, resend=request.resend)
    if not may_ask:
        return RequestDecision.DROP
    return abuse_guard.decide_request(
        tx, app, mailing_list, request.address, authenticated=request.authenticated, resend=asked_today
    )


def _add_pending(tx: Connection, app: App, mailing_list: MailingList, address: Address) -> Subscription:
    suppression_key = app.site.keyring.suppression_key(address.key)
    subscriber_id = subscribers.find_or_add(tx, address, suppression_key, app.clock())
    return subscriptions.find_or_add_pending(tx, mailing_list.id, subscriber_id, app.clock())
