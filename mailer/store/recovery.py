"""What dead workers leave behind is taken back: claims are void, and what was handed is of unknown fate."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
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
from mailer.store.batch import Prepared, as_json, fetched, packed, rows_of
from mailer.store.columns import UtcDateTime
from mailer.store.queue_tables import campaign, claim, delivery, worker
from mailer.store.release import put_back


@dataclass(frozen=True, slots=True)
class Recovered:
    """What a worker that died had handed: ids of deliveries sent again, and of those parked as uncertain."""

    resent: tuple[int, ...]
    parked: tuple[int, ...]


def bury(tx: Connection, worker_ids: Iterable[int], now: datetime) -> Recovered:
    """End workers that died or lost their lease, and take back what they had.

    What was claimed waits again. What was handed may have gone out: it is sent again, the same octets, at most
    MOST_RESENDS times, or parked at once where its campaign says so.
    """
    # Whoever is in the middle of a turn is waited for; afterwards it finds itself gone.
    named = select(worker.c.id).where(worker.c.id.in_(list(worker_ids))).order_by(worker.c.id).with_for_update()
    gone = tx.execute(named).scalars().all()
    held = tx.execute(select(claim.c.id, claim.c.deliveries).where(claim.c.worker_id.in_(gone))).all()
    taken = packed(tx.dialect, ((number, one.id) for one in held for number in one.deliveries))
    in_doubt = fetched(_HANDED_UNDER.run(tx, taken=taken))
    if in_doubt:
        _IN_DOUBT.run(tx, taken=taken, now=now)
    put_back(tx, [(number, now) for number in _left_behind(tx, gone, taken)], now)
    tx.execute(delete(claim).where(claim.c.worker_id.in_(gone)))
    tx.execute(delete(worker).where(worker.c.id.in_(gone)))
    parked = {number for number, resends, policy in in_doubt if resends >= MOST_RESENDS or policy == "park"}
    return Recovered(
        resent=tuple(number for number, _, _ in in_doubt if number not in parked), parked=tuple(sorted(parked))
    )


_TAKEN_ROW = {"id": BigInteger(), "claim_id": BigInteger()}


def _left_behind(tx: Connection, gone: Sequence[int], taken: str) -> set[int]:
    """The claimed deliveries that nobody else holds: one that was deferred may be in another's claim by now."""
    one = rows_of(tx.dialect, "taken", _TAKEN_ROW)
    waits = (delivery.c.state.in_(WAITING), delivery.c.due_at.is_(None))
    unsettled = select(delivery.c.id, delivery.c.campaign_id).join_from(one, delivery, delivery.c.id == one.c.id)
    found = {number: campaign_id for number, campaign_id in tx.execute(unsettled.where(*waits), {"taken": taken})}
    others = (claim.c.worker_id.not_in(gone), claim.c.campaign_id.in_(set(found.values())))
    held = tx.execute(select(claim.c.deliveries).where(*others)).scalars()
    return set(found).difference(*held)


def _make_handed_under(dialect: Dialect) -> Select[Any]:
    one = rows_of(dialect, "taken", _TAKEN_ROW)
    policy = select(campaign.c.when_uncertain).where(campaign.c.id == delivery.c.campaign_id).scalar_subquery()
    found = select(delivery.c.id, delivery.c.resends, policy.label("policy"))
    found = found.join_from(one, delivery, delivery.c.id == one.c.id).order_by(delivery.c.id)
    under = (delivery.c.claim_id == one.c.claim_id, delivery.c.state == DeliveryState.HANDED)
    return as_json(dialect, found.where(*under))


def _make_in_doubt(dialect: Dialect) -> Update:
    one = rows_of(dialect, "taken", _TAKEN_ROW)
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


_HANDED_UNDER, _IN_DOUBT = Prepared(_make_handed_under), Prepared(_make_in_doubt)
