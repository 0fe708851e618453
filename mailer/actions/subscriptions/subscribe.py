"""Somebody asks for an address to join a list: the request waits, and a letter asks the person."""

from __future__ import annotations

from sqlalchemy import Connection

from mailer.actions.subscriptions import abuse_guard
from mailer.actions.subscriptions.ask_confirmation import ask, put_off
from mailer.actions.subscriptions.lift_suppressions import come_back
from mailer.app import App
from mailer.domain.abuse_limits import Ruling
from mailer.domain.address import Address, parse_address
from mailer.domain.consent import Evidence, Way
from mailer.domain.incoming_message import Arrival
from mailer.domain.mailing_list import MailingList
from mailer.domain.subscription import Subscription, may_ask
from mailer.domain.subscription_request import JoinRequest
from mailer.domain.suppression import EVERY_LIST, Reason
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
    again: bool = False,
    source: str | None = None,
    proven: bool = False,
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

    request = JoinRequest(
        list_name=list_name,
        address=address,
        evidence=evidence,
        name=name,
        language=language,
        in_reply_to=in_reply_to,
        again=again,
        source=source,
        proven=proven,
    )
    heeded = await app.database.write(take_request, app, request)
    app.bells.notices.set()
    return heeded


async def subscribe_by_form(app: App, arrival: Arrival) -> None:
    """What `subscribe` does, for a form that was filled in and kept as a row; NotFound where the list is gone."""
    form = arrival.request
    await subscribe(
        app,
        list_name=form["list"],
        address=parse_address(form["address"]),
        evidence=Evidence(Way.FORM, {"client": arrival.client} if app.hearing.keep_client_address else {}),
        name=form["name"],
        language=form["language"],
        again=form["again"],
        source=arrival.client,
    )


def take_request(tx: Connection, app: App, request: JoinRequest) -> bool:
    """What `subscribe` does, in its transaction."""
    mailing_list = mailing_lists.named(tx, request.list_name)
    if _is_kept_off(tx, app, mailing_list, request.address):
        return not request.proven
    if abuse_guard.admits(tx, app, request.address, source=request.source, proven=request.proven):
        _take(tx, app, mailing_list, request)
    return True


def _is_kept_off(tx: Connection, app: App, mailing_list: MailingList, address: Address) -> bool:
    """Whether an order stands that nobody's request lifts."""
    orders = suppressions.orders(tx, app.house.keyring.suppression_key(address.key))
    complained = {place for place, reason in orders if reason is Reason.COMPLAINED}
    return not complained.isdisjoint({EVERY_LIST, mailing_list.id}) or abuse_guard.wants_nothing(tx, app, address)


def _take(tx: Connection, app: App, mailing_list: MailingList, request: JoinRequest) -> None:
    known, now = subscriptions.find(tx, mailing_list.id, request.address.key), app.clock()
    ruling = _rule(tx, app, mailing_list, request, known)
    if ruling is Ruling.DROP:
        return
    if known is not None and request.proven and suppressions.bounced(tx, known.suppression_key, mailing_list.id):
        come_back(tx, app, known, request.evidence)
        known = subscriptions.get(tx, known.id)
    asked = known or _add(tx, app, mailing_list, request.address)
    if ruling is Ruling.HOLD:
        put_off(tx, app, asked, request)
        return
    # For who is not proven the day's limit does the same: a mail that we begin anew with is answered once.
    once = request.proven and request.in_reply_to is not None
    ask(
        tx,
        app,
        mailing_list,
        asked,
        request,
        cause=f"asked {asked.id} {now.date()} {request.in_reply_to}" if once else None,
    )


def _rule(
    tx: Connection, app: App, mailing_list: MailingList, request: JoinRequest, known: Subscription | None
) -> Ruling:
    asked_today = known is not None and not may_ask(known, app.clock())
    if known and asked_today and not request.proven and not may_ask(known, app.clock(), again=request.again):
        return Ruling.DROP
    return abuse_guard.rule(tx, app, mailing_list, request.address, proven=request.proven, second=asked_today)


def _add(tx: Connection, app: App, mailing_list: MailingList, address: Address) -> Subscription:
    suppression_key = app.house.keyring.suppression_key(address.key)
    subscriber_id = subscribers.find_or_add(tx, address, suppression_key, app.clock())
    return subscriptions.find_or_add_pending(tx, mailing_list.id, subscriber_id, app.clock())
