"""How many deliveries of a campaign are in each state, without counting them.

Triggers of the table delivery keep `campaign_count`, in the transaction that changes a state: see the migration 0007.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence

from sqlalchemy import (
    BigInteger,
    Connection,
    Dialect,
    Select,
    String,
    and_,
    bindparam,
    case,
    cast,
    delete,
    func,
    literal,
    or_,
    select,
    true,
    union_all,
)

from mailer.domain.delivery import NOTICES, SETTLED, DeliveryState
from mailer.store.bulk_rows import CompiledStatement
from mailer.store.counts.count_tables import campaign_count
from mailer.store.inserts import insert_into
from mailer.store.queue.claim_release import IS_WAITING
from mailer.store.queue.queue_tables import campaign, claim, delivery

_UNCOUNTED = (DeliveryState.QUEUED, DeliveryState.HANDED)
"""The states of rows that the triggers leave out."""
_AUDIENCE = "audience"


def count_by_state(tx: Connection, campaign_id: int) -> dict[DeliveryState, int]:
    """How many deliveries of a campaign are in each state; only states that occur. Their sum is the audience.

    Reads the counted states, and the deliveries in the workers' hands; never all.
    """
    found = Counter[str]()
    for row in _COUNT.run(tx, campaign_id=campaign_id):
        found[row.state] += int(row.number)
        if row.was is not None:
            found[row.was] -= int(row.number)
    audience = found.pop(_AUDIENCE, 0)
    found[DeliveryState.QUEUED] += audience - found.total()
    return {DeliveryState(state): number for state, number in found.items() if number}


def _count_query(dialect: Dialect) -> Select[tuple[str, str | None, int]]:
    """Rows of (state, the state that these rows were counted in, number), of one instant."""
    unknown = cast(literal(None), String)
    of_campaign = campaign_count.c.campaign_id == _CAMPAIGN
    counted = select(campaign_count.c.state, unknown.label("was"), func.sum(campaign_count.c.number).label("number"))
    audience = select(literal(_AUDIENCE, String), unknown, campaign.c.audience).where(campaign.c.id == _CAMPAIGN)
    together = union_all(counted.where(of_campaign).group_by(campaign_count.c.state), audience, _held_query(dialect))
    return select(*together.subquery("counted").c)


def _held_query(dialect: Dialect) -> Select[tuple[str, str | None, int]]:
    """Those that a worker holds: claimed, where the row says that it waits, or handed."""
    each = func.json_each if dialect.name == "sqlite" else func.json_array_elements_text
    listed = each(claim.c.deliveries).table_valued("value", name="listed")
    number = cast(listed.c.value, BigInteger).label("id")
    ids = select(number).distinct().select_from(claim.join(listed, true())).where(claim.c.campaign_id == _CAMPAIGN)
    held = ids.subquery("held")
    handed = delivery.c.state == DeliveryState.HANDED
    state = case((handed, DeliveryState.HANDED.value), else_=DeliveryState.CLAIMED.value).label("state")
    was = case((delivery.c.state == DeliveryState.DEFERRED, DeliveryState.DEFERRED.value)).label("was")
    return (
        select(state, was, func.count().label("number"))
        .join_from(held, delivery, delivery.c.id == held.c.id)
        .where(or_(handed, and_(IS_WAITING, delivery.c.due_at.is_(None))))
        .group_by(state, was)
    )


_CAMPAIGN = bindparam("campaign_id", type_=BigInteger())
_COUNT = CompiledStatement(_count_query)


def settled_counts(tx: Connection, campaign_ids: Sequence[int]) -> dict[int, Counter[DeliveryState]]:
    """How many deliveries of each of these campaigns are in each settled state."""
    found: dict[int, Counter[DeliveryState]] = defaultdict(Counter)
    counted = select(campaign_count.c.campaign_id, campaign_count.c.state, func.sum(campaign_count.c.number))
    counted = counted.where(campaign_count.c.campaign_id.in_(campaign_ids), campaign_count.c.state.in_(SETTLED))
    for number, state, settled in tx.execute(counted.group_by(campaign_count.c.campaign_id, campaign_count.c.state)):
        found[number][DeliveryState(state)] = int(settled)
    return dict(found)


def recount_all(tx: Connection) -> None:
    """Count all deliveries anew: after rows were written that no trigger saw."""
    tx.execute(delete(campaign_count))
    counted = select(delivery.c.campaign_id, delivery.c.state, literal(0), func.count())
    counted = counted.where(delivery.c.campaign_id != NOTICES, delivery.c.state.not_in(_UNCOUNTED))
    columns = ["campaign_id", "state", "shard", "number"]
    rows = counted.group_by(delivery.c.campaign_id, delivery.c.state)
    tx.execute(insert_into(tx, campaign_count).from_select(columns, rows))
