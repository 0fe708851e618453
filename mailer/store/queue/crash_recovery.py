"""Recovery of what dead workers leave: their claims are void, and what they had handed has an unknown outcome."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Connection,
    Dialect,
    Select,
    Update,
    bindparam,
    case,
    delete,
    or_,
    select,
    update,
)

from mailer.domain.delivery import MOST_RESENDS, WAITING, DeliveryState
from mailer.store.bulk_rows import CompiledStatement, as_json, decode_rows, rows_from_json, rows_to_json
from mailer.store.columns import UtcDateTime
from mailer.store.queue.claim_release import release_deliveries
from mailer.store.queue.queue_tables import campaign, claim, delivery, worker


@dataclass(frozen=True, slots=True)
class RecoveredDeliveries:
    """The handed deliveries of dead workers: ids of those sent again, and of those parked as uncertain."""

    resent: tuple[int, ...]
    parked: tuple[int, ...]


def recover_dead_workers(tx: Connection, worker_ids: Iterable[int], now: datetime) -> RecoveredDeliveries:
    """Delete workers that died or lost their lease, and requeue what they had claimed.

    What they had handed may have been sent: it is sent again, the same octets, at most MOST_RESENDS times, or parked at
    once if its campaign says so.
    """
    # Waits for a commit of theirs that is under way; their next one finds no worker.
    named = select(worker.c.id).where(worker.c.id.in_(list(worker_ids))).order_by(worker.c.id).with_for_update()
    gone = tx.execute(named).scalars().all()
    held = tx.execute(select(claim.c.id, claim.c.deliveries).where(claim.c.worker_id.in_(gone))).all()
    taken = rows_to_json(tx.dialect, ((number, one.id) for one in held for number in one.deliveries))
    recovered = _recover_handed(tx, taken, now)
    release_deliveries(tx, [(number, now) for number in _still_claimed(tx, taken)], now)
    tx.execute(delete(claim).where(claim.c.worker_id.in_(gone)))
    tx.execute(delete(worker).where(worker.c.id.in_(gone)))
    return recovered


def recover_handed(tx: Connection, handed: Iterable[tuple[int, int]], now: datetime) -> RecoveredDeliveries:
    """Recover those of these deliveries, given as (id, claim id), that are handed, as after a worker's death."""
    return _recover_handed(tx, rows_to_json(tx.dialect, handed), now)


def _recover_handed(tx: Connection, taken: str, now: datetime) -> RecoveredDeliveries:
    found = decode_rows(_SELECT_HANDED.run(tx, taken=taken))
    if found:
        _RESEND_OR_PARK.run(tx, taken=taken, now=now)
    parked = {number for number, resends, policy in found if resends >= MOST_RESENDS or policy == "park"}
    return RecoveredDeliveries(
        resent=tuple(number for number, _, _ in found if number not in parked), parked=tuple(sorted(parked))
    )


_CLAIMED_COLUMNS = {"id": BigInteger(), "claim_id": BigInteger()}


def _still_claimed(tx: Connection, taken: str) -> list[int]:
    """The deliveries that are still claimed under these claims: others may have taken some of the listed ones since."""
    one = rows_from_json(tx.dialect, "taken", _CLAIMED_COLUMNS)
    waits = (delivery.c.state.in_(WAITING), delivery.c.due_at.is_(None))
    under = or_(delivery.c.claim_id.is_(None), delivery.c.claim_id == one.c.claim_id)
    left = select(delivery.c.id).distinct().join_from(one, delivery, delivery.c.id == one.c.id).where(*waits, under)
    return list(tx.execute(left, {"taken": taken}).scalars())


def _handed_query(dialect: Dialect) -> Select[Any]:
    one = rows_from_json(dialect, "taken", _CLAIMED_COLUMNS)
    policy = select(campaign.c.when_uncertain).where(campaign.c.id == delivery.c.campaign_id).scalar_subquery()
    found = select(delivery.c.id, delivery.c.resends, policy.label("policy"))
    found = found.join_from(one, delivery, delivery.c.id == one.c.id).order_by(delivery.c.id)
    under = (delivery.c.claim_id == one.c.claim_id, delivery.c.state == DeliveryState.HANDED)
    return as_json(dialect, found.where(*under))


def _resend_or_park_statement(dialect: Dialect) -> Update:
    one = rows_from_json(dialect, "taken", _CLAIMED_COLUMNS)
    policy = select(campaign.c.when_uncertain).where(campaign.c.id == delivery.c.campaign_id).scalar_subquery()
    parks = or_(delivery.c.resends >= MOST_RESENDS, policy == "park")
    return (
        update(delivery)
        .where(
            delivery.c.id == one.c.id, delivery.c.claim_id == one.c.claim_id, delivery.c.state == DeliveryState.HANDED
        )
        .values(
            state=case((parks, DeliveryState.UNCERTAIN), else_=DeliveryState.DEFERRED),
            resends=case((parks, delivery.c.resends), else_=delivery.c.resends + 1),
            due_at=case((parks, None), else_=bindparam("now", type_=UtcDateTime())),
            claim_id=None,
        )
    )


_SELECT_HANDED, _RESEND_OR_PARK = CompiledStatement(_handed_query), CompiledStatement(_resend_or_park_statement)
