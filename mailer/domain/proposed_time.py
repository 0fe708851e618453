"""Proposes the hour of a campaign: as its list is used to."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from mailer.domain.campaign import Campaign, CampaignState
from mailer.domain.local_time import parse_zone, to_utc
from mailer.errors import TimeRefused

_NOT_SOONER = timedelta(minutes=10)
"""A proposed hour leaves time to look at the page and to think."""
_WEEK = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class ProposedTime:
    """An hour in a zone, not past, and why it is proposed."""

    local_time: datetime
    """Naive, in `zone`."""
    zone: str
    is_habit: bool
    """Whether it is the weekday and hour of the list's last campaign; else it is the next full hour."""


def propose_time(campaign: Campaign, last: Campaign | None, zone: str, now: datetime) -> ProposedTime:
    """When a campaign might go: its own hour if that is ahead, else the weekday and hour of the list's `last` campaign,
    else the next full hour in the list's `zone`."""
    own = _local_time(campaign)
    if own is not None and (campaign.state is CampaignState.SCHEDULED or _is_ahead(*own, now)):
        return ProposedTime(own[0], own[1], is_habit=False)
    if last is not None and (habit := _local_time(last)) is not None:
        local, its_zone = habit
        weeks = max((now.astimezone(ZoneInfo(its_zone)).replace(tzinfo=None) - local) // _WEEK, 0)
        for week in range(weeks, weeks + 3):
            if _is_ahead(local + week * _WEEK, its_zone, now):
                return ProposedTime(local + week * _WEEK, its_zone, is_habit=True)
    return ProposedTime(_next_full_hour(zone, now), zone, is_habit=False)


def _local_time(campaign: Campaign) -> tuple[datetime, str] | None:
    """The hour that somebody chose for it; one sent "now" has an hour in UTC that nobody chose."""
    if campaign.local_time is None or campaign.zone is None:
        return None
    local = datetime.fromisoformat(campaign.local_time)
    was_now = campaign.zone == "UTC" and local.second != 0
    return None if was_now else (local, campaign.zone)


def _is_ahead(local: datetime, zone: str, now: datetime) -> bool:
    try:
        return to_utc(local, parse_zone(zone)) >= now + _NOT_SOONER
    except TimeRefused:
        return False


def _next_full_hour(zone: str, now: datetime) -> datetime:
    # Hours are counted in UTC, so that none is proposed which the clock skips.
    local = (now + _NOT_SOONER + timedelta(hours=1)).astimezone(ZoneInfo(zone))
    return local.replace(minute=0, second=0, microsecond=0, tzinfo=None)
