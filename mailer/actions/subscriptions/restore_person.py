"""An organiser undoes what came back: the address is written to again."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection

from mailer.actions.subscriptions.lift_suppressions import lift_suppressions
from mailer.app import App
from mailer.domain.address import parse_address
from mailer.domain.consent import Channel, ConsentAct, Evidence
from mailer.domain.subscription import Subscription, SubscriptionState
from mailer.domain.suppression import EVERY_LIST, LIFTABLE_REASONS, SuppressionReason
from mailer.errors import NotFound
from mailer.store import consents, mailing_lists, subscriptions, suppressions


@dataclass(frozen=True, slots=True)
class RestoredPerson:
    """What is true after it."""

    state: SubscriptionState
    lifted: tuple[str, ...]
    """Whose orders were lifted: the list's name, "every list"."""
    undone: int
    """How many letters that came back count no more."""
    why_not: str | None
    """Why they still get no letters from the list; None where they do."""


async def restore_person(app: App, address: str, *, list_name: str, by: str) -> RestoredPerson:
    """Lift what bounces and complaints ordered for this list and for every list; forget what came back.

    The subscription stands again if it did when that ended it; whoever left by their own word stays away. `by` is who
    answers for it. Twice is no error. Raises NotFound, AddressRefused.
    """
    person = parse_address(address)

    def work(tx: Connection) -> RestoredPerson:
        mailing_list, now = mailing_lists.get_by_name(tx, list_name), app.clock()
        reader = subscriptions.find(tx, mailing_list.id, person.key)
        if reader is None:
            raise NotFound(f"{person.addr_spec} was never on {list_name}")
        done = lift_suppressions(tx, app, reader, *LIFTABLE_REASONS)
        lifted = tuple("every list" if place == EVERY_LIST else list_name for place in done.mailing_list_ids)
        if done:
            evidence = Evidence(Channel.COMMAND, {"by": by, "lifted": list(lifted), "undone": done.undone})
            consents.record(tx, reader, ConsentAct.RESTORED, evidence, now)
        reader = subscriptions.get(tx, reader.id)
        return RestoredPerson(reader.state, lifted, done.undone, _why_not(tx, reader))

    return await app.database.write(work)


def _why_not(tx: Connection, reader: Subscription) -> str | None:
    orders = dict.fromkeys(
        reason
        for place, reason in suppressions.list_for_person(tx, reader.suppression_key)
        if place in {EVERY_LIST, reader.mailing_list_id}
    )
    if SuppressionReason.NEVER in orders:
        return "they asked never to be written to again, by any list"
    if reader.state is SubscriptionState.PENDING:
        return "they were asked to confirm, and have not yet"
    if SuppressionReason.LEFT in orders:
        return "they left by their own word, and only they can come back"
    if reader.state is SubscriptionState.UNSUBSCRIBED:
        return "they never confirmed, or declined"
    return None
