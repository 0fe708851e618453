"""Deliveries: how they come into the queue, and what is changed in it from outside."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Connection, Dialect, Update, bindparam, func, select, update

from mailer.domain.campaign import FINISHED
from mailer.domain.delivery import NOTICES, WAITING, Delivery, DeliveryState, Kind, Notice
from mailer.domain.suppression import EVERY_LIST
from mailer.store.bulk_rows import CompiledStatement, rows_from_json, rows_to_json
from mailer.store.inserts import insert_into
from mailer.store.notify import Wakeup, notify
from mailer.store.people_tables import subscription
from mailer.store.queue import claims
from mailer.store.queue.queue_tables import campaign, delivery


def add_notice(tx: Connection, notice: Notice, now: datetime) -> bool:
    """Queue a notice and wake its senders; returns whether it is new (a cause is answered once)."""
    return queue_notice(tx, notice, now) is not None


def queue_notice(tx: Connection, notice: Notice, now: datetime) -> int | None:
    """Queue a notice and wake its senders; returns the delivery's id, or None if its cause was answered before."""
    notify(tx, Wakeup.NOTICES)
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
        revision_id=notice.revision_id,
        state=DeliveryState.QUEUED,
        due_at=now,
        queued_at=now,
    )
    return tx.execute(statement.on_conflict_do_nothing().returning(delivery.c.id)).scalar_one_or_none()


@dataclass(frozen=True, slots=True)
class PastNotice:
    """Whom a notice went to."""

    id: int
    address: str
    mailing_list_id: int | None


def list_notices_about(tx: Connection, subscription_id: int) -> list[PastNotice]:
    """The notices about a subscription, which may be deleted by now. No index serves this: use it rarely."""
    columns = (delivery.c.id, delivery.c.address, delivery.c.mailing_list_id)
    found = tx.execute(
        select(*columns).where(delivery.c.campaign_id == NOTICES, delivery.c.subscription_id == subscription_id)
    )
    return [PastNotice(*row) for row in found]


def list_by_cause(tx: Connection, causes: Sequence[str]) -> list[int]:
    """The notices with these causes."""
    return list(tx.execute(select(delivery.c.id).where(delivery.c.cause.in_(causes))).scalars())


@dataclass(frozen=True, slots=True)
class NoticeOutcome:
    """What became of a notice."""

    cause: str
    queued_at: datetime
    state: DeliveryState
    reply: str
    """What the relay said last; empty where it said nothing yet."""


def list_outcomes(tx: Connection, causes: Sequence[str]) -> list[NoticeOutcome]:
    """What became of the notices with these causes."""
    columns = (delivery.c.cause, delivery.c.queued_at, delivery.c.state, delivery.c.reply)
    found = tx.execute(select(*columns).where(delivery.c.cause.in_(causes)))
    return [NoticeOutcome(row.cause, row.queued_at, DeliveryState(row.state), row.reply or "") for row in found]


def list_notice_values(
    tx: Connection, suppression_key: str, kind: Kind, subscription_id: int, since: datetime
) -> list[dict[str, Any]]:
    """The values of all notices of a kind that a person got about a subscription since then."""
    found = select(delivery.c["values"]).where(
        delivery.c.campaign_id == NOTICES,
        delivery.c.suppression_key == suppression_key,
        delivery.c.kind == kind,
        delivery.c.subscription_id == subscription_id,
        delivery.c.queued_at >= since,
    )
    return list(tx.execute(found).scalars())


def requeue_failed(tx: Connection, due_times: Mapping[int, datetime]) -> list[int]:
    """Let failed deliveries wait until their due time, by id; returns the ids of those that had failed."""
    failed = select(delivery.c.id).where(delivery.c.id.in_(list(due_times)), delivery.c.state == DeliveryState.FAILED)
    found = list(tx.execute(failed).scalars())
    for number in found:
        values = {"state": DeliveryState.DEFERRED, "due_at": due_times[number], "dated_at": None}
        tx.execute(update(delivery).where(delivery.c.id == number).values(values))
    return found


def end_waiting(tx: Connection, campaign_id: int, to: DeliveryState, limit: int) -> int:
    """End up to `limit` waiting deliveries of a campaign in the state `to`; returns how many."""
    locked = claims.lock_waiting(tx, campaign_id, limit, None)
    _END_WAITING.run(tx, ids=rows_to_json(tx.dialect, ((number,) for number in locked.ids)), to_state=to)
    claims.advance_cursor(tx, campaign_id, locked)
    return len(locked.ids)


def _end_waiting_statement(dialect: Dialect) -> Update:
    one = rows_from_json(dialect, "ids", {"id": BigInteger()})
    return update(delivery).where(delivery.c.id == one.c.id).values(state=bindparam("to_state"), due_at=None)


