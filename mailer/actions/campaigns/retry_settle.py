"""Retries failed letters of a campaign, and resolves letters of uncertain outcome."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import Connection

from mailer.actions.campaigns.campaign_access import load_campaign, record_act
from mailer.app import App
from mailer.domain.accounts.actor import Actor
from mailer.domain.accounts.audit import Act
from mailer.domain.accounts.role import Permission
from mailer.domain.campaign import Campaign, CampaignState, check_state
from mailer.domain.delivery import Decision, DeliveryState
from mailer.store import campaigns, governor_counts
from mailer.store.counts import campaign_counts
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


@dataclass(frozen=True, slots=True)
class _Run:
    """What is done to the letters of one campaign that are in one state."""

    app: App
    actor: Actor
    campaign_id: int
    state: DeliveryState
    allowed: tuple[CampaignState, ...]
    action: str
    decision: Decision


async def retry_failed(app: App, actor: Actor, campaign_id: int) -> CampaignChange:
    """Queue failed letters again as if they were new; a sent campaign is sending again. Idempotent.

    Recipients who unsubscribed meanwhile are not mailed, nor is anybody after the event began: such letters become
    suppressed or expired. Raises NotFound, WrongState, NotPermitted.
    """
    return await _requeue(app, actor, campaign_id, DeliveryState.FAILED)


async def resolve_uncertain(app: App, actor: Actor, campaign_id: int, decision: Decision) -> CampaignChange:
    """Count letters of uncertain outcome as accepted or failed, or queue them again like `retry_failed`. Idempotent.

    Raises NotFound, WrongState, NotPermitted.
    """
    uncertain = DeliveryState.UNCERTAIN
    if decision is Decision.RESEND:
        return await _requeue(app, actor, campaign_id, uncertain)

    def declare(tx: Connection, after: int) -> int | None:
        return deliveries.change_final_state(tx, campaign_id, uncertain, DeliveryState(decision), after, _CHUNK)

    run = _Run(app, actor, campaign_id, uncertain, _CAN_RESOLVE, "have letters of uncertain outcome", decision)
    return await _process_chunks(run, declare)


async def _requeue(app: App, actor: Actor, campaign_id: int, state: DeliveryState) -> CampaignChange:
    def wait_again(tx: Connection, after: int) -> int | None:
        campaigns.change_state(
            tx, campaign_id, CampaignState.SENDING, from_states=(CampaignState.SENT,), finished_at=None
        )
        governor_counts.reset_counts(tx, campaign_id, app.clock())  # earlier failures must not pause it again
        return deliveries.requeue(tx, campaign_id, state, after, _CHUNK, app.clock())

    run = _Run(app, actor, campaign_id, state, _CAN_RETRY, "have letters sent again", Decision.RESEND)
    return await _process_chunks(run, wait_again)


async def _process_chunks(run: _Run, act: _ChunkAction) -> CampaignChange:
    """Act on all deliveries of the run, in chunks. Raises WrongState unless the campaign's state allows it."""
    app = run.app

    def chunk(tx: Connection, after: int) -> tuple[int | None, int]:
        campaign = load_campaign(tx, run.actor, Permission.SEND, run.campaign_id, lock=True)
        check_state(campaign, allowed=run.allowed, action=run.action)
        if after == 0:
            _record_begin(tx, run, campaign)
        number = deliveries.count_in_state(tx, run.campaign_id, run.state, after, _CHUNK)
        # With nothing to do nothing is written, so that a sent campaign stays sent.
        if not number:
            return deliveries.last_subscription_id(tx, run.campaign_id, after, _CHUNK), 0
        return act(tx, after), number

    after: int | None = 0
    letters = 0
    while after is not None:
        after, number = await app.database.write(chunk, after)
        letters += number
    return CampaignChange(await app.database.read(campaigns.get, run.campaign_id), letters)


def _record_begin(tx: Connection, run: _Run, campaign: Campaign) -> None:
    """Write the run's one line of the audit log with its first chunk, so that no letter changes without it."""
    number = campaign_counts.count_by_state(tx, campaign.id).get(run.state, 0)
    if number:
        act = Act.RETRY_FAILED if run.state is DeliveryState.FAILED else Act.SETTLE_UNCERTAIN
        before = {"state": campaign.state.value, run.state.value: number}
        record_act(tx, run.app, run.actor, act, campaign, before=before, after={"decision": run.decision.value})
