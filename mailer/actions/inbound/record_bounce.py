"""Recording bounces and complaints, and applying the bounce rules to their subscribers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import structlog
from sqlalchemy import Connection

from mailer.app import App
from mailer.domain.address import parse_address
from mailer.domain.bounce import BounceReason, DsnAction, FeedbackKind, RecipientBounce, Severity
from mailer.domain.bounce_rules import (
    BOUNCE_DEADLINE,
    BOUNCE_MEMORY,
    BounceDecision,
    PastBounce,
    decide_on_bounce,
    is_complaint,
)
from mailer.domain.consent import Channel, ConsentAct, Evidence
from mailer.domain.delivery import Kind, Notice
from mailer.domain.delivery_feedback import DeliveryFeedback
from mailer.domain.subscription import Subscription, SubscriptionState
from mailer.domain.suppression import EVERY_LIST, SuppressionReason
from mailer.errors import AddressRefused
from mailer.store import bounce_records, consents, mailing_lists, subscriptions, suppressions
from mailer.store.bounce_records import SentLetter
from mailer.store.queue import deliveries

_log = structlog.get_logger()

_SEARCH_BY_MESSAGE_ID, _SEARCH_BY_ADDRESS = timedelta(days=60), timedelta(days=7)
"""How far back deliveries are searched: with a Message-ID, and by the address alone."""
_CLOCK_SKEW = timedelta(hours=1)
"""A provider's clock may be this much behind ours."""
_MAX_CANDIDATES = 500
_ACTIVE_STATES = (SubscriptionState.PENDING, SubscriptionState.CONFIRMED)
_UNKNOWN_BOUNCE = RecipientBounce(
    address="", action=DsnAction.FAILED, status=None, diagnostic="", severity=Severity.SOFT, reason=BounceReason.UNCLEAR
)


async def record_feedback(app: App, feedback: Sequence[DeliveryFeedback]) -> int:
    """Record feedback and apply the bounce rules, in one transaction; returns the number of letters that were found.

    The list's `hard_after` hard bounces in a row stop all letters to the mailbox. A soft bounce counts a point; at
    `soft_limit` a probe is queued, and if the probe or two more letters bounce, the list's letters stop. A complaint
    stops the list's letters at once. A bounced confirmation request ends the request. Sender-side bounces change
    nothing. Feedback that was recorded before, or whose delivery is unknown, changes nothing.
    """
    known = await app.database.write(_record_all, app, feedback)
    if known < len(feedback):
        _log.info("skipped feedback on unknown letters", number=len(feedback) - known)
    return known


def _record_all(tx: Connection, app: App, feedback: Sequence[DeliveryFeedback]) -> int:
    named = [one.delivery_id or _find_delivery_id(tx, app, one) for one in feedback]
    letters = bounce_records.load_letters(tx, {number for number in named if number is not None})
    found = [(one, letters[number]) for one, number in zip(feedback, named, strict=True) if number in letters]
    for one, letter in found:
        _record_one(tx, app, one, letter)
    return len(found)


def _find_delivery_id(tx: Connection, app: App, feedback: DeliveryFeedback) -> int | None:
    """The delivery to this address with this Message-ID; without one, the newest of the week before the event."""
    try:
        address = parse_address(feedback.address or "")
    except AddressRefused:
        return None
    at = min(feedback.at, app.clock())
    since, until = (
        (app.clock() - _SEARCH_BY_MESSAGE_ID, app.clock())
        if feedback.message_id
        else (at - _SEARCH_BY_ADDRESS, at + _CLOCK_SKEW)
    )
    sent = bounce_records.find_letters_to(tx, address.key, app.site.keyring.suppression_key(address.key), since, until)
    if not feedback.message_id:
        return sent[0] if sent else None
    message_id = f"<{feedback.message_id.strip('<> ')}>".lower()
    return next((one for one in sent[:_MAX_CANDIDATES] if app.site.message_id(one).lower() == message_id), None)