_END_WAITING = CompiledStatement(_end_waiting_statement)


def suppress_waiting(tx: Connection, subscriber_id: int, mailing_list_id: int) -> None:
    """Suppress all deliveries to a person who leaves that were not handed, claimed ones too.

    On PostgreSQL this waits for a gate that is just passing one of these rows, and a later gate finds the row changed.
    A suppression that is not committed yet would not stop it.
    """
    theirs = select(subscription.c.id).where(subscription.c.subscriber_id == subscriber_id)
    if mailing_list_id != EVERY_LIST:
        theirs = theirs.where(subscription.c.mailing_list_id == mailing_list_id)
    going = select(campaign.c.id).where(campaign.c.launched_at.is_not(None), campaign.c.state.not_in(FINISHED))
    tx.execute(
        update(delivery)
        .where(
            delivery.c.campaign_id.in_(list(tx.execute(going).scalars())),
            delivery.c.campaign_id != NOTICES,
            delivery.c.subscription_id.in_(list(tx.execute(theirs).scalars())),
            delivery.c.state.in_(WAITING),
        )
        .values(state=DeliveryState.SUPPRESSED, due_at=None)
    )


def list_waiting(tx: Connection, campaign_id: int, after: int, limit: int) -> list[Delivery]:
    """The next `limit` deliveries after a subscription whose letter is still to be rendered; they stay in the queue.

    They have what their letters need, in the order of their subscriptions. Repeats are left out: their letter was
    rendered before.
    """
    to_write = (
        delivery.c.campaign_id == campaign_id,
        delivery.c.campaign_id != NOTICES,
        delivery.c.subscription_id > after,
        delivery.c.state.in_(WAITING),
        delivery.c.dated_at.is_(None),
    )
    ids = list(
        tx.execute(select(delivery.c.id).where(*to_write).order_by(delivery.c.subscription_id).limit(limit)).scalars()
    )
    return claims.load_deliveries(tx, campaign_id, 0, ids) if ids else []


def count_in_state(tx: Connection, campaign_id: int, state: DeliveryState, after: int, limit: int) -> int:
    """How many of the next `limit` deliveries of a campaign after a subscription are in a state."""
    upto = last_subscription_id(tx, campaign_id, after, limit)
    if upto is None:
        return 0
    among = select(func.count()).where(*_in_chunk(campaign_id, after, upto), delivery.c.state == state)
    return tx.execute(among).scalar_one()


def requeue(
    tx: Connection, campaign_id: int, from_state: DeliveryState, after: int, limit: int, now: datetime
) -> int | None:
    """Let deliveries in a final state wait again as if new: of the next `limit` after a subscription.

    Of an uncertain one it stays known that it may have arrived once. Returns the last subscription looked at, or None
    at the end. No worker holds any of them.
    """
    upto = last_subscription_id(tx, campaign_id, after, limit)
    if upto is not None:
        resends = int(from_state is DeliveryState.UNCERTAIN)
        values = {
            "attempts": 0,
            "resends": resends,
            "dated_at": None,
            "values": None,
            "language": None,
            "revision_id": None,
        }
        tx.execute(
            update(delivery)
            .where(*_in_chunk(campaign_id, after, upto), delivery.c.state == from_state)
            .values(state=DeliveryState.QUEUED, due_at=now, queued_at=now, **values)
        )
        notify(tx, Wakeup.CAMPAIGNS)
    return upto


def change_final_state(
    tx: Connection, campaign_id: int, from_state: DeliveryState, to_state: DeliveryState, after: int, limit: int
) -> int | None:
    """Move deliveries from one final state to another, as an organiser decided; otherwise as `requeue`."""
    upto = last_subscription_id(tx, campaign_id, after, limit)
    if upto is not None:
        tx.execute(
            update(delivery)
            .where(*_in_chunk(campaign_id, after, upto), delivery.c.state == from_state)
            .values(state=to_state)
        )
    return upto


def last_subscription_id(tx: Connection, campaign_id: int, after: int, limit: int) -> int | None:
    """The last subscription of the next `limit` deliveries of a campaign after one; None at the end."""
    some = select(delivery.c.subscription_id).where(
        delivery.c.campaign_id == campaign_id, delivery.c.campaign_id != NOTICES, delivery.c.subscription_id > after
    )
    return max(tx.execute(some.order_by(delivery.c.subscription_id).limit(limit)).scalars(), default=None)


def _in_chunk(campaign_id: int, after: int, upto: int) -> tuple[ColumnElement[bool], ...]:
    return (
        delivery.c.campaign_id == campaign_id,
        delivery.c.campaign_id != NOTICES,
        delivery.c.subscription_id > after,
        delivery.c.subscription_id <= upto,
    )
