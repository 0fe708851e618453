"""What came back is held against whom it must be, and never against anybody else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import structlog
from sqlalchemy import Connection

from mailer.app import App
from mailer.domain.address import parse_address
from mailer.domain.bounce import Action, Reason, ReturnedFor, ReturnKind, Weight
from mailer.domain.bounce_rules import (
    REMEMBERED,
    TIME_TO_COME_BACK,
    Measure,
    PastReturn,
    is_complaint,
    measure,
)
from mailer.domain.consent import Act, Evidence, Way
from mailer.domain.delivery import Kind, Notice
from mailer.domain.delivery_feedback import CameBack
from mailer.domain.subscription import Subscription, SubscriptionState
from mailer.domain.suppression import EVERY_LIST
from mailer.domain.suppression import Reason as OrderReason
from mailer.errors import AddressRefused
from mailer.store import bounce_records, consents, mailing_lists, subscriptions, suppressions
from mailer.store.bounce_records import SentLetter
from mailer.store.queue import deliveries

_log = structlog.get_logger()

_NAMED_SINCE, _UNNAMED_SINCE = timedelta(days=60), timedelta(days=7)
"""How far back a letter is looked for, with its Message-ID and without."""
_CLOCKS = timedelta(hours=1)
"""By so much a provider's clock may be behind ours."""
_MOST_TRIED = 500
_STILL_ON = (SubscriptionState.PENDING, SubscriptionState.CONFIRMED)
_UNTOLD = ReturnedFor(
    address="", action=Action.FAILED, status=None, diagnostic="", weight=Weight.SOFT, reason=Reason.UNCLEAR
)


async def take_return(app: App, came_backs: Sequence[CameBack]) -> int:
    """Write down what came back and do what follows from it, in one transaction; of how many letters it was.

    A bounce for good, a list's `hard_after` times in a row, ends all letters to that mailbox; one for now counts a
    point, and at `soft_limit` a probe is written: if that comes back, too, or two more do, the list writes no more. A
    complaint ends the list's letters at once; a bounced question whether they want to join ends the request. What is
    about us or the letter is held against nobody. Twice is no error; what is of no letter we know changes nothing.
    """
    known = await app.database.write(_take_all, app, came_backs)
    app.bells.notices.set()
    if known < len(came_backs):
        _log.info("came back of no letter we know", number=len(came_backs) - known)
    return known


def _take_all(tx: Connection, app: App, came_backs: Sequence[CameBack]) -> int:
    named = [one.delivery_id or _look_for(tx, app, one) for one in came_backs]
    letters = bounce_records.letters(tx, {number for number in named if number is not None})
    found = [(one, letters[number]) for one, number in zip(came_backs, named, strict=True) if number in letters]
    for one, letter in found:
        _take(tx, app, one, letter)
    return len(found)


def _look_for(tx: Connection, app: App, told: CameBack) -> int | None:
    """The letter with this Message-ID to this address; without one, the newest of the week before it came back."""
    try:
        address = parse_address(told.address or "")
    except AddressRefused:
        return None
    at = min(told.at, app.clock())
    since, until = (app.clock() - _NAMED_SINCE, app.clock()) if told.message_id else (at - _UNNAMED_SINCE, at + _CLOCKS)
    sent = bounce_records.sent_to(tx, address.key, app.house.keyring.suppression_key(address.key), since, until)
    if not told.message_id:
        return sent[0] if sent else None
    wanted = f"<{told.message_id.strip('<> ')}>".lower()
    return next((number for number in sent[:_MOST_TRIED] if app.house.message_id(number).lower() == wanted), None)


def _take(tx: Connection, app: App, told: CameBack, letter: SentLetter) -> None:
    complains = is_complaint(told.kind, told.complaint)
    if not (complains or told.kind in {ReturnKind.BOUNCE, ReturnKind.DELAY}):
        return
    of, at = told.of or _UNTOLD, min(told.at, app.clock())
    if told.kind is not ReturnKind.BOUNCE:
        of = replace(of, weight=Weight.IGNORE, reason=Reason.SPAM_COMPLAINT if complains else of.reason)
    if not bounce_records.add(tx, told, letter, of, at) or letter.subscription_id is None:
        return
    reader = subscriptions.find_by_id(tx, letter.subscription_id)
    if reader is None or not reader.address:
        return
    evidence = _evidence(told, letter, of, reader)
    if complains:
        _stop(tx, app, reader, reader.mailing_list_id, Act.COMPLAINED, evidence)
    elif letter.kind is Kind.CONFIRM:
        _end_request(tx, app, reader, of, evidence)
    else:
        newest = PastReturn(delivery_id=letter.id, letter=letter.kind, weight=of.weight, at=at)
        _hold_against(tx, app, reader, newest, evidence)


