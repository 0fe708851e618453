"""An organiser reconsiders letters that were given up: those that failed, and those of unknown fate."""

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
"""What is done to the deliveries after a subscription; the last one looked at, None at the end."""


@dataclass(frozen=True, slots=True)
class CampaignChange:
    """A campaign afterwards, and how many of its letters were meant."""

    campaign: Campaign
    letters: int


async def retry_failed(app: App, campaign_id: int) -> CampaignChange:
    """Let the failed letters wait again, as if they were new; a campaign that was sent is sending again.

    Doing it twice does nothing more. Whoever left meanwhile is not mailed, nor is anybody once the event has begun:
    such letters become suppressed or expired. NotFound, WrongState.
    """
    return await _requeue(app, campaign_id, DeliveryState.FAILED)


async def resolve_uncertain(app: App, campaign_id: int, decision: Decision) -> CampaignChange:
    """Let the letters of unknown fate count as accepted or failed, or be written and sent anew as by `retry`.

    Doing it twice does nothing more. NotFound, WrongState.
    """
    uncertain = DeliveryState.UNCERTAIN
    if decision is Decision.RESEND:
        return await _requeue(app, campaign_id, uncertain)

    def declare(tx: Connection, after: int) -> int | None:
        return deliveries.change_final_state(tx, campaign_id, uncertain, DeliveryState(decision), after, _CHUNK)

    return await _process_chunks(
        app, campaign_id, uncertain, declare, of=_CAN_RESOLVE, may="have letters of unknown fate"
    )


async def _requeue(app: App, campaign_id: int, state: DeliveryState) -> CampaignChange:
    def wait_again(tx: Connection, after: int) -> int | None:
        campaigns.change_state(
            tx, campaign_id, CampaignState.SENDING, from_states=(CampaignState.SENT,), finished_at=None
        )
        governor_counts.reset_counts(tx, campaign_id, app.clock())  # not stopped for why they failed
        return deliveries.requeue(tx, campaign_id, state, after, _CHUNK, app.clock())

    return await _process_chunks(app, campaign_id, state, wait_again, of=_CAN_RETRY, may="have letters sent again")


async def _process_chunks(
    app: App, campaign_id: int, state: DeliveryState, act: _ChunkAction, *, of: tuple[CampaignState, ...], may: str
) -> CampaignChange:
    """Act on all deliveries in a state, a chunk at a time; WrongState unless the campaign is one `of` these."""

    def chunk(tx: Connection, after: int) -> tuple[int | None, int]:
        check_state(campaigns.get(tx, campaign_id, lock=True), allowed=of, action=may)
        number = deliveries.count_in_state(tx, campaign_id, state, after, _CHUNK)
        # Where there is nothing to do the ledger is not touched, so that "sent" stays said.
        return (act(tx, after) if number else deliveries.last_subscription_id(tx, campaign_id, after, _CHUNK)), number

    after: int | None = 0
    letters = 0
    while after is not None:
        after, number = await app.database.write(chunk, after)
        letters += number
    return CampaignChange(await app.database.read(campaigns.get, campaign_id), letters)
