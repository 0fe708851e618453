"""Retries failed letters of a campaign, and resolves letters of uncertain outcome."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import Connection

from mailer.app import App
from mailer.domain.campaign import Campaign, CampaignState, check_state
from mailer.domain.delivery import Decision, DeliveryState
from mailer.store import campaigns, governor_counts
from mailer.store.queue import deliveries

_CHUNK = 5000
_CAN_RETRY = (CampaignState.SENDING, CampaignState.PAUSED, CampaignState.SENT)
_CAN_RESOLVE = (*_CAN_RETRY, CampaignState.CANCELLED)

_ChunkAction = Callable[[Connection, int], int | None]
"""Acts on the deliveries after a subscription id; returns the last id it looked at, or None at the end."""


@dataclass(frozen=True, slots=True)
class CampaignChange:
    """A campaign after the change, and how many of its letters were in the given state."""

    campaign: Campaign
    letters: int


async def retry_failed(app: App, campaign_id: int) -> CampaignChange:
    """Queue failed letters again as if they were new; a sent campaign is sending again. Idempotent.

    Recipients who unsubscribed meanwhile are not mailed, nor is anybody after the event began: such letters become
    suppressed or expired. Raises NotFound, WrongState.
    """
    return await _requeue(app, campaign_id, DeliveryState.FAILED)


async def resolve_uncertain(app: App, campaign_id: int, decision: Decision) -> CampaignChange:
    """Count letters of uncertain outcome as accepted or failed, or queue them again like `retry_failed`. Idempotent.

    Raises NotFound, WrongState.
    """
    uncertain = DeliveryState.UNCERTAIN
    if decision is Decision.RESEND:
        return await _requeue(app, campaign_id, uncertain)

    def declare(tx: Connection, after: int) -> int | None:
        return deliveries.change_final_state(tx, campaign_id, uncertain, DeliveryState(decision), after, _CHUNK)

    return await _process_chunks(
        app, campaign_id, uncertain, declare, of=_CAN_RESOLVE, may="have letters of uncertain outcome"
    )


async def _requeue(app: App, campaign_id: int, state: DeliveryState) -> CampaignChange:
    def wait_again(tx: Connection, after: int) -> int | None:
        campaigns.change_state(
            tx, campaign_id, CampaignState.SENDING, from_states=(CampaignState.SENT,), finished_at=None
        )
        governor_counts.reset_counts(tx, campaign_id, app.clock())  # earlier failures must not pause it again
        return deliveries.requeue(tx, campaign_id, state, after, _CHUNK, app.clock())

    return await _process_chunks(app, campaign_id, state, wait_again, of=_CAN_RETRY, may="have letters sent again")


async def _process_chunks(
    app: App, campaign_id: int, state: DeliveryState, act: _ChunkAction, *, of: tuple[CampaignState, ...], may: str
) -> CampaignChange:
    """Act on all deliveries in a state, in chunks. Raises WrongState unless the campaign is in one of `of`."""

    def chunk(tx: Connection, after: int) -> tuple[int | None, int]:
        check_state(campaigns.get(tx, campaign_id, lock=True), allowed=of, action=may)
        number = deliveries.count_in_state(tx, campaign_id, state, after, _CHUNK)
        # With nothing to do nothing is written, so that a sent campaign stays sent.
        return (act(tx, after) if number else deliveries.last_subscription_id(tx, campaign_id, after, _CHUNK)), number

    after: int | None = 0
    letters = 0
    while after is not None:
        after, number = await app.database.write(chunk, after)
        letters += number
    return CampaignChange(await app.database.read(campaigns.get, campaign_id), letters)
