"""The claims: deliveries taken by a worker for a while, listed in one row, so that its end is known to all."""

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
    and_,
    bindparam,
    case,
    delete,
    insert,
    or_,
    select,
    update,
)

from mailer.domain.delivery import MOST_RESENDS, NOTICES, Delivery, DeliveryState, Kind
from mailer.store import revisions
from mailer.store.batch import Prepared, as_json, fetch, fetched, instant, packed, rows_of
from mailer.store.columns import UtcDateTime
from mailer.store.gate import put_back
from mailer.store.queue_tables import campaign, claim, delivery, worker
from mailer.store.tables import subscriber, subscription


@dataclass(frozen=True, slots=True)
class Recovered:
    """What a worker that died had handed: ids of deliveries sent again, and of those parked as uncertain."""

    resent: tuple[int, ...]
    parked: tuple[int, ...]


def take(tx: Connection, campaign_id: int, worker_id: int, most: int, now: datetime) -> list[Delivery]:
    """Claim up to `most` deliveries of a campaign (or of the notices) for a worker: due ones first, then in turn.

    Of several workers that reach at once each delivery goes to one.
    """
    ids = reach(tx, campaign_id, most, now)
    if not ids:
        return []
    made = insert(claim).values(campaign_id=campaign_id, worker_id=worker_id, deliveries=ids)
    claim_id = tx.execute(made.returning(claim.c.id)).scalar_one()
    return deliveries_of(tx, campaign_id, claim_id, ids)


def reach(tx: Connection, campaign_id: int, most: int, now: datetime | None) -> list[int]:
    """Take the ids of waiting deliveries out of the queue: those whose hour has come (None: any), then the next.

    They wait for nothing any more: the caller writes down what they are for.
    """
    due = select(delivery.c.id).where(delivery.c.campaign_id == campaign_id, delivery.c.due_at.is_not(None))
    if now is not None:
        due = due.where(delivery.c.due_at <= now)
    due = due.order_by(delivery.c.due_at, delivery.c.id).limit(most).with_for_update(skip_locked=True)
    ids = [number for (number,) in fetch(tx, due)]
    if ids:
        _NO_HOUR.run(tx, ids=packed(tx.dialect, ((number,) for number in ids)))
    if campaign_id != NOTICES and len(ids) < most:
        ids += _next_in_turn(tx, campaign_id, most - len(ids))
    return ids


def _next_in_turn(tx: Connection, campaign_id: int, most: int) -> list[int]:
    one = tx.execute(
        select(campaign.c.claim_cursor, campaign.c.launch_cursor).where(campaign.c.id == campaign_id).with_for_update()
    ).one()
    if one.claim_cursor >= one.launch_cursor:
        return []
    wanted = (
        select(delivery.c.id, delivery.c.subscription_id)
        .where(
            delivery.c.campaign_id == campaign_id,
            delivery.c.campaign_id != NOTICES,
            delivery.c.subscription_id > one.claim_cursor,
            delivery.c.subscription_id <= one.launch_cursor,
            delivery.c.state == DeliveryState.QUEUED,
            delivery.c.due_at.is_(None),
        )
        .order_by(delivery.c.subscription_id)
        .limit(most)
    )
    found = fetch(tx, wanted)
    cursor = found[-1][1] if len(found) == most else one.launch_cursor
    tx.execute(update(campaign).where(campaign.c.id == campaign_id).values(claim_cursor=cursor))
    return [number for number, _ in found]


def deliveries_of(tx: Connection, campaign_id: int, claim_id: int, ids: Sequence[int]) -> list[Delivery]:
    """The deliveries of a claim (0: of none), with what their letters need; in the order of `ids`."""
    found = fetched(_CLAIMED.run(tx, ids=packed(tx.dialect, ((number,) for number in ids))))
    if campaign_id == NOTICES:
        rows = [_notice(row, claim_id) for row in found]
    else:
        told = tx.execute(select(campaign).where(campaign.c.id == campaign_id)).one()
        newest = revisions.newest(tx, campaign_id)
        rows = [_of_campaign(row, claim_id, told, newest) for row in found]
    by_id = {one.id: one for one in rows}
    return [by_id[number] for number in ids]


def _make_claimed(dialect: Dialect) -> Select[Any]:
    wanted = rows_of(dialect, "ids", {"id": BigInteger()})
    own = ("kind", "mailing_list_id", "subscription_id", "revision_id", "address", "suppression_key", "language")
    kept = ("values", "attempts", "resends", "queued_at", "dated_at")
    of_reader = (subscriber.c.address, subscriber.c.suppression_key, subscriber.c.name, subscriber.c.language)
    columns = [delivery.c[name] for name in ("id", *own, *kept)]
    readers = [one.label(f"reader_{one.name}") for one in (*of_reader, subscription.c.attributes)]
    found = (
        select(*columns, *readers)
        .join_from(wanted, delivery, delivery.c.id == wanted.c.id)
        .outerjoin(subscriber, subscriber.c.id == delivery.c.subscriber_id)
        .outerjoin(subscription, subscription.c.id == delivery.c.subscription_id)
    )
    return as_json(dialect, found)


