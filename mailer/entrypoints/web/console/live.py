"""A campaign on its way: its numbers, and pausing, resuming, cancelling it, or taking its hour back."""

from __future__ import annotations

import json
from datetime import timedelta

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from mailer.actions.campaigns.pause_resume_cancel import cancel, pause, resume
from mailer.actions.campaigns.unschedule import unschedule
from mailer.domain.accounts.role import Permission
from mailer.domain.campaign import CampaignState
from mailer.entrypoints.web.console.live_snapshots import live_snapshots
from mailer.entrypoints.web.console.live_stream import stream_live
from mailer.entrypoints.web.console.pages import (
    actor,
    campaign_of,
    formatter,
    read_console_form,
    redirect,
    render_console,
)
from mailer.entrypoints.web.responses import get_app

_PATH = "/console/campaigns/{campaign_id:int}/live"
_UNDO = timedelta(seconds=60)
"""A campaign that goes so soon was sent "now": the page offers to take it back before anything else."""


async def show_live(request: Request) -> Response:
    """The campaign's numbers, and what can be done; a draft leads to where it is scheduled."""
    return await _render(request)


async def _render(request: Request, *, is_wrong_number: bool = False) -> Response:
    campaign_id, who, app = campaign_of(request), actor(request), get_app(request)
    snapshot = await live_snapshots(request).get(campaign_id)
    status, campaign = snapshot.status, snapshot.status.campaign
    who.require(Permission.READ, campaign.mailing_list_id)
    if campaign.state is CampaignState.DRAFT:
        return redirect(request, f"/console/campaigns/{campaign_id}/review")
    sees_people = who.may(Permission.SEE_PEOPLE, campaign.mailing_list_id)
    goes_at = campaign.scheduled_at if campaign.state is CampaignState.SCHEDULED else None
    return render_console(
        request,
        "live",
        status=422 if is_wrong_number else 200,
        campaign=campaign,
        mailing_list=status.mailing_list,
        live=json.loads(snapshot.numbers(app, formatter(request), sees_people=sees_people)),
        waiting=status.waiting,
        may_send=who.may(Permission.SEND, campaign.mailing_list_id),
        is_short=goes_at is not None and goes_at - app.clock() <= _UNDO,
        is_over=status.is_over,
        is_wrong_number=is_wrong_number,
    )


async def post_pause(request: Request) -> Response:
    """Hold the letters that are not done; resuming undoes it."""
    await read_console_form(request)
    await pause(get_app(request), actor(request), campaign_of(request))
    return _back(request, "paused")


async def post_resume(request: Request) -> Response:
    """Go on; pausing undoes it. A reason lets it pass a check that is against it."""
    form = await read_console_form(request)
    reason = str(form.get("anyway", "")).strip() or None
    await resume(get_app(request), actor(request), campaign_of(request), anyway=reason)
    return _back(request, "resumed")


async def post_unschedule(request: Request) -> Response:
    """Take the hour back: the campaign is a draft again."""
    await read_console_form(request)
    await unschedule(get_app(request), actor(request), campaign_of(request))
    return redirect(request, f"/console/campaigns/{campaign_of(request)}/review", done="unscheduled")


async def post_cancel(request: Request) -> Response:
    """Cancel it, if the number of people it was for was typed."""
    form, campaign_id, who = await read_console_form(request), campaign_of(request), actor(request)
    status = (await live_snapshots(request).get(campaign_id)).status
    who.require(Permission.SEND, status.mailing_list.id)
    if typed_number(str(form.get("typed", ""))) != status.audience:
        return await _render(request, is_wrong_number=True)
    await cancel(get_app(request), who, campaign_id)
    return _back(request, "cancelled")


def typed_number(text: str) -> int | None:
    """The number that was typed, whatever separates its digits; None if there is none."""
    digits = "".join(one for one in text if one.isdecimal())
    return int(digits) if 0 < len(digits) <= 15 else None


def _back(request: Request, done: str) -> Response:
    live_snapshots(request).forget(campaign_of(request))
    return redirect(request, f"/console/campaigns/{campaign_of(request)}/live", done=done)


ROUTES = (
    Route(_PATH, show_live),
    Route(f"{_PATH}/stream", stream_live),
    Route(f"{_PATH}/pause", post_pause, methods=["POST"]),
    Route(f"{_PATH}/resume", post_resume, methods=["POST"]),
    Route(f"{_PATH}/unschedule", post_unschedule, methods=["POST"]),
    Route(f"{_PATH}/cancel", post_cancel, methods=["POST"]),
)
