"""Who gets no letters because some came back, and comes back: by their own word, or on an organiser's."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from mailer.app import App
from mailer.domain.consent import Act, Evidence
from mailer.domain.subscription import Subscription, SubscriptionState
from mailer.domain.suppression import EVERY_LIST, Reason
from mailer.store import bounce_records, consents, subscriptions, suppressions

_CAME_BACK = (Act.BOUNCED, Act.COMPLAINED, Act.DEPARTED)
_BY_THE_WAY = (*_CAME_BACK, Act.ASKED, Act.HELD)
"""What changes nothing about who was on the list before."""


@dataclass(frozen=True, slots=True)
class Lifted:
    """What was undone about one person and list."""

    places: tuple[int, ...]
    """Whose orders were lifted: the list's id, EVERY_LIST."""
    stands: bool
    """Whether the subscription, which bounces or complaints had ended, stands again."""
    undone: int
    """How many letters that came back count no more."""

    def __bool__(self) -> bool:
        return bool(self.places or self.stands or self.undone)


def lift(tx: Connection, app: App, reader: Subscription, *reasons: Reason) -> Lifted:
    """Lift the orders for this list and every list that stand for these reasons; what came back counts no more.

    The subscription stands again if what came back had ended it, and no other order stands.
    """
    now, mailing_list_id = app.clock(), reader.mailing_list_id
    places = tuple(
        place
        for place in (mailing_list_id, EVERY_LIST)
        if suppressions.lift(tx, reader.suppression_key, place, *reasons)
    )
    stands = stand_again(tx, app, reader)
    undone = bounce_records.undo(tx, reader.subscriber_id, mailing_list_id, now)
    bounce_records.note_probe(tx, reader.id, None)
    return Lifted(places, stands, undone)


def stand_again(tx: Connection, app: App, reader: Subscription) -> bool:
    """Let the subscription stand if what came back had ended it and no order stands; whether it does anew."""
    if suppressions.standing(tx, [reader.suppression_key], reader.mailing_list_id) or not _stood(tx, reader):
        return False
    ended = (SubscriptionState.UNSUBSCRIBED, SubscriptionState.PENDING)
    return subscriptions.move(tx, reader.id, SubscriptionState.CONFIRMED, of=ended, now=app.clock())


def come_back(tx: Connection, app: App, reader: Subscription, evidence: Evidence) -> None:
    """Mail that is proven to be theirs says that somebody is there: bounces count no more, and they read on."""
    if lift(tx, app, reader, Reason.BOUNCED):
        consents.record(tx, reader, Act.RESTORED, evidence, app.clock())


def _stood(tx: Connection, reader: Subscription) -> bool:
    """Whether it was for what came back that they are not on the list any more."""
    lines = [one for one in consents.of_subscriber(tx, reader.subscriber_id) if _of_list(one, reader.mailing_list_id)]
    for line in reversed(lines):
        if line["act"] in _CAME_BACK and line["evidence"].get("was") == SubscriptionState.CONFIRMED:
            return True
        if line["act"] not in _BY_THE_WAY or line["act"] == Act.DEPARTED:
            return False
    return False


def _of_list(line: dict[str, Any], mailing_list_id: int) -> bool:
    # "Never ask me again" is about all of them, and stands in the record of one.
    return line["mailing_list_id"] == mailing_list_id or line["act"] == Act.NEVER
