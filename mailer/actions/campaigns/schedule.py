"""Schedules campaigns: at a local time, or at once."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection

from mailer.actions.campaigns.campaign_access import describe_state, load_campaign, record_act
from mailer.actions.delivery.refuse_sample_settings import find_sample_settings
from mailer.app import App
from mailer.domain.actor import Actor
from mailer.domain.audit import Act
from mailer.domain.campaign import Campaign, CampaignState, check_move
from mailer.domain.local_time import parse_duration, parse_local_time, parse_zone, to_utc
from mailer.domain.role import Permission
from mailer.errors import SettingsUnfinished, TimeRefused, WrongState
from mailer.store import campaigns

_CAN_BE_SCHEDULED = (CampaignState.DRAFT, CampaignState.SCHEDULED)


async def schedule(
    app: App,
    actor: Actor,
    campaign_id: int,
    *,
    local_time: str,
    zone: str,
    over: str | None = None,
    anyway: bool = False,
) -> Campaign:
    """Schedule the campaign at a local time of a zone, spread `over` a span like 6h; scheduling again moves it.

    Raises TimeRefused for a time that does not exist or is past, a bad span, or letters that would not all be sent
    before the event begins; NotFound; NotPermitted; WrongState; SettingsUnfinished if the settings are sample ones,
    unless `anyway`, which the launch remembers.
    """
    local, clock = parse_local_time(local_time), parse_zone(zone)
    at = to_utc(local, clock)
    if at < app.clock():
        raise TimeRefused(f"{local_time} in {zone} is past")
    values = {"scheduled_at": at, "local_time": local.isoformat(timespec="seconds"), "zone": clock.key}
    return await _set_scheduled_time(app, actor, campaign_id, at, over, values | {"anyway": anyway})


async def send_now(
    app: App, actor: Actor, campaign_id: int, *, wait_s: int, over: str | None = None, anyway: bool = False
) -> Campaign:
    """Schedule the campaign `wait_s` seconds from now, which leaves time to cancel; otherwise like `schedule`."""
    at = datetime.fromtimestamp(app.clock().timestamp() + wait_s, tz=app.clock().tzinfo)
    values = {"scheduled_at": at, "local_time": at.replace(tzinfo=None).isoformat(timespec="seconds"), "zone": "UTC"}
    return await _set_scheduled_time(app, actor, campaign_id, at, over, values | {"anyway": anyway})


async def _set_scheduled_time(
    app: App, actor: Actor, campaign_id: int, at: datetime, over: str | None, values: dict[str, Any]
) -> Campaign:
    if not values["anyway"] and (why := find_sample_settings(app)) is not None:
        raise SettingsUnfinished(f"[service] in settings.toml: {why}. Mend that first, or say --anyway")
    span = parse_duration(over) if over is not None else timedelta()
    values["over_s"] = int(span.total_seconds()) or None

    def work(tx: Connection) -> Campaign:
        campaign = load_campaign(tx, actor, Permission.SEND, campaign_id)
        check_move(campaign, CampaignState.SCHEDULED, allowed=_CAN_BE_SCHEDULED)
        if campaign.event_starts_at is not None and at >= campaign.event_starts_at:
            raise TimeRefused(f"the event of campaign {campaign_id} has begun by then")
        if campaign.event_starts_at is not None and at + span >= campaign.event_starts_at:
            raise TimeRefused(f"the event of campaign {campaign_id} begins before {over} have passed from then on")
        if not campaigns.change_state(
            tx, campaign_id, CampaignState.SCHEDULED, from_states=_CAN_BE_SCHEDULED, remark=None, **values
        ):
            raise WrongState(f"campaign {campaign_id} was just moved by somebody else")
        scheduled = campaigns.get(tx, campaign_id)
        before, after = describe_state(campaign), describe_state(scheduled)
        record_act(tx, app, actor, Act.SCHEDULE_CAMPAIGN, scheduled, before=before, after=after)
        return scheduled

    return await app.database.write(work)
