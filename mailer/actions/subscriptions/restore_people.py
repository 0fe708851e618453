"""An organiser undoes what an outage did: all whose letters came back then are written to again."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Connection

from mailer.actions.subscriptions.lift_suppressions import reinstate_subscription
from mailer.app import App
from mailer.domain.bounce import BounceReason
from mailer.domain.consent import Channel, ConsentAct, Evidence
from mailer.domain.outage import Outage
from mailer.domain.subscription import SubscriptionState
from mailer.domain.suppression import EVERY_LIST
from mailer.store import bounce_records, consents, mailing_lists, outages, suppressions

_CHUNK = 500
"""People a transaction."""


@dataclass(frozen=True, slots=True)
class RestoredReader:
    """One person after it."""

    address: str
    lifted: tuple[str, ...]
    """Whose orders were lifted: lists' names, "every list"."""
    lists: tuple[str, ...]
    """Which lists write to them (again)."""
    undone: int
    """How many letters that came back count no more."""


class _DryRunRollback(Exception):
    """Nothing was to be written: it is rolled back, and tells what would have been."""

    def __init__(self, found: _RestoredChunk) -> None:
        self.found = found
        super().__init__()


@dataclass(slots=True)
class _RestoredChunk:
    last: int | None = None
    readers: list[RestoredReader] = field(default_factory=list)


async def restore_people(
    app: App,
    *,
    since: datetime,
    until: datetime | None,
    by: str,
    provider: str | None = None,
    reason: BounceReason | None = None,
    list_name: str | None = None,
    dry_run: bool = False,
) -> list[RestoredReader]:
    """Lift what bounces ordered between two hours, for readers of one `provider`; what came back then counts no more.

    A subscription stands again if bounces had ended it. Whoever left, complained or never wants to be asked stays
    away, and what was ordered before or after that time stands. With `rehearse` nothing is written. Twice is no
    error: the second time nobody is found. Raises NotFound for the list.
    """
    mailing_list_id = (await app.database.read(mailing_lists.get_by_name, list_name)).id if list_name else None
    of = Outage(
        since=since, until=until or app.clock(), provider=provider, reason=reason, mailing_list_id=mailing_list_id
    )
    told = {"by": by, "since": of.since.isoformat(), "until": of.until.isoformat(), "provider": provider}
    evidence = Evidence(Channel.COMMAND, told | {"reason": reason} if reason else told)
    readers: list[RestoredReader] = []
    found = _RestoredChunk(last=0)
    while found.last is not None:
        try:
            found = await app.database.write(_restore_chunk, app, of, evidence, found.last, dry_run)
        except _DryRunRollback as rehearsed:
            found = rehearsed.found
        readers += found.readers
    return readers


def _restore_chunk(
    tx: Connection, app: App, of: Outage, evidence: Evidence, after: int, dry_run: bool
) -> _RestoredChunk:
    names = {one.id: one.name for one in mailing_lists.list_all(tx)} | {EVERY_LIST: "every list"}
    found = _RestoredChunk()
    for number, key in outages.list_affected(tx, of, after, _CHUNK).items():
        found.last = number
        reader = _restore_one(tx, app, of, evidence, number, key, names)
        if reader is not None:
            found.readers.append(reader)
    if dry_run:
        raise _DryRunRollback(found)
    return found


def _restore_one(
    tx: Connection, app: App, of: Outage, evidence: Evidence, number: int, key: str, names: dict[int, str]
) -> RestoredReader | None:
    theirs = outages.subscriptions_of(tx, number, of.mailing_list_id)
    if not theirs:
        return None
    lifted = outages.lift_suppressions(tx, of, key)
    undone = outages.undo_bounces(tx, of, number, app.clock())
    if EVERY_LIST in lifted:
        theirs = outages.subscriptions_of(tx, number)
    on = []
    for one in theirs:
        anew = reinstate_subscription(tx, app, one)
        bounce_records.set_probed_at(tx, one.id, None)
        reached = not suppressions.find_suppressed(tx, [key], one.mailing_list_id)
        if anew or (reached and one.state is SubscriptionState.CONFIRMED):
            on.append(one.mailing_list_id)
        if anew or {one.mailing_list_id, EVERY_LIST} & set(lifted):
            consents.record(tx, one, ConsentAct.RESTORED, evidence, app.clock())
    lists = tuple(names[place] for place in on)
    return RestoredReader(theirs[0].address, tuple(names[place] for place in lifted), lists, undone)
