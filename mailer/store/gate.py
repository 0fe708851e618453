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
    ColumnElement,
    Connection,
    Dialect,
    Integer,
    String,
    Text,
    Update,
    and_,
    bindparam,
    case,
    delete,
    exists,
    func,
    literal,
    or_,
    select,
    update,
)
from sqlalchemy.sql.selectable import Subquery
from sqlalchemy.types import TypeEngine

from mailer.domain.campaign import CampaignState
from mailer.domain.delivery import NOTICES, WAITING, DeliveryState, Settlement
from mailer.domain.suppression import EVERY_LIST
from mailer.store.batch import Prepared, as_json, fetched, packed, rows_of
from mailer.store.columns import UtcDateTime
from mailer.store.database import is_sqlite
from mailer.store.queue_tables import campaign, claim, delivery, worker
from mailer.store.tables import subscriber, suppression


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
    if not _stands(tx, worker_id, sorted({one.campaign_id for one in wanted if one.campaign_id != NOTICES})):
        return set()
    if settled:
        _SETTLE.run(tx, settled=packed(tx.dialect, map(_settled_row, settled)), now=now)
    handed = _hand(tx, wanted, now) if wanted else set()
    if len(handed) < len(wanted):
        put_back(tx, [(one.delivery_id, now) for one in wanted if one.delivery_id not in handed], now)
    if done:
        tx.execute(delete(claim).where(claim.c.id.in_(done)))
    return handed


def _stands(tx: Connection, worker_id: int, campaign_ids: list[int]) -> bool:
    """Whether the worker's claims are still its own.

    PostgreSQL: nobody can take them, nor pause a campaign, before this turn is committed; whoever does it first makes
    us see it.
    """
    lock = not is_sqlite(tx)
    standing = select(literal(1)).where(worker.c.id == worker_id)
    stands = tx.execute(standing.with_for_update(read=True) if lock else standing).first() is not None
    if lock and stands and campaign_ids:
        of_wanted = select(campaign.c.id).where(campaign.c.id.in_(campaign_ids)).order_by(campaign.c.id)
        tx.execute(of_wanted.with_for_update(read=True))
    return stands


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
    )  # fmt: skip


_WANTED_ROW: dict[str, TypeEngine[Any]] = {
    "id": BigInteger(), "claim_id": BigInteger(), "dated_at": UtcDateTime(), "revision_id": BigInteger(),
    "language": String(), "values": JSON(), "suppression_key": String(), "corrections": Integer(),
}  # fmt: skip
_SETTLED_ROW: dict[str, TypeEngine[Any]] = {
    "id": BigInteger(), "claim_id": BigInteger(), "state": String(), "due_at": UtcDateTime(), "resends": Integer(),
    "redate": Boolean(), "code": Integer(), "reply": Text(),
}  # fmt: skip
_WAITS = or_(*(delivery.c.state == state for state in WAITING))
_HOUR_ROW: dict[str, TypeEngine[Any]] = {"id": BigInteger(), "due_at": UtcDateTime()}


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
            _WAITS,
            delivery.c.due_at.is_(None),
            or_(delivery.c.campaign_id == NOTICES, exists(select(literal(1)).where(sending))),
            ~_suppressed(one.c.suppression_key),
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
            resends=one.c.resends,
            dated_at=case((one.c.redate, None), else_=delivery.c.dated_at),
            code=one.c.code,
            reply=one.c.reply,
            answered_at=bindparam("now", type_=UtcDateTime()),
            claim_id=None,
        )
    )


def _suppressed(key: ColumnElement[str]) -> ColumnElement[bool]:
    """A site-wide order stands, or (for campaigns; notices may go to the departed) one for the list."""
    own_list = case((delivery.c.campaign_id == NOTICES, EVERY_LIST), else_=delivery.c.mailing_list_id)
    return exists(
        select(literal(1)).where(
            suppression.c.suppression_key == key,
            or_(suppression.c.mailing_list_id == EVERY_LIST, suppression.c.mailing_list_id == own_list),
        )
    )


def put_back(tx: Connection, hours: Sequence[tuple[int, datetime]], now: datetime) -> None:
    """Give up claimed deliveries (id, hour) that missed the gate or were not used.

    Each waits for its hour, or becomes what it now should be: suppressed, cancelled, expired.
    """
    if hours:
        _PUT_BACK.run(tx, hours=packed(tx.dialect, hours), now=now)


def _make_put_back(dialect: Dialect) -> Update:
    one = rows_of(dialect, "hours", _HOUR_ROW)
    ended = _ended(bindparam("now", type_=UtcDateTime()))
    return (
        update(delivery)
        .where(delivery.c.id == one.c.id, _WAITS, delivery.c.due_at.is_(None))
        .values(
            state=case(*ended, else_=delivery.c.state),
            due_at=case(*((when, None) for when, _ in ended), else_=one.c.due_at),
        )
    )


def _ended(now: ColumnElement[datetime]) -> list[tuple[ColumnElement[bool], DeliveryState]]:
    """What a waiting delivery has become meanwhile."""
    of_reader = (
        select(subscriber.c.suppression_key)
        .where(subscriber.c.id == delivery.c.subscriber_id)
        .correlate(delivery)
        .scalar_subquery()
    )
    return [
        (_suppressed(func.coalesce(delivery.c.suppression_key, of_reader)), DeliveryState.SUPPRESSED),
        (_campaign_is(campaign.c.state == CampaignState.CANCELLED), DeliveryState.CANCELLED),
        (_campaign_is(campaign.c.event_starts_at <= now), DeliveryState.EXPIRED),
    ]


def _campaign_is(so: ColumnElement[bool]) -> ColumnElement[bool]:
    return exists(select(literal(1)).where(campaign.c.id == delivery.c.campaign_id, so))


def _handed_of(dialect: Dialect) -> Any:
    one: Subquery = rows_of(dialect, "wanted", _WANTED_ROW)
    handed = (delivery.c.state == DeliveryState.HANDED, delivery.c.claim_id == one.c.claim_id)
    return as_json(dialect, select(delivery.c.id).join_from(one, delivery, delivery.c.id == one.c.id).where(*handed))


# Made once: they stand in every commit of a blast.
_HAND, _HANDED_OF = Prepared(_make_hand), Prepared(_handed_of)
_SETTLE, _PUT_BACK = Prepared(_make_settle), Prepared(_make_put_back)
