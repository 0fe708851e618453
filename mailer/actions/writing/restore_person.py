"""An organiser undoes what came back: the address is written to again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from mailer.app import App
from mailer.domain.address import parse_address
from mailer.domain.consent import Act, Evidence, Way
from mailer.domain.subscription import Subscription, SubscriptionState
from mailer.domain.suppression import EVERY_LIST, FOR_WHAT_CAME_BACK
from mailer.errors import NotFound
from mailer.store import consents, mailing_lists, returns, subscriptions, suppressions

_CAME_BACK = (Act.BOUNCED, Act.COMPLAINED)
_BY_THE_WAY = (*_CAME_BACK, Act.ASKED, Act.HELD)
"""What changes nothing about who was on the list before."""


@dataclass(frozen=True, slots=True)
class Restored:
    """What is true after it."""

    state: SubscriptionState
    lifted: tuple[str, ...]
    """Whose orders were lifted: the list's name, "every list"."""


async def restore_person(app: App, address: str, *, list_name: str, by: str) -> Restored:
    """Lift what bounces and complaints ordered for this list, and bounces for every list; forget what came back.

    The subscription stands again if it did when that ended it; whoever left by their own word stays away. `by` is who
    answers for it. Twice is no error. Raises NotFound, AddressRefused.
    """
    person = parse_address(address)

    def work(tx: Connection) -> Restored:
        mailing_list, now = mailing_lists.named(tx, list_name), app.clock()
        reader = subscriptions.find(tx, mailing_list.id, person.key)
        if reader is None:
            raise NotFound(f"{person.mailed} was never on {list_name}")
        places = {mailing_list.id: list_name, EVERY_LIST: "every list"}
        lifted = tuple(
            name
            for place, name in places.items()
            if suppressions.lift(tx, reader.suppression_key, place, *FOR_WHAT_CAME_BACK)
        )
        stands = _stood(tx, reader) and subscriptions.move(
            tx, reader.id, SubscriptionState.CONFIRMED, of=(SubscriptionState.UNSUBSCRIBED,), now=now
        )
        undone = returns.undo(tx, reader.subscriber_id, mailing_list.id, now)
        returns.note_probe(tx, reader.id, None)
        if lifted or stands or undone:
            evidence = Evidence(Way.COMMAND, {"by": by, "lifted": list(lifted), "undone": undone})
            consents.record(tx, reader, Act.RESTORED, evidence, now)
        return Restored(SubscriptionState.CONFIRMED if stands else reader.state, lifted)

    return await app.database.write(work)


def _stood(tx: Connection, reader: Subscription) -> bool:
    """Whether it was for what came back that they are not on the list any more."""
    lines = [one for one in consents.of_subscriber(tx, reader.subscriber_id) if _of_list(one, reader.mailing_list_id)]
    for line in reversed(lines):
        if line["act"] in _CAME_BACK and line["evidence"].get("was") == SubscriptionState.CONFIRMED:
            return True
        if line["act"] not in _BY_THE_WAY:
            return False
    return False


def _of_list(line: dict[str, Any], mailing_list_id: int) -> bool:
    # "Never ask me again" is about all of them, and stands in the record of one.
    return line["mailing_list_id"] == mailing_list_id or line["act"] == Act.NEVER
