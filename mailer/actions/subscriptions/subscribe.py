"""Somebody asks for an address to join a list: the request waits, and a letter asks the person."""

from __future__ import annotations

from sqlalchemy import Connection

from mailer.actions.subscriptions import abuse_guard
from mailer.actions.subscriptions.ask_confirmation import ask_confirmation, defer_request
from mailer.actions.subscriptions.lift_suppressions import lift_bounces
from mailer.app import App
from mailer.domain.abuse_limits import RequestDecision
from mailer.domain.address import Address, parse_address
from mailer.domain.consent import Channel, Evidence
from mailer.domain.incoming_message import IncomingMessage
from mailer.domain.mailing_list import MailingList
from mailer.domain.subscription import Subscription, may_send_confirmation
from mailer.domain.subscription_request import SubscriptionRequest
from mailer.domain.suppression import EVERY_LIST, SuppressionReason
from mailer.store import mailing_lists, subscribers, subscriptions, suppressions


async def subscribe(
    app: App,
    *,
    list_name: str,
    address: Address,
    evidence: Evidence,
    name: str | None = None,
    language: str | None = None,
    in_reply_to: str | None = None,
    resend: bool = False,
    source: str | None = None,
    authenticated: bool = False,
) -> bool:
    """Let the person at `address` be asked by letter whether they want to join.

    `source` is the IP address the request came from, where known; `proven` that the domain of the address stands
    behind the mail. A stranger's requests send a mailbox one letter a day over all lists (a second when asked for
    `again`), and wait, or are forgotten, where the limits of [shield] are reached. Nothing that the asker can see
    depends on any of this, nor on who is subscribed. Name and language wait with the request. Whom bounces keep off
    the list is asked like anybody, and reads on at once where the mail is `proven` to be theirs.

    False where the sender is proven, and an order stands that such a request does not lift (they complained, or never
    want to be asked): nothing was written, and an organiser had better see it. NotFound for an unknown list only.
    """

    request = SubscriptionRequest(
        list_name=list_name,
        address=address,
        evidence=evidence,
        name=name,
        language=language,
        in_reply_to=in_reply_to,
        resend=resend,
        source=source,
        authenticated=authenticated,
    )
    accepted = await app.database.write(process_request, app, request)
    app.wakeups.notices.set()
    return accepted


async def subscribe_by_form(app: App, arrival: IncomingMessage) -> None:
    """What `subscribe` does, for a form that was filled in and kept as a row; NotFound where the list is gone."""
    form = arrival.form
    await subscribe(
        app,
        list_name=form["list"],
        address=parse_address(form["address"]),
        evidence=Evidence(Channel.FORM, {"client": arrival.client} if app.hearing.keep_client_address else {}),
        name=form["name"],
        language=form["language"],
        resend=form["again"],
        source=arrival.client,
    )


def process_request(tx: Connection, app: App, request: SubscriptionRequest) -> bool:
    """What `subscribe` does, in its transaction."""
    mailing_list = mailing_lists.get_by_name(tx, request.list_name)
    if _is_suppressed(tx, app, mailing_list, request.address):
        return not request.authenticated
    if abuse_guard.admits_request(tx, app, request.address, source=request.source, authenticated=request.authenticated):
        _process_admitted(tx, app, mailing_list, request)
    return True


def _is_suppressed(tx: Connection, app: App, mailing_list: MailingList, address: Address) -> bool:
    """Whether an order stands that nobody's request lifts."""
    orders = suppressions.list_for_person(tx, app.site.keyring.suppression_key(address.key))
    complained = {place for place, reason in orders if reason is SuppressionReason.COMPLAINED}
    return not complained.isdisjoint({EVERY_LIST, mailing_list.id}) or abuse_guard.has_opted_out(tx, app, address)


def _process_admitted(tx: Connection, app: App, mailing_list: MailingList, request: SubscriptionRequest) -> None:
    known, now = subscriptions.find(tx, mailing_list.id, request.address.key), app.clock()
    ruling = _decide(tx, app, mailing_list, request, known)
    if ruling is RequestDecision.DROP:
        return
    if (
        known is not None
        and request.authenticated
        and suppressions.is_suppressed_by_bounces(tx, known.suppression_key, mailing_list.id)
    ):
        lift_bounces(tx, app, known, request.evidence)
        known = subscriptions.get(tx, known.id)
    asked = known or _add_pending(tx, app, mailing_list, request.address)
    if ruling is RequestDecision.DEFER:
        defer_request(tx, app, asked, request)
        return
    # For who is not proven the day's limit does the same: a mail that we begin anew with is answered once.
    once = request.authenticated and request.in_reply_to is not None
    ask_confirmation(
        tx,
        app,
        mailing_list,
        asked,
        request,
        cause=f"asked {asked.id} {now.date()} {request.in_reply_to}" if once else None,
    )


def _decide(
    tx: Connection, app: App, mailing_list: MailingList, request: SubscriptionRequest, known: Subscription | None
) -> RequestDecision:
    asked_today = known is not None and not may_send_confirmation(known, app.clock())
    if (
        known
        and asked_today
        and not request.authenticated
        and not may_send_confirmation(known, app.clock(), resend=request.resend)
    ):
        return RequestDecision.DROP
    return abuse_guard.decide_request(
        tx, app, mailing_list, request.address, authenticated=request.authenticated, resend=asked_today
    )


def _add_pending(tx: Connection, app: App, mailing_list: MailingList, address: Address) -> Subscription:
    suppression_key = app.site.keyring.suppression_key(address.key)
    subscriber_id = subscribers.find_or_add(tx, address, suppression_key, app.clock())
    return subscriptions.find_or_add_pending(tx, mailing_list.id, subscriber_id, app.clock())
