"""Schedules campaigns: at a local time, or at once."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection

from mailer.actions.campaigns.approve import require_reviewed
from mailer.actions.campaigns.campaign_access import describe_state, load_campaign, record_act
from mailer.actions.campaigns.checked_drafts import CheckedDrafts
from mailer.actions.campaigns.edition_audience import AS_BEFORE, AudienceChoice, chosen_earlier, chosen_languages
from mailer.actions.campaigns.freeze_drafts import freeze, require_approval, with_checked_drafts
from mailer.actions.campaigns.new_campaign import event_start_time
from mailer.actions.campaigns.preflight.check_campaign import require_no_blocker
from mailer.actions.delivery.refuse_sample_settings import find_sample_settings
from mailer.app import App
from mailer.domain.accounts.actor import Actor
from mailer.domain.accounts.audit import Act
from mailer.domain.accounts.role import Permission
from mailer.domain.campaign import Campaign, CampaignState, check_move, check_reason
from mailer.domain.local_time import parse_duration, parse_local_time, parse_zone, to_utc
from mailer.errors import SettingsUnfinished, TimeRefused, WrongState
from mailer.mail.compose.problem import ProblemSeverity
from mailer.store import campaigns

_CAN_BE_SCHEDULED = (CampaignState.DRAFT, CampaignState.SCHEDULED)


@dataclass(frozen=True, kw_only=True, slots=True)
class Reviewed:
    """What somebody saw on the review page and agreed to."""

    digest: str
    """Of the texts: ReviewView.digest."""
    accepted: frozenset[str]
    """The keys of the warnings that are meant so."""


async def schedule(
    app: App,
    actor: Actor,
    campaign_id: int,
    *,
    local_time: str,
    zone: str,
    over: str | None = None,
    anyway: str | None = None,
    reviewed: Reviewed | None = None,
    audience: AudienceChoice = AS_BEFORE,
) -> Campaign:
    """Schedule the campaign at a local time of a zone, spread `over` a span like 6h; scheduling again moves it.

    Its letters have the texts of its drafts from now on. With `reviewed` these must be the texts that were reviewed,
    with every warning accepted; without, warnings are passed over. `audience` says to the readers of which editions it
    goes; those of others wait, and their texts need not be finished.

    Raises TimeRefused for a time that does not exist or is past, a bad span, or letters that would not all be sent
    before the event begins; CampaignFileRefused with language and line for a text with an error;
    WrongState, also for an approval or a warning that is missing; NotFound; NotPermitted. Also SettingsUnfinished if
    the settings are sample ones, and CheckFailed if the quick part of the check finds what blocks, unless `anyway` says
    why it goes all the same: the campaign keeps that, and its launch heeds it.
    """
    local, clock = parse_local_time(local_time), parse_zone(zone)
    at = to_utc(local, clock)
    if at < app.clock():
        raise TimeRefused(f"{local_time} in {zone} is past")
    values = {"scheduled_at": at, "local_time": local.isoformat(timespec="seconds"), "zone": clock.key}
    values |= {"anyway": anyway is not None, "anyway_reason": check_reason(anyway)}
    return await _set_scheduled_time(app, actor, campaign_id, over, values, reviewed, audience)


async def send_now(
    app: App,
    actor: Actor,
    campaign_id: int,
    *,
    wait_s: int,
    over: str | None = None,
    anyway: str | None = None,
    reviewed: Reviewed | None = None,
    audience: AudienceChoice = AS_BEFORE,
) -> Campaign:
    """Schedule the campaign `wait_s` seconds from now, which leaves time to cancel; otherwise like `schedule`."""
    at = datetime.fromtimestamp(app.clock().timestamp() + wait_s, tz=app.clock().tzinfo)
    values = {"scheduled_at": at, "local_time": at.replace(tzinfo=None).isoformat(timespec="seconds"), "zone": "UTC"}
    values |= {"anyway": anyway is not None, "anyway_reason": check_reason(anyway)}
    return await _set_scheduled_time(app, actor, campaign_id, over, values, reviewed, audience)


async def _set_scheduled_time(
    app: App,
    actor: Actor,
    campaign_id: int,
    over: str | None,
    values: dict[str, Any],
    reviewed: Reviewed | None,
    audience: AudienceChoice,
) -> Campaign:
    span = parse_duration(over) if over is not None else timedelta()
    values["over_s"] = int(span.total_seconds()) or None

    def work(tx: Connection, campaign: Campaign, checked: CheckedDrafts) -> Campaign:
        check_move(campaign, CampaignState.SCHEDULED, allowed=_CAN_BE_SCHEDULED)
        require_reviewed(checked, reviewed.digest if reviewed else None)
        sent, earlier = chosen_languages(tx, campaign, audience), chosen_earlier(tx, actor, campaign, audience)
        require_approval(tx, actor, checked, sent)
        _check_event(checked, sent, values["scheduled_at"], span, over)
        if reviewed is not None:
            _accept_warnings(tx, app, actor, checked, sent, reviewed.accepted)
        freeze(tx, app, campaign, checked, sent)
        chosen = campaigns.audience_values(sent, earlier)
        campaigns.change_state(
            tx, campaign_id, CampaignState.SCHEDULED, from_states=_CAN_BE_SCHEDULED, remark=None, **values | chosen
        )
        scheduled = campaigns.get(tx, campaign_id)
        before, after = describe_state(campaign), describe_state(scheduled)
        record_act(tx, app, actor, Act.SCHEDULE_CAMPAIGN, scheduled, before=before, after=after)
        return scheduled

    await app.database.read(_check_permission, actor, campaign_id)
    if not values["anyway"] and (why := find_sample_settings(app)) is not None:
        raise SettingsUnfinished(
            f"[service] in settings.toml: {why}. Mend that first, or say why all the same: --anyway REASON"
        )
    await require_no_blocker(app, actor, campaign_id, anyway=values["anyway"], languages=audience.languages)
    return await with_checked_drafts(app, actor, Permission.SEND, campaign_id, work, languages=audience.languages)


def _check_permission(tx: Connection, actor: Actor, campaign_id: int) -> None:
    campaign = load_campaign(tx, actor, Permission.SEND, campaign_id)
    check_move(campaign, CampaignState.SCHEDULED, allowed=_CAN_BE_SCHEDULED)


def _check_event(
    checked: CheckedDrafts, sent: Collection[str] | None, at: datetime, span: timedelta, over: str | None
) -> None:
    """Raise TimeRefused if the event of the texts has begun before all letters are sent."""
    starts_at, campaign_id = event_start_time(checked.first_file(sent)), checked.loaded.campaign.id
    if starts_at is not None and at >= starts_at:
        raise TimeRefused(f"the event of campaign {campaign_id} has begun by then")
    if starts_at is not None and at + span >= starts_at:
        raise TimeRefused(f"the event of campaign {campaign_id} begins before {over} have passed from then on")


def _accept_warnings(
    tx: Connection,
    app: App,
    actor: Actor,
    checked: CheckedDrafts,
    sent: Collection[str] | None,
    accepted: frozenset[str],
) -> None:
    """Note in the audit log who accepts which warnings. Raises WrongState if one is not accepted."""
    warnings = checked.of_severity(ProblemSeverity.WARNING, sent)
    if left := [f"{language}: {one.message}" for language, one in warnings if one.key not in accepted]:
        raise WrongState(f"say of each warning that it is meant so: {left[0]}")
    if warnings:
        after = {"warnings": [f"{language}: {one.rule}" for language, one in warnings]}
        record_act(tx, app, actor, Act.ACCEPT_WARNING, checked.loaded.campaign, after=after)
