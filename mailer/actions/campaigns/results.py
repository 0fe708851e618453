"""What came of a campaign: why letters bounced, who left and complained by hour, and the campaigns before it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import Connection

from mailer.actions.campaigns.campaign_access import load_campaign
from mailer.app import App
from mailer.domain.accounts.actor import Actor
from mailer.domain.accounts.role import Permission
from mailer.domain.address import hide_addresses
from mailer.domain.bounce import FeedbackKind
from mailer.domain.campaign import Campaign
from mailer.domain.delivery import DeliveryState
from mailer.store import campaign_results
from mailer.store.campaign_results import MOST_BOUNCES, BounceGroup, HourCount
from mailer.store.counts import campaign_counts

MOST_GROUPED = MOST_BOUNCES
"""So many bounces of a campaign are grouped by their reason, at most."""
HOURS = 48
"""Leaves, bounces and complaints are shown for so many hours after a launch."""
_COMPARED, _HOUR = 10, timedelta(hours=1)


@dataclass(frozen=True, kw_only=True, slots=True)
class HourOfResults:
    """What happened in one hour after the launch."""

    begins_at: datetime
    bounces: int
    complaints: int
    left: int


@dataclass(frozen=True, kw_only=True, slots=True)
class CampaignOutcome:
    """A campaign's sums, to be compared with those of others."""

    campaign: Campaign
    audience: int
    accepted: int
    left: int
    """People who left the list within HOURS of the launch."""
    complaints: int


@dataclass(frozen=True, kw_only=True, slots=True)
class CampaignResults:
    """What came of a campaign that was launched."""

    bounces: tuple[BounceGroup, ...]
    """By severity and reason, the most frequent first; without addresses for whoever may not see people."""
    is_partial: bool
    """Whether there are more bounces than were grouped."""
    hours: tuple[HourOfResults, ...]
    """From the launch to the last hour in which something happened; at most HOURS."""
    outcomes: tuple[CampaignOutcome, ...]
    """This campaign, and up to ten of its list that were launched before it, newest first."""


async def show_results(app: App, actor: Actor, campaign_id: int) -> CampaignResults:
    """The results so far; empty before the launch. Raises NotFound, NotPermitted."""

    def work(tx: Connection) -> CampaignResults:
        campaign = load_campaign(tx, actor, Permission.READ, campaign_id)
        if campaign.launched_at is None:
            return CampaignResults(bounces=(), is_partial=False, hours=(), outcomes=())
        bounces = campaign_results.group_bounces(tx, campaign_id)
        if not actor.may(Permission.SEE_PEOPLE, campaign.mailing_list_id):
            bounces = [replace(one, example=hide_addresses(one.example)) for one in bounces]
        counted = campaign_results.count_by_hour(tx, campaign_id, campaign.mailing_list_id, campaign.launched_at, HOURS)
        return CampaignResults(
            bounces=tuple(bounces),
            is_partial=sum(one.number for one in bounces) >= MOST_BOUNCES,
            hours=hours_of(counted, campaign.launched_at),
            outcomes=_load_outcomes(tx, campaign),
        )

    return await app.database.read(work)


def hours_of(counted: list[HourCount], launched_at: datetime) -> tuple[HourOfResults, ...]:
    """One value for each hour from the launch to the last in which something happened."""
    numbers = {(one.hour, one.what): one.number for one in counted}
    last = min(max((one.hour for one in counted), default=-1), HOURS - 1)
    return tuple(
        HourOfResults(
            begins_at=launched_at + hour * _HOUR,
            bounces=numbers.get((hour, FeedbackKind.BOUNCE), 0),
            complaints=numbers.get((hour, FeedbackKind.COMPLAINT), 0),
            left=numbers.get((hour, "left"), 0),
        )
        for hour in range(last + 1)
    )


def _load_outcomes(tx: Connection, campaign: Campaign) -> tuple[CampaignOutcome, ...]:
    compared = [campaign, *campaign_results.list_launched_before(tx, campaign, _COMPARED)]
    launches = {one.id: one.launched_at for one in compared if one.launched_at is not None}
    aftermath = campaign_results.count_aftermath(tx, campaign.mailing_list_id, launches, HOURS)
    settled = campaign_counts.settled_counts(tx, [one.id for one in compared])
    return tuple(
        CampaignOutcome(
            campaign=one,
            audience=one.audience,
            accepted=settled[one.id][DeliveryState.ACCEPTED] if one.id in settled else 0,
            left=aftermath[one.id].left,
            complaints=aftermath[one.id].complaints,
        )
        for one in compared
    )
