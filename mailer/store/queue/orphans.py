"""Orphaned deliveries: they wait neither in order nor for a due time, and no known worker holds them.

There should be none: no worker would take them, and their campaign could not end. Each one found is a bug.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Dialect,
    Select,
    and_,
    bindparam,
    cast,
    delete,
    exists,
    func,
    literal,
    or_,
    select,
    text,
    true,
)
from sqlalchemy.sql.selectable import TableValuedAlias

from mailer.domain.campaign import CampaignState
from mailer.domain.delivery import NOTICES, DeliveryState
from mailer.store import campaign_progress, campaigns
from mailer.store.bulk_rows import CompiledStatement, as_json, decode_rows, rows_from_json, rows_to_json
from mailer.store.notify import Wakeup, notify
from mailer.store.queue import claim_release, crash_recovery
from mailer.store.queue.queue_tables import campaign, claim, delivery, worker

_ACTIVE_STATES = (CampaignState.LAUNCHING, CampaignState.SENDING, CampaignState.PAUSED)
_LOOK_BACK = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Orphans:
    """The orphaned deliveries of one campaign, or of the notices."""

    waiting: tuple[int, ...]
    """Those that were not handed."""
    handed: tuple[tuple[int, int], ...]
    """Those that may have been sent, (id, claim id)."""

    @property
    def ids(self) -> list[int]:
        return sorted((*self.waiting, *(number for number, _ in self.handed)))


def list_campaigns_to_check(tx: Connection, now: datetime) -> list[int]:
    """The campaigns to look through: the notices, what is being sent, and what ended within the last day."""
    going = or_(
        campaign.c.state.in_(_ACTIVE_STATES),
        campaign.c.finished_at >= now - _LOOK_BACK,
        and_(campaign.c.state == CampaignState.CANCELLED, campaign.c.launched_at >= now - _LOOK_BACK),
    )
    return [NOTICES, *tx.execute(select(campaign.c.id).where(going).order_by(campaign.c.id)).scalars()]


def find_orphans(tx: Connection, campaign_id: int, among: Iterable[int] | None = None) -> Orphans:
    """The orphans of a campaign, or of the notices: among all its deliveries, or `among` these.

    One statement, so that a delivery that is being taken or settled is seen either before or after.
    """
    statement, ids = _FIND[campaign_id == NOTICES, among is not None], {}
    if among is not None:
        ids["ids"] = rows_to_json(tx.dialect, ((number,) for number in among))
    found = decode_rows(statement.run(tx, campaign_id=campaign_id, **ids))
    return Orphans(
        waiting=tuple(number for number, state, _ in found if state != DeliveryState.HANDED),
        handed=tuple((number, claim_id) for number, state, claim_id in found if state == DeliveryState.HANDED),
    )


def _find_query(notices: bool, among: bool, dialect: Dialect) -> Select[Any]:
    query = select(delivery.c.id, delivery.c.state, delivery.c.claim_id)
    if among:
        one = rows_from_json(dialect, "ids", {"id": BigInteger()})
        query = query.join_from(one, delivery, delivery.c.id == one.c.id)
    query = query.where(
        delivery.c.campaign_id == _CAMPAIGN,
        # Said again as the partial index has it, so that the database uses that.
        text("delivery.campaign_id = 0" if notices else "delivery.campaign_id <> 0"),
        or_(claim_release.IS_WAITING, delivery.c.state == DeliveryState.HANDED),
        delivery.c.due_at.is_(None),
        ~_is_held(dialect),
    )
    if not notices:
        query = query.where(~_is_in_turn())
    return as_json(dialect, query.order_by(delivery.c.id))


def _is_in_turn() -> ColumnElement[bool]:
    cursor = select(campaign.c.claim_cursor).where(campaign.c.id == _CAMPAIGN).scalar_subquery()
    return and_(delivery.c.state == DeliveryState.QUEUED, delivery.c.subscription_id > cursor)


def _is_held(dialect: Dialect) -> ColumnElement[bool]:
    """Its row names a claim of a known worker; or it names none, and such a claim lists it."""
    known, each = claim.join(worker, worker.c.id == claim.c.worker_id), _claimed_ids(dialect)
    named = select(claim.c.id).select_from(known).where(claim.c.campaign_id == _CAMPAIGN)
    listed = select(cast(each.c.value, BigInteger)).select_from(known.join(each, true()))
    first = and_(delivery.c.claim_id.is_(None), delivery.c.id.in_(listed.where(claim.c.campaign_id == _CAMPAIGN)))
    return or_(and_(delivery.c.claim_id.is_not(None), delivery.c.claim_id.in_(named)), first)


def _claimed_ids(dialect: Dialect) -> TableValuedAlias:
    """The numbers in a claim's list, as rows."""
    each = func.json_each if dialect.name == "sqlite" else func.json_array_elements_text
    return each(claim.c.deliveries).table_valued("value", name="listed")


_CAMPAIGN = bindparam("campaign_id", type_=BigInteger())
_FIND = {
    (notices, among): CompiledStatement(partial(_find_query, notices, among))
    for notices in (False, True)
    for among in (False, True)
}


def requeue_orphans(tx: Connection, campaign_id: int, ids: Iterable[int], now: datetime) -> Orphans:
    """Requeue those of these deliveries that are orphans, like a dead worker's; returns which they were.

    A campaign that counted as sent is sending again if one of them waits.
    """
    # Waits for others that are changing one of these rows, and keeps them from it until the commit.
    locked = select(delivery.c.id).where(delivery.c.id.in_(list(ids))).order_by(delivery.c.id).with_for_update()
    found = find_orphans(tx, campaign_id, tx.execute(locked).scalars())
    claim_release.release_deliveries(tx, [(number, now) for number in found.waiting], now)
    crash_recovery.recover_handed(tx, found.handed, now)
    if found.ids and campaign_progress.any_waiting(tx, campaign_id):
        campaigns.change_state(
            tx, campaign_id, CampaignState.SENDING, from_states=(CampaignState.SENT,), finished_at=None
        )
    if found.ids:
        notify(tx, Wakeup.NOTICES, Wakeup.CAMPAIGNS)
    return found


def delete_empty_claims(tx: Connection, campaign_id: int) -> list[int]:
    """Delete claims of which no delivery is held, whoever took them: they would keep their campaign open."""
    number = _claimed_ids(tx.dialect)
    one = or_(
        and_(
            claim_release.IS_WAITING,
            delivery.c.due_at.is_(None),
            or_(delivery.c.claim_id.is_(None), delivery.c.claim_id == claim.c.id),
        ),
        and_(delivery.c.state == DeliveryState.HANDED, delivery.c.claim_id == claim.c.id),
    )
    held = select(literal(1)).select_from(number.join(delivery, delivery.c.id == cast(number.c.value, BigInteger)))
    empty = (claim.c.campaign_id == campaign_id, ~exists(held.where(one).correlate(claim)))
    return list(tx.execute(delete(claim).where(*empty).returning(claim.c.id)).scalars())