def _record_one(tx: Connection, app: App, feedback: DeliveryFeedback, letter: SentLetter) -> None:
    is_complaint_feedback = is_complaint(feedback.kind, feedback.complaint)
    if not (is_complaint_feedback or feedback.kind in {FeedbackKind.BOUNCE, FeedbackKind.DELAY}):
        return
    bounce, at = feedback.bounce or _UNKNOWN_BOUNCE, min(feedback.at, app.clock())
    if feedback.kind is not FeedbackKind.BOUNCE:
        bounce = replace(
            bounce,
            severity=Severity.IGNORE,
            reason=BounceReason.SPAM_COMPLAINT if is_complaint_feedback else bounce.reason,
        )
    if not bounce_records.add(tx, feedback, letter, bounce, at) or letter.subscription_id is None:
        return
    reader = subscriptions.find_by_id(tx, letter.subscription_id)
    if reader is None or not reader.address:
        return
    evidence = _build_evidence(feedback, letter, bounce, reader)
    if is_complaint_feedback:
        _suppress_subscriber(tx, app, reader, reader.mailing_list_id, ConsentAct.COMPLAINED, evidence)
    elif letter.kind is Kind.CONFIRM:
        _cancel_pending_request(tx, app, reader, bounce, evidence)
    else:
        newest = PastBounce(delivery_id=letter.id, letter_kind=letter.kind, severity=bounce.severity, at=at)
        _apply_bounce_rules(tx, app, reader, newest, evidence)


def _apply_bounce_rules(tx: Connection, app: App, reader: Subscription, newest: PastBounce, evidence: Evidence) -> None:
    if newest.severity not in {Severity.HARD, Severity.SOFT}:
        return
    mailing_list = mailing_lists.get(tx, reader.mailing_list_id)
    last_delivered_at = None
    if mailing_list.hard_after > 1 and newest.severity is Severity.HARD:
        before = newest.at - BOUNCE_DEADLINE
        last_delivered_at = bounce_records.last_delivered_at(
            tx, reader.id, mailing_list.id, newest.at - BOUNCE_MEMORY, before
        )
    decision = decide_on_bounce(
        newest,
        bounce_records.list_recent_bounces(tx, reader.subscriber_id, mailing_list.id, newest.at),
        hard_after=mailing_list.hard_after,
        soft_limit=mailing_list.soft_limit,
        probed_at=reader.probed_at,
        last_delivered_at=last_delivered_at,
    )
    if decision is BounceDecision.STOP_ALL:
        _suppress_subscriber(tx, app, reader, EVERY_LIST, ConsentAct.BOUNCED, evidence)
    elif decision is BounceDecision.STOP:
        _suppress_subscriber(tx, app, reader, mailing_list.id, ConsentAct.BOUNCED, evidence)
    elif decision is BounceDecision.PROBE and reader.state is SubscriptionState.CONFIRMED:
        _queue_probe(tx, app, reader, newest)


def _queue_probe(tx: Connection, app: App, reader: Subscription, newest: PastBounce) -> None:
    now = app.clock()
    if suppressions.find_suppressed(tx, [reader.suppression_key], reader.mailing_list_id):
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
        bounce_records.set_probed_at(tx, reader.id, newest.at)


def _suppress_subscriber(
    tx: Connection, app: App, reader: Subscription, scope: int, act: ConsentAct, evidence: Evidence
) -> None:
    """Stop this list's letters, or all lists' (EVERY_LIST); waiting deliveries are suppressed."""
    now, reason = (
        app.clock(),
        SuppressionReason.COMPLAINED if act is ConsentAct.COMPLAINED else SuppressionReason.BOUNCED,
    )
    is_new = suppressions.add(tx, reader.suppression_key, scope, reason, now)
    if (
        subscriptions.change_state(tx, reader.id, SubscriptionState.UNSUBSCRIBED, from_states=_ACTIVE_STATES, now=now)
        or is_new
    ):
        consents.record(tx, reader, act, evidence, now)
    deliveries.suppress_waiting(tx, reader.subscriber_id, scope)


def _cancel_pending_request(
    tx: Connection, app: App, reader: Subscription, bounce: RecipientBounce, evidence: Evidence
) -> None:
    """End a join request whose confirmation letter bounced; no suppression, since most are mistyped addresses."""
    if bounce.severity not in {Severity.HARD, Severity.SOFT}:
        return
    pending, now = (SubscriptionState.PENDING,), app.clock()
    if subscriptions.change_state(tx, reader.id, SubscriptionState.UNSUBSCRIBED, from_states=pending, now=now):
        consents.record(tx, reader, ConsentAct.BOUNCED, evidence, now)


def _build_evidence(
    feedback: DeliveryFeedback, letter: SentLetter, bounce: RecipientBounce, reader: Subscription
) -> Evidence:
    details = {
        "was": reader.state,
        "letter": letter.id,
        "campaign": letter.campaign_id,
        "by": feedback.channel,
        "reason": bounce.reason,
        "status": bounce.status,
        "complaint": feedback.complaint,
        "diagnostic": bounce.diagnostic,
    }
    return Evidence(Channel.FEEDBACK, {name: value for name, value in details.items() if value})
