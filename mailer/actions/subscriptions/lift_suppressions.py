"""Who gets no letters because some came back, and comes back: by their own word, or on an organiser's."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from mailer.app import App
from mailer.domain.consent import ConsentAct, Evidence
from mailer.domain.subscription import Subscription, SubscriptionState
from mailer.domain.suppression import EVERY_LIST, SuppressionReason
from mailer.store import bounce_records, consents, subscriptions, suppressions

_FEEDBACK_ACTS = (ConsentAct.BOUNCED, ConsentAct.COMPLAINED, ConsentAct.DEPARTED)
_NEUTRAL_ACTS = (*_FEEDBACK_ACTS, ConsentAct.ASKED, ConsentAct.HELD)
"""What changes nothing about who was on the list before."""


@dataclass(frozen=True, slots=True)
class LiftResult:
    """What was undone about one person and list."""

    mailing_list_ids: tuple[int, ...]
    """Whose orders were lifted: the list's id, EVERY_LIST."""
    reinstated: bool
    """Whether the subscription, which bounces or complaints had ended, stands again."""
    undone: int
    """How many letters that came back count no more."""

    def __bool__(self) -> bool:
        return bool(self.mailing_list_ids or self.reinstated or self.undone)


def lift_suppressions(tx: Connection, app: App, reader: Subscription, *reasons: SuppressionReason) -> LiftResult:
    """Lift the orders for this list and every list that stand for these reasons; what came back counts no more.

    The subscription stands again if what came back had ended it, and no other order stands.
    """
    now, mailing_list_id = app.clock(), reader.mailing_list_id
    places = tuple(
        place
        for place in (mailing_list_id, EVERY_LIST)
        if suppressions.lift_suppressions(tx, reader.suppression_key, place, *reasons)
    )
    stands = reinstate_subscription(tx, app, reader)
    undone = bounce_records.undo_bounces(tx, reader.subscriber_id, mailing_list_id, now)
    bounce_records.set_probed_at(tx, reader.id, None)
    return LiftResult(places, stands, undone)


def reinstate_subscription(tx: Connection, app: App, reader: Subscription) -> bool:
    """Let the subscription stand if what came back had ended it and no order stands; whether it does anew."""
    if suppressions.find_suppressed(tx, [reader.suppression_key], reader.mailing_list_id) or not _ended_by_feedback(
        tx, reader
    ):
        return False
    ended = (SubscriptionState.UNSUBSCRIBED, SubscriptionState.PENDING)
    return subscriptions.change_state(tx, reader.id, SubscriptionState.CONFIRMED, from_states=ended, now=app.clock())


def lift_bounces(tx: Connection, app: App, reader: Subscription, evidence: Evidence) -> None:
    """Mail that is proven to be theirs says that somebody is there: bounces count no more, and they read on."""
    if lift_suppressions(tx, app, reader, SuppressionReason.BOUNCED):
        consents.record(tx, reader, ConsentAct.RESTORED, evidence, app.clock())


def _ended_by_feedback(tx: Connection, reader: Subscription) -> bool:
    """Whether it was for what came back that they are not on the list any more."""
    lines = [
        one
        for one in consents.list_for_subscriber(tx, reader.subscriber_id)
        if _concerns_list(one, reader.mailing_list_id)
    ]
    for line in reversed(lines):
        if line["act"] in _FEEDBACK_ACTS and line["evidence"].get("was") == SubscriptionState.CONFIRMED:
            return True
        if line["act"] not in _NEUTRAL_ACTS or line["act"] == ConsentAct.DEPARTED:
            return False
    return False


def _concerns_list(line: dict[str, Any], mailing_list_id: int) -> bool:
    # "Never ask me again" is about all of them, and stands in the record of one.
    return line["mailing_list_id"] == mailing_list_id or line["act"] == ConsentAct.NEVER
