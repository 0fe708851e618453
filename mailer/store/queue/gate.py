"""The gate: the one UPDATE that marks deliveries as handed. From then on a letter may have been sent.

Unsubscribing, pausing, cancelling, correcting and losing a lease all work by making this UPDATE miss its row.
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
from mailer.domain.delivery import NOTICES, DeliveryOutcome, DeliveryState
from mailer.store.bulk_rows import CompiledStatement, as_json, decode_rows, rows_from_json, rows_to_json
from mailer.store.columns import UtcDateTime
from mailer.store.database import is_sqlite
from mailer.store.queue.claim_release import IS_WAITING, is_suppressed, release_deliveries
from mailer.store.queue.queue_tables import campaign, claim, delivery
from mailer.store.queue.workers import has_lease


@dataclass(frozen=True, kw_only=True, slots=True)
class HandoffRequest:
    """A claimed delivery whose letter is rendered, and that is to be handed to a relay."""

    delivery_id: int
    claim_id: int
    campaign_id: int
    suppression_key: str
    dated_at: datetime
    revision_id: int | None
    language: str | None
    values: dict[str, Any] | None
    """What the letter used of its reader, kept for a repeat. A notice's values are in its row already."""
    corrections: int | None
    """How often the campaign had been corrected when the letter was rendered; None for a repeat, which keeps its
    text."""


def commit_batch(
    tx: Connection,
    worker_id: int,
    outcomes: Sequence[DeliveryOutcome],
    requests: Sequence[HandoffRequest],
    finished_claims: Sequence[int],
    now: datetime,
) -> set[int]:
    """Record the outcomes of letters and hand over the next ones; returns the delivery ids that may be sent now.

    Requests that missed the gate wait again or become what they should be by now. `finished_claims` are deleted. For a
    worker that lost its lease nothing is recorded and nothing is handed.
    """
    if not has_lease(tx, worker_id):
        return set()
    _lock_campaigns(tx, {one.campaign_id for one in requests if one.campaign_id != NOTICES})
    if outcomes:
        _RECORD_OUTCOMES.run(tx, settled=rows_to_json(tx.dialect, map(_outcome_row, outcomes)), now=now)
    handed = _mark_handed(tx, requests, now) if requests else set()
    if len(handed) < len(requests):
        release_deliveries(tx, [(one.delivery_id, now) for one in requests if one.delivery_id not in handed], now)
    if finished_claims:
        tx.execute(delete(claim).where(claim.c.id.in_(finished_claims)))
    return handed


def _lock_campaigns(tx: Connection, campaign_ids: set[int]) -> None:
    """PostgreSQL: lock the campaigns FOR SHARE, so that a concurrent pause waits for this commit or is seen by it."""
    if campaign_ids and not is_sqlite(tx):
        _LOCK_CAMPAIGNS.run(tx, ids=rows_to_json(tx.dialect, ((number,) for number in sorted(campaign_ids))))


def _lock_campaigns_query(dialect: Dialect) -> Select[Any]:
    one = rows_from_json(dialect, "ids", {"id": BigInteger()})
    still = select(campaign.c.id).join(one, campaign.c.id == one.c.id).order_by(campaign.c.id)
    return still.with_for_update(read=True, of=campaign)


def _mark_handed(tx: Connection, requests: Sequence[HandoffRequest], now: datetime) -> set[int]:
    rows = rows_to_json(tx.dialect, map(_request_row, requests))
    ids = {one.delivery_id for one in requests}
    if _MARK_HANDED.run(tx, requests=rows, now=now).rowcount == len(ids):
        return ids
    return {number for (number,) in decode_rows(_SELECT_HANDED.run(tx, requests=rows))}


def _request_row(one: HandoffRequest) -> tuple[Any, ...]:
    return (
        one.delivery_id, one.claim_id, one.dated_at, one.revision_id, one.language, one.values, one.suppression_key,
        one.corrections,
    )  # fmt: skip


def _outcome_row(one: DeliveryOutcome) -> tuple[Any, ...]:
    return (
        one.delivery_id, one.claim_id, one.state, one.due_at, one.resends, one.renew_date, one.code, one.reply,
        one.counts_as_try,
    )  # fmt: skip


_REQUEST_COLUMNS: dict[str, TypeEngine[Any]] = {
    "id": BigInteger(), "claim_id": BigInteger(), "dated_at": UtcDateTime(), "revision_id": BigInteger(),
    "language": String(), "values": JSON(), "suppression_key": String(), "corrections": Integer(),
}  # fmt: skip
_OUTCOME_COLUMNS: dict[str, TypeEngine[Any]] = {
    "id": BigInteger(), "claim_id": BigInteger(), "state": String(), "due_at": UtcDateTime(), "resends": Integer(),
    "renew_date": Boolean(), "code": Integer(), "reply": Text(), "counts_as_try": Boolean(),
}  # fmt: skip


def _mark_handed_statement(dialect: Dialect) -> Update:
    one = rows_from_json(dialect, "requests", _REQUEST_COLUMNS)
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
            IS_WAITING,
            delivery.c.due_at.is_(None),
            or_(delivery.c.claim_id.is_(None), delivery.c.claim_id == one.c.claim_id),
            or_(delivery.c.campaign_id == NOTICES, exists(select(literal(1)).where(sending))),
            ~is_suppressed(one.c.suppression_key),
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


def _record_outcomes_statement(dialect: Dialect) -> Update:
    one = rows_from_json(dialect, "settled", _OUTCOME_COLUMNS)
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
            attempts=case((one.c.counts_as_try, delivery.c.attempts), else_=delivery.c.attempts - 1),
            resends=one.c.resends,
            dated_at=case((one.c.renew_date, None), else_=delivery.c.dated_at),
            code=one.c.code,
            reply=one.c.reply,
            answered_at=bindparam("now", type_=UtcDateTime()),
            claim_id=None,
        )
    )


def release_own_deliveries(
    tx: Connection, worker_id: int, due_times: Sequence[tuple[int, datetime]], now: datetime
) -> None:
    """`release_deliveries` for deliveries of this worker; does nothing if it lost its lease."""
    if has_lease(tx, worker_id):
        release_deliveries(tx, due_times, now)


def _handed_query(dialect: Dialect) -> Any:
    one: Subquery = rows_from_json(dialect, "requests", _REQUEST_COLUMNS)
    handed = (delivery.c.state == DeliveryState.HANDED, delivery.c.claim_id == one.c.claim_id)
    return as_json(dialect, select(delivery.c.id).join_from(one, delivery, delivery.c.id == one.c.id).where(*handed))


# Compiled once: every commit of a campaign runs them.
_MARK_HANDED, _SELECT_HANDED = CompiledStatement(_mark_handed_statement), CompiledStatement(_handed_query)
_RECORD_OUTCOMES, _LOCK_CAMPAIGNS = (
    CompiledStatement(_record_outcomes_statement),
    CompiledStatement(_lock_campaigns_query),
)