def _notice(row: list[Any], claim_id: int) -> Delivery:
    (number, kind, list_id, subscription_id, _, address, key, language, values, attempts, resends, queued, dated) = row[
        :13
    ]
    return Delivery(
        id=number, campaign_id=NOTICES, kind=Kind(kind), mailing_list_id=list_id, subscription_id=subscription_id,
        revision_id=None, address=address, suppression_key=key, name=None, language=language, values=values or {},
        attempts=attempts, resends=resends, queued_at=_set(queued), dated_at=instant(dated), claim_id=claim_id,
    )  # fmt: skip


def _of_campaign(row: list[Any], claim_id: int, told: Any, newest: dict[str, int]) -> Delivery:
    (number, _, list_id, subscription_id, revision_id, _, _, language, values, attempts, resends, queued, dated) = row[
        :13
    ]
    address, key, name, own_language, attributes = row[13:]
    repeat = dated is not None
    if repeat:
        # Handed before, of unknown fate: the same octets, from what was kept.
        name, own_language, attributes = (values or {}).get("name"), language, values or {}
    return Delivery(
        id=number, campaign_id=told.id, kind=Kind.CAMPAIGN, mailing_list_id=list_id, subscription_id=subscription_id,
        revision_id=revision_id if repeat else _edition(own_language, newest), address=address, suppression_key=key,
        name=name, language=own_language, values=attributes, attempts=attempts, resends=resends,
        queued_at=instant(queued) or told.launched_at, dated_at=instant(dated), claim_id=claim_id,
        corrections=None if repeat else told.corrections, resend=told.when_uncertain == "resend",
    )  # fmt: skip


def _edition(language: str | None, newest: dict[str, int]) -> int:
    """The edition in the reader's language (RFC 4647 lookup: `pt-br`, then `pt`), else the default one."""
    spoken = language or ""
    while spoken:
        if spoken in newest:
            return newest[spoken]
        spoken = spoken.rpartition("-")[0]
    return next(iter(newest.values()))


def _set(text: str) -> datetime:
    read = instant(text)
    if read is None:
        raise ValueError("a notice has no hour at which it was queued")
    return read


def bury(tx: Connection, worker_ids: Iterable[int], now: datetime) -> Recovered:
    """End workers that died or lost their lease, and take back what they had.

    What was claimed waits again. What was handed may have gone out: it is sent again, the same octets, at most
    MOST_RESENDS times, or parked at once where its campaign says so.
    """
    gone = sorted(worker_ids)
    # Whoever still lives in there, in the middle of a turn, is waited for; afterwards it finds itself gone.
    tx.execute(select(worker.c.id).where(worker.c.id.in_(gone)).order_by(worker.c.id).with_for_update()).all()
    held = tx.execute(select(claim.c.id, claim.c.deliveries).where(claim.c.worker_id.in_(gone))).all()
    taken = packed(tx.dialect, ((number, one.id) for one in held for number in one.deliveries))
    in_doubt = fetched(_HANDED_UNDER.run(tx, taken=taken))
    if in_doubt:
        _IN_DOUBT.run(tx, taken=taken, now=now)
    put_back(tx, [(number, now) for one in held for number in one.deliveries], now)
    tx.execute(delete(claim).where(claim.c.worker_id.in_(gone)))
    tx.execute(delete(worker).where(worker.c.id.in_(gone)))
    parked = {number for number, resends, policy in in_doubt if resends >= MOST_RESENDS or policy == "park"}
    return Recovered(
        resent=tuple(number for number, _, _ in in_doubt if number not in parked), parked=tuple(sorted(parked))
    )


_TAKEN_ROW = {"id": BigInteger(), "claim_id": BigInteger()}


def _make_handed_under(dialect: Dialect) -> Select[Any]:
    one = rows_of(dialect, "taken", _TAKEN_ROW)
    policy = select(campaign.c.when_uncertain).where(campaign.c.id == delivery.c.campaign_id).scalar_subquery()
    found = select(delivery.c.id, delivery.c.resends, policy.label("policy")).join_from(
        one, delivery, and_(delivery.c.id == one.c.id, delivery.c.claim_id == one.c.claim_id)
    )
    return as_json(dialect, found.where(delivery.c.state == DeliveryState.HANDED).order_by(delivery.c.id))


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


def _make_no_hour(dialect: Dialect) -> Update:
    one = rows_of(dialect, "ids", {"id": BigInteger()})
    return update(delivery).where(delivery.c.id == one.c.id).values(due_at=None)


def drop(tx: Connection, claim_ids: Iterable[int]) -> None:
    """Forget claims of which nothing is open any more."""
    if gone := list(claim_ids):
        tx.execute(delete(claim).where(claim.c.id.in_(gone)))


_CLAIMED, _NO_HOUR = Prepared(_make_claimed), Prepared(_make_no_hour)
_HANDED_UNDER, _IN_DOUBT = Prepared(_make_handed_under), Prepared(_make_in_doubt)
