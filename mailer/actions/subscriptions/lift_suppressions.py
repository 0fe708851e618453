"""Lift suppressions for bounces, complaints, pauses and bans, and reinstate the subscriptions that these ended."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection

from mailer.app import App
from mailer.domain.consent import ConsentAct, Evidence
from mailer.domain.subscription import Subscription, SubscriptionState
from mailer.domain.suppression import EVERY_LIST, LIFTED_BY_REQUEST, SuppressionReason
from mailer.store import bounce_records, consents, subscriptions, suppressions
from mailer.store.consents import ConsentLine

_FEEDBACK_ACTS = (ConsentAct.BOUNCED, ConsentAct.COMPLAINED, ConsentAct.DEPARTED)
_NEUTRAL_ACTS = (*_FEEDBACK_ACTS, ConsentAct.ASKED, ConsentAct.HELD)
"""Acts that do not change whether the person was on the list before."""


@dataclass(frozen=True, slots=True)
class LiftResult:
    """What was lifted for one person and list; false where nothing was."""

    mailing_list_ids: tuple[int, ...]
    """Ids of the lists whose suppressions were lifted: the list's, EVERY_LIST."""
    reinstated: bool
    """Whether the subscription, ended by bounces or complaints, is confirmed again."""
    undone: int
    """How many bounces do not count any more."""

    def __bool__(self) -> bool:
        return bool(self.mailing_list_ids or self.reinstated or self.undone)


def lift_suppressions(
    tx: Connection, app: App, subscription: Subscription, *reasons: SuppressionReason, everywhere: bool = True
) -> LiftResult:
    """Lift the suppressions for these reasons, of this list and, if `everywhere`, those of every list.

    Earlier bounces do not count any more. The subscription is confirmed again where bounces or complaints
    had ended it and no other suppression stands.
    """
    now, mailing_list_id = app.clock(), subscription.mailing_list_id
    lifted_ids = tuple(
        list_id
        for list_id in ((mailing_list_id, EVERY_LIST) if everywhere else (mailing_list_id,))
        if suppressions.lift_suppressions(tx, subscription.suppression_key, list_id, *reasons)
    )
    reinstated = reinstate_subscription(tx, app, subscription)
    undone = bounce_records.undo_bounces(tx, subscription.subscriber_id, mailing_list_id, now)
    bounce_records.set_probed_at(tx, subscription.id, None)
    return LiftResult(lifted_ids, reinstated, undone)


def reinstate_subscription(tx: Connection, app: App, subscription: Subscription) -> bool:
    """Confirm the subscription again where feedback had ended it and no suppression stands; whether that was done."""
    if suppressions.find_suppressed(
        tx, [subscription.suppression_key], subscription.mailing_list_id
    ) or not _ended_by_feedback(tx, subscription):
        return False
    ended = (SubscriptionState.UNSUBSCRIBED, SubscriptionState.PENDING)
    return subscriptions.change_state(
        tx, subscription.id, SubscriptionState.CONFIRMED, from_states=ended, now=app.clock()
    )


def lift_by_request(tx: Connection, app: App, subscription: Subscription, evidence: Evidence) -> None:
    """Lift bounces and pauses: authenticated mail or a confirmation shows that the address works, and is wanted."""
    if lift_suppressions(tx, app, subscription, *LIFTED_BY_REQUEST):
        consents.record(tx, subscription, ConsentAct.RESTORED, evidence, app.clock())


def _ended_by_feedback(tx: Connection, subscription: Subscription) -> bool:
    """Whether a bounce or complaint ended the confirmed subscription, and the person did nothing since."""
    lines = [
        one
        for one in consents.list_for_subscriber(tx, subscription.subscriber_id)
        if _concerns_list(one, subscription.mailing_list_id)
    ]
    for line in reversed(lines):
        if line.act in _FEEDBACK_ACTS and line.evidence.get("was") == SubscriptionState.CONFIRMED:
            return True
        if line.act not in _NEUTRAL_ACTS or line.act == ConsentAct.DEPARTED:
            return False
    return False


def _concerns_list(line: ConsentLine, mailing_list_id: int) -> bool:
    # "Never ask me again" is about all lists, and is recorded with one of them.
    return line.mailing_list_id == mailing_list_id or line.act == ConsentAct.NEVER
