"""An organiser undoes what came back: the address is written to again."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection

from mailer.actions.subscriptions.lift_suppressions import lift
from mailer.app import App
from mailer.domain.address import parse_address
from mailer.domain.consent import Act, Evidence, Way
from mailer.domain.subscription import Subscription, SubscriptionState
from mailer.domain.suppression import EVERY_LIST, FOR_WHAT_CAME_BACK, Reason
from mailer.errors import NotFound
from mailer.store import consents, mailing_lists, subscriptions, suppressions


@dataclass(frozen=True, slots=True)
class Restored:
    """What is true after it."""

    state: SubscriptionState
    lifted: tuple[str, ...]
    """Whose orders were lifted: the list's name, "every list"."""
    undone: int
    """How many letters that came back count no more."""
    why_not: str | None
    """Why they still get no letters from the list; None where they do."""


async def restore_person(app: App, address: str, *, list_name: str, by: str) -> Restored:
    """Lift what bounces and complaints ordered for this list and for every list; forget what came back.

    The subscription stands again if it did when that ended it; whoever left by their own word stays away. `by` is who
    answers for it. Twice is no error. Raises NotFound, AddressRefused.
    """
    person = parse_address(address)

    def work(tx: Connection) -> Restored:
        mailing_list, now = mailing_lists.named(tx, list_name), app.clock()
        reader = subscriptions.find(tx, mailing_list.id, person.key)
        if reader is None:
            raise NotFound(f"{person.mailed} was never on {list_name}")
        done = lift(tx, app, reader, *FOR_WHAT_CAME_BACK)
        lifted = tuple("every list" if place == EVERY_LIST else list_name for place in done.places)
        if done:
            evidence = Evidence(Way.COMMAND, {"by": by, "lifted": list(lifted), "undone": done.undone})
            consents.record(tx, reader, Act.RESTORED, evidence, now)
        reader = subscriptions.get(tx, reader.id)
        return Restored(reader.state, lifted, done.undone, _why_not(tx, reader))

    return await app.database.write(work)


def _why_not(tx: Connection, reader: Subscription) -> str | None:
    orders = dict.fromkeys(
        reason
        for place, reason in suppressions.orders(tx, reader.suppression_key)
        if place in {EVERY_LIST, reader.mailing_list_id}
    )
    if Reason.NEVER in orders:
        return "they asked never to be written to again, by any list"
    if reader.state is SubscriptionState.PENDING:
        return "they were asked to confirm, and have not yet"
    if Reason.LEFT in orders:
        return "they left by their own word, and only they can come back"
    if reader.state is SubscriptionState.UNSUBSCRIBED:
        return "they never confirmed, or declined"
    return None
