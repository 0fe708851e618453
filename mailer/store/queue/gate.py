"""The one gate, and the turns of the ledger: from here on a letter may have gone out.

Leaving, pausing, cancelling, correcting and losing a lease all work by making it miss.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Connection,
    Dialect,
    Integer,
    Select,
    String,
    Text,
    Update,
    and_,
    bindparam,
    case,
    delete,
    exists,
    literal,
    or_,
    select,
    update,
)
from sqlalchemy.sql.selectable import Subquery
from sqlalchemy.types import TypeEngine

from mailer.domain.campaign import CampaignState
from mailer.domain.delivery import NOTICES, DeliveryState, Settlement
from mailer.store.bulk_rows import Prepared, as_json, fetched, packed, rows_of
from mailer.store.columns import UtcDateTime
from mailer.store.database import is_sqlite
from mailer.store.queue.claim_release import WAITS, put_back, suppressed
from mailer.store.queue.queue_tables import campaign, claim, delivery
from mailer.store.queue.workers import stands


@dataclass(frozen=True, kw_only=True, slots=True)
class Wanted:
    """A claimed delivery whose letter is written, before the gate."""

    delivery_id: int
    claim_id: int
    campaign_id: int
    suppression_key: str
    dated_at: datetime
    revision_id: int | None
    language: str | None
    values: dict[str, Any] | None
    """What the letter used of its reader, kept for a repeat; a notice has its own in the ledger."""
    corrections: int | None
    """How often the campaign had been corrected when this was written; None for a repeat, which keeps its text."""


def turn(
    tx: Connection,
    worker_id: int,
    settled: Sequence[Settlement],
    wanted: Sequence[Wanted],
    done: Sequence[int],
    now: datetime,
) -> set[int]:
    """One turn of the ledger: what became of the last letters, and which of the `wanted` may go out next.

    Only the delivery ids returned are handed; the others become what they now should be. `done` are claims of which
    nothing is open any more. A worker whose lease was lost settles nothing and is handed nothing.
    """
    if not stands(tx, worker_id):
        return set()
    _keep_still(tx, {one.campaign_id for one in wanted if one.campaign_id != NOTICES})
    if settled:
        _SETTLE.run(tx, settled=packed(tx.dialect, map(_settled_row, settled)), now=now)
    handed = _hand(tx, wanted, now) if wanted else set()
    if len(handed) < len(wanted):
        put_back(tx, [(one.delivery_id, now) for one in wanted if one.delivery_id not in handed], now)
    if done:
        tx.execute(delete(claim).where(claim.c.id.in_(done)))
    return handed


def _keep_still(tx: Connection, campaign_ids: set[int]) -> None:
    """PostgreSQL: nobody can pause these campaigns before this turn is committed; whoever did it first, we see."""
    if campaign_ids and not is_sqlite(tx):
        _STILL.run(tx, ids=packed(tx.dialect, ((number,) for number in sorted(campaign_ids))))


def _make_still(dialect: Dialect) -> Select[Any]:
    one = rows_of(dialect, "ids", {"id": BigInteger()})
    still = select(campaign.c.id).join(one, campaign.c.id == one.c.id).order_by(campaign.c.id)
    return still.with_for_update(read=True, of=campaign)


def _hand(tx: Connection, wanted: Sequence[Wanted], now: datetime) -> set[int]:
    rows = packed(tx.dialect, map(_wanted_row, wanted))
    ids = {one.delivery_id for one in wanted}
    if _HAND.run(tx, wanted=rows, now=now).rowcount == len(ids):
        return ids
    return {number for (number,) in fetched(_HANDED_OF.run(tx, wanted=rows))}


def _wanted_row(one: Wanted) -> tuple[Any, ...]:
    return (
        one.delivery_id, one.claim_id, one.dated_at, one.revision_id, one.language, one.values, one.suppression_key,
        one.corrections,
    )  # fmt: skip


def _settled_row(one: Settlement) -> tuple[Any, ...]:
    return (
        one.delivery_id, one.claim_id, one.state, one.due_at, one.resends, one.redate, one.code, one.reply,
        one.tried,
    )  # fmt: skip


_WANTED_ROW: dict[str, TypeEngine[Any]] = {
    "id": BigInteger(), "claim_id": BigInteger(), "dated_at": UtcDateTime(), "revision_id": BigInteger(),
    "language": String(), "values": JSON(), "suppression_key": String(), "corrections": Integer(),
}  # fmt: skip
_SETTLED_ROW: dict[str, TypeEngine[Any]] = {
    "id": BigInteger(), "claim_id": BigInteger(), "state": String(), "due_at": UtcDateTime(), "resends": Integer(),
    "redate": Boolean(), "code": Integer(), "reply": Text(), "tried": Boolean(),
}  # fmt: skip


def _make_hand(dialect: Dialect) -> Update:
    one = rows_of(dialect, "wanted", _WANTED_ROW)
    now = bindparam("now", type_=UtcDateTime())
    sending = and_(
        campaign.c.id == delivery.c.campaign_id,
        campaign.c.state == CampaignState.SENDING,
        or_(campaign.c.event_starts_at.is_(None), campaign.c.event_starts_at > now),
        or_(one.c.corrections.is_(None), one.c.corrections == campaign.c.corrections),
    )
    return (
        update(delivery)
        .where(
            delivery.c.id == one.c.id,
            WAITS,
            delivery.c.due_at.is_(None),
            or_(delivery.c.claim_id.is_(None), delivery.c.claim_id == one.c.claim_id),
            or_(delivery.c.campaign_id == NOTICES, exists(select(literal(1)).where(sending))),
            ~suppressed(one.c.suppression_key),
        )
        .values(
            state=DeliveryState.HANDED,
            attempts=delivery.c.attempts + 1,
            claim_id=one.c.claim_id,
            dated_at=one.c.dated_at,
            revision_id=one.c.revision_id,
            language=one.c.language,
            values=case((delivery.c.campaign_id == NOTICES, delivery.c["values"]), else_=one.c["values"]),
        )
    )


def _make_settle(dialect: Dialect) -> Update:
    one = rows_of(dialect, "settled", _SETTLED_ROW)
    return (
        update(delivery)
        .where(
            delivery.c.id == one.c.id,
            delivery.c.state == DeliveryState.HANDED,
            delivery.c.claim_id == one.c.claim_id,
        )
        .values(
            state=one.c.state,
            due_at=one.c.due_at,
            attempts=case((one.c.tried, delivery.c.attempts), else_=delivery.c.attempts - 1),
            resends=one.c.resends,
            dated_at=case((one.c.redate, None), else_=delivery.c.dated_at),
            code=one.c.code,
            reply=one.c.reply,
            answered_at=bindparam("now", type_=UtcDateTime()),
            claim_id=None,
        )
    )


def give_back(tx: Connection, worker_id: int, hours: Sequence[tuple[int, datetime]], now: datetime) -> None:
    """A worker's own `put_back`; nothing, where its lease was lost and they are others' by now."""
    if stands(tx, worker_id):
        put_back(tx, hours, now)


def _handed_of(dialect: Dialect) -> Any:
    one: Subquery = rows_of(dialect, "wanted", _WANTED_ROW)
    handed = (delivery.c.state == DeliveryState.HANDED, delivery.c.claim_id == one.c.claim_id)
    return as_json(dialect, select(delivery.c.id).join_from(one, delivery, delivery.c.id == one.c.id).where(*handed))


# Made once: they stand in every commit of a blast.
_HAND, _HANDED_OF = Prepared(_make_hand), Prepared(_handed_of)
_SETTLE, _STILL = Prepared(_make_settle), Prepared(_make_still)
