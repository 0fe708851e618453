"""Restore all people whose letters bounced during an outage of their provider, on an organiser's word."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from mailer.actions.subscriptions.lift_suppressions import reinstate_subscription
from mailer.app import App
from mailer.domain.accounts.actor import Actor
from mailer.domain.accounts.audit import Act
from mailer.domain.accounts.role import Permission
from mailer.domain.bounce import BounceReason
from mailer.domain.consent import Channel, ConsentAct, Evidence
from mailer.domain.outage import Outage
from mailer.domain.person_view import EVERY_LIST_NAME
from mailer.domain.subscription import SubscriptionState
from mailer.domain.suppression import EVERY_LIST
from mailer.store import bounce_records, consents, mailing_lists, outages, suppressions
from mailer.store.accounts import audit_log

_CHUNK = 500
"""People in one transaction."""


@dataclass(frozen=True, slots=True)
class RestoredReader:
    """What was restored for one person."""

    address: str
    lifted: tuple[str, ...]
    """Names of the lists whose suppressions were lifted, or EVERY_LIST_NAME."""
    lists: tuple[str, ...]
    """Names of the lists whose letters the person gets (again)."""
    undone: int
    """How many bounces do not count any more."""


class _DryRunRollback(Exception):
    """Rolls a dry run back; carries what would have been restored."""

    def __init__(self, chunk: _RestoredChunk) -> None:
        self.chunk = chunk
        super().__init__()


@dataclass(slots=True)
class _RestoredChunk:
    """The people restored in one transaction."""

    last: int | None = None
    """The id of the last subscriber looked at; None at the end."""
    readers: list[RestoredReader] = field(default_factory=list)


async def restore_people(
    app: App,
    actor: Actor,
    *,
    since: datetime,
    until: datetime | None,
    provider: str | None = None,
    reason: BounceReason | None = None,
    list_name: str | None = None,
    dry_run: bool = False,
) -> list[RestoredReader]:
    """Lift the suppressions for bounces between `since` and `until` (default now); these do not count any more.

    `provider` limits this to addresses at that domain, `reason` to bounces for it, `list_name` to letters of a list.
    Subscriptions that bounces ended are confirmed again. People who unsubscribed, complained or opted out are left
    alone, as are suppressions of other times. With `dry_run` nothing is written. Twice is no error: the second time
    nobody is found. Raises NotFound for the list, and NotPermitted unless the actor manages the site, since
    suppressions of all lists are lifted, too.
    """
    actor.require(Permission.MANAGE_SITE)
    mailing_list_id = (await app.database.read(mailing_lists.get_by_name, list_name)).id if list_name else None
    outage = Outage(
        since=since, until=until or app.clock(), provider=provider, reason=reason, mailing_list_id=mailing_list_id
    )
    evidence = Evidence(Channel.COMMAND, {"by": actor.name, **_describe(outage)})
    readers: list[RestoredReader] = []
    chunk = _RestoredChunk(last=0)
    if not dry_run:
        await app.database.write(_record, app, actor, outage, _describe(outage))
    while chunk.last is not None:
        try:
            chunk = await app.database.write(_restore_chunk, app, outage, evidence, chunk.last, dry_run)
        except _DryRunRollback as rollback:
            chunk = rollback.chunk
        readers += chunk.readers
    if not dry_run:
        people = sum(bool(one.lists and one.lifted) for one in readers)
        await app.database.write(_record, app, actor, outage, {"restored": people})
    return readers


def _describe(outage: Outage) -> dict[str, str]:
    values = {
        "since": outage.since.isoformat(),
        "until": outage.until.isoformat(),
        "provider": outage.provider,
        "reason": outage.reason,
    }
    return {key: value for key, value in values.items() if value}


def _record(tx: Connection, app: App, actor: Actor, outage: Outage, after: dict[str, Any]) -> None:
    """Write one line before the first person is restored, and one with their number when all are."""
    audit_log.record(
        tx,
        actor,
        Act.RESTORE_PEOPLE,
        subject="people whose letters bounced",
        mailing_list_id=outage.mailing_list_id,
        after=after,
        now=app.clock(),
    )


def _restore_chunk(
    tx: Connection, app: App, outage: Outage, evidence: Evidence, after: int, dry_run: bool
) -> _RestoredChunk:
    names = {one.id: one.name for one in mailing_lists.list_all(tx)} | {EVERY_LIST: EVERY_LIST_NAME}
    chunk = _RestoredChunk()
    for subscriber_id, key in outages.list_affected(tx, outage, after, _CHUNK).items():
        chunk.last = subscriber_id
        reader = _restore_one(tx, app, outage, evidence, subscriber_id, key, names)
        if reader is not None:
            chunk.readers.append(reader)
    if dry_run:
        raise _DryRunRollback(chunk)
    return chunk


def _restore_one(
    tx: Connection, app: App, outage: Outage, evidence: Evidence, subscriber_id: int, key: str, names: dict[int, str]
) -> RestoredReader | None:
    subscriptions = outages.subscriptions_of(tx, subscriber_id, outage.mailing_list_id)
    if not subscriptions:
        return None
    lifted = outages.lift_suppressions(tx, outage, key)
    undone = outages.undo_bounces(tx, outage, subscriber_id, app.clock())
    if EVERY_LIST in lifted:
        subscriptions = outages.subscriptions_of(tx, subscriber_id)
    list_ids = []
    for one in subscriptions:
        reinstated = reinstate_subscription(tx, app, one)
        bounce_records.set_probed_at(tx, one.id, None)
        reached = not suppressions.find_suppressed(tx, [key], one.mailing_list_id)
        if reinstated or (reached and one.state is SubscriptionState.CONFIRMED):
            list_ids.append(one.mailing_list_id)
        if reinstated or {one.mailing_list_id, EVERY_LIST} & set(lifted):
            consents.record(tx, one, ConsentAct.RESTORED, evidence, app.clock())
    lists = tuple(names[list_id] for list_id in list_ids)
    return RestoredReader(subscriptions[0].address, tuple(names[list_id] for list_id in lifted), lists, undone)