def _hold_against(tx: Connection, app: App, reader: Subscription, newest: PastReturn, evidence: Evidence) -> None:
    if newest.weight not in {Weight.HARD, Weight.SOFT}:
        return
    mailing_list = mailing_lists.get(tx, reader.mailing_list_id)
    well_at = None
    if mailing_list.hard_after > 1 and newest.weight is Weight.HARD:
        before = newest.at - TIME_TO_COME_BACK
        well_at = bounce_records.well_at(tx, reader.id, mailing_list.id, newest.at - REMEMBERED, before)
    what = measure(
        newest,
        bounce_records.past(tx, reader.subscriber_id, mailing_list.id, newest.at),
        hard_after=mailing_list.hard_after,
        soft_limit=mailing_list.soft_limit,
        probed_at=reader.probed_at,
        well_at=well_at,
    )
    if what is Measure.STOP_ALL:
        _stop(tx, app, reader, EVERY_LIST, Act.BOUNCED, evidence)
    elif what is Measure.STOP:
        _stop(tx, app, reader, mailing_list.id, Act.BOUNCED, evidence)
    elif what is Measure.PROBE and reader.state is SubscriptionState.CONFIRMED:
        _probe(tx, app, reader, newest)


def _probe(tx: Connection, app: App, reader: Subscription, newest: PastReturn) -> None:
    now = app.clock()
    if suppressions.standing(tx, [reader.suppression_key], reader.mailing_list_id):
        return
    probe = Notice(
        kind=Kind.PROBE,
        address=reader.address,
        suppression_key=reader.suppression_key,
        language=app.language(reader.language, mailing_lists.get(tx, reader.mailing_list_id).language),
        mailing_list_id=reader.mailing_list_id,
        subscription_id=reader.id,
        cause=f"probe {reader.id} {newest.delivery_id}",
    )
    if deliveries.add_notice(tx, probe, now):
        bounce_records.note_probe(tx, reader.id, newest.at)


def _stop(tx: Connection, app: App, reader: Subscription, where: int, act: Act, evidence: Evidence) -> None:
    """No more letters from this list, or from any; what waits is not sent."""
    now, reason = app.clock(), OrderReason.COMPLAINED if act is Act.COMPLAINED else OrderReason.BOUNCED
    ordered = suppressions.order(tx, reader.suppression_key, where, reason, now)
    if subscriptions.move(tx, reader.id, SubscriptionState.UNSUBSCRIBED, of=_STILL_ON, now=now) or ordered:
        consents.record(tx, reader, act, evidence, now)
    deliveries.suppress_waiting(tx, reader.subscriber_id, where)


def _end_request(tx: Connection, app: App, reader: Subscription, of: ReturnedFor, evidence: Evidence) -> None:
    """The question whether they want to join did not arrive: a mistyped address, as a rule, that may be right later."""
    if of.weight not in {Weight.HARD, Weight.SOFT}:
        return
    pending, now = (SubscriptionState.PENDING,), app.clock()
    if subscriptions.move(tx, reader.id, SubscriptionState.UNSUBSCRIBED, of=pending, now=now):
        consents.record(tx, reader, Act.BOUNCED, evidence, now)


def _evidence(told: CameBack, letter: SentLetter, of: ReturnedFor, reader: Subscription) -> Evidence:
    words = {
        "was": reader.state,
        "letter": letter.id,
        "campaign": letter.campaign_id,
        "by": told.way,
        "reason": of.reason,
        "status": of.status,
        "complaint": told.complaint,
        "diagnostic": of.diagnostic,
    }
    return Evidence(Way.RETURN, {name: value for name, value in words.items() if value})
