"""The deliveries: the queue, its one gate, and what became of each letter."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from sqlalchemy import Boolean, Connection, Row, and_, bindparam, case, func, select, update

from mailer.domain.delivery import (
    MOST_RESENDS,
    NOT_HANDED,
    NOTICES,
    WAITING,
    Delivery,
    DeliveryState,
    Kind,
    Notice,
    Settlement,
)
from mailer.domain.suppression import EVERY_LIST
from mailer.store.database import insert_into
from mailer.store.gate import hand, put_back, release
from mailer.store.tables import delivery


@dataclass(frozen=True, slots=True)
class Recovered:
    """What a worker that died had handed: ids of deliveries sent again, and of those parked as uncertain."""

    resent: tuple[int, ...]
    parked: tuple[int, ...]


def add_notice(tx: Connection, notice: Notice, now: datetime) -> bool:
    """Put a notice into the queue; whether it is new (a cause is answered once)."""
    statement = insert_into(tx, delivery).values(
        campaign_id=NOTICES,
        kind=notice.kind,
        mailing_list_id=notice.mailing_list_id,
        subscription_id=notice.subscription_id,
        address=notice.address,
        suppression_key=notice.suppression_key,
        language=notice.language,
        values=notice.values,
        cause=notice.cause,
        state=DeliveryState.QUEUED,
        due_at=now,
        queued_at=now,
    )
    return bool(tx.execute(statement.on_conflict_do_nothing(index_elements=["cause"])).rowcount)


def claim(tx: Connection, campaign_ids: Sequence[int], worker_id: int, most: int, now: datetime) -> list[Delivery]:
    """Take about `most` due deliveries of these campaigns for a worker, a fair share of each, oldest first.

    Of several workers that reach for one row, the first update has it.
    """
    share = -(-most // max(len(campaign_ids), 1))
    claimed: list[Delivery] = []
    for campaign_id in campaign_ids:
        due = (
            select(delivery.c.id)
            .where(delivery.c.campaign_id == campaign_id, delivery.c.state.in_(WAITING), delivery.c.due_at <= now)
            .order_by(delivery.c.due_at, delivery.c.id)
            .limit(share)
            .with_for_update(skip_locked=True)
        )
        ids = tx.execute(due).scalars().all()
        rows = tx.execute(
            update(delivery)
            .where(delivery.c.id.in_(ids))
            .values(state=DeliveryState.CLAIMED, worker_id=worker_id)
            .returning(*_LETTER_COLUMNS)
        )
        claimed += sorted((_value(row) for row in rows), key=lambda one: one.id)
    return claimed


def turn(
    tx: Connection,
    settled: Sequence[Settlement],
    wanted: Mapping[int, datetime],
    worker_id: int,
    now: datetime,
) -> set[int]:
    """One turn of the ledger: what became of the last letters, and which of the `wanted` may go out next.

    `wanted` gives the Date of each letter by delivery id. Only the ids returned are handed; the claims of the
    others are given up here.
    """
    settle(tx, settled, worker_id, now)
    handed: set[int] = set()
    for dated_at in set(wanted.values()):
        ids = [number for number, date in wanted.items() if date == dated_at]
        handed |= hand(tx, ids, worker_id, dated_at, now)
    if missed := [number for number in wanted if number not in handed]:
        put_back(tx, missed, worker_id, now)
    return handed


def give_up(tx: Connection, delivery_id: int, worker_id: int, reason: str) -> None:
    """A claimed letter that cannot be written fails, and says why."""
    tx.execute(
        update(delivery)
        .where(delivery.c.id == delivery_id, delivery.c.worker_id == worker_id)
        .values(state=DeliveryState.FAILED, reply=reason, worker_id=None)
    )


def settle(tx: Connection, settlements: Sequence[Settlement], worker_id: int, now: datetime) -> None:
    """Write down what became of handed letters."""
    if not settlements:
        return
    tx.execute(
        _SETTLE,
        [
            {
                "of_id": one.delivery_id,
                "of_worker": worker_id,
                "to_state": one.state,
                "to_due_at": one.due_at,
                "to_resends": one.resends,
                "redate": one.redate,
                "to_code": one.code,
                "to_reply": one.reply,
                "now": now,
            }
            for one in settlements
        ],
    )


_SETTLE = (
    update(delivery)
    .where(
        delivery.c.id == bindparam("of_id"),
        delivery.c.state == DeliveryState.HANDED,
        delivery.c.worker_id == bindparam("of_worker"),
    )
    .values(
        state=bindparam("to_state"),
        due_at=func.coalesce(bindparam("to_due_at", type_=delivery.c.due_at.type), delivery.c.due_at),
        resends=bindparam("to_resends"),
        dated_at=case((bindparam("redate", type_=Boolean), None), else_=delivery.c.dated_at),
        code=bindparam("to_code"),
        reply=bindparam("to_reply"),
        answered_at=bindparam("now", type_=delivery.c.answered_at.type),
        worker_id=None,
    )
)


def recover(tx: Connection, campaign_id: int, worker_id: int, now: datetime) -> Recovered:
    """Take back what workers before this one had: their claims are void, their handed letters uncertain.

    A handed letter may have gone out: it is sent again, the same octets, at most MOST_RESENDS times.
    """
    lost = and_(delivery.c.campaign_id == campaign_id, delivery.c.worker_id != worker_id)
    handed = and_(lost, delivery.c.state == DeliveryState.HANDED)
    parked = tx.execute(
        update(delivery)
        .where(handed, delivery.c.resends >= MOST_RESENDS)
        .values(state=DeliveryState.UNCERTAIN, worker_id=None)
        .returning(delivery.c.id)
    )
    parked_ids = tuple(parked.scalars())
    again = tx.execute(
        update(delivery)
        .where(handed)
        .values(state=DeliveryState.DEFERRED, resends=delivery.c.resends + 1, due_at=now, worker_id=None)
        .returning(delivery.c.id)
    )
    release(tx, lost, now=now)
    return Recovered(resent=tuple(again.scalars()), parked=parked_ids)


def end_waiting(tx: Connection, campaign_id: int, to: DeliveryState, most: int) -> int:
    """Mark up to `most` waiting deliveries of a campaign as never to be sent; how many were."""
    some = select(delivery.c.id).where(delivery.c.campaign_id == campaign_id, delivery.c.state.in_(WAITING))
    return tx.execute(
        update(delivery).where(delivery.c.id.in_(some.limit(most).scalar_subquery())).values(state=to)
    ).rowcount


def suppress_waiting(tx: Connection, subscriber_id: int, mailing_list_id: int) -> None:
    """Whoever leaves has all that was not handed marked, claims too.

    On PostgreSQL this waits for a gate that is just passing one of these rows, and one that comes after finds
    the row changed: a suppression alone, not yet committed, it would not see.
    """
    of_list = () if mailing_list_id == EVERY_LIST else (delivery.c.mailing_list_id == mailing_list_id,)
    tx.execute(
        update(delivery)
        .where(
            delivery.c.subscriber_id == subscriber_id,
            delivery.c.campaign_id != NOTICES,
            delivery.c.state.in_(NOT_HANDED),
            *of_list,
        )
        .values(state=DeliveryState.SUPPRESSED, worker_id=None)
    )


_LETTER_COLUMNS = tuple(delivery.c[name] for name in (field.name for field in fields(Delivery)))


def _value(row: Row[Any]) -> Delivery:
    given = dict(row._mapping)
    return Delivery(**given | {"kind": Kind(given["kind"])})
