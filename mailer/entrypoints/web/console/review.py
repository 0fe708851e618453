"""The review of a letter before it goes: what, when, to whom; tests, approval, and the hour. Or a correction."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from mailer.actions.archive.archive_choice import choose_archive
from mailer.actions.campaigns.approve import approve
from mailer.actions.campaigns.choose_readers import ChosenReader, choose_readers
from mailer.actions.campaigns.correct import correct_from_drafts
from mailer.actions.campaigns.drafts import load_draft
from mailer.actions.campaigns.review import ReviewView, review
from mailer.actions.campaigns.schedule import Reviewed, schedule, send_now
from mailer.actions.campaigns.send_test import send_test
from mailer.app import App
from mailer.domain.accounts.actor import Actor
from mailer.domain.accounts.role import Permission
from mailer.domain.campaign import CampaignState
from mailer.entrypoints.web.console.live_snapshots import live_snapshots
from mailer.entrypoints.web.console.pages import actor, campaign_of, me, read_console_form, redirect, render_console
from mailer.entrypoints.web.console.preflight_runs import preflight_runs
from mailer.entrypoints.web.console.review_hour import ReviewHour, hour_from_form, hour_of_view
from mailer.entrypoints.web.responses import get_app
from mailer.errors import CampaignFileRefused, CheckFailed, MailerError, SettingsUnfinished, TimeRefused, WrongState

_PATH = "/console/campaigns/{campaign_id:int}/review"
_READERS = 5
"""Whose letters are shown."""
_UNDO_S = 30
"""A letter that goes "now" waits so long, so that it can be taken back."""
_GOING = (CampaignState.LAUNCHING, CampaignState.SENDING)
_OVER = (CampaignState.SENT, CampaignState.CANCELLED)


async def show_review(request: Request) -> Response:
    """Everything to decide on; a campaign on its way leads to its numbers."""
    return await _render(request)


async def _render(
    request: Request, hour: ReviewHour | None = None, refusal: MailerError | None = None, status: int = 200
) -> Response:
    app, who, campaign_id = get_app(request), actor(request), campaign_of(request)
    view = await review(app, who, campaign_id)
    state, list_id = view.campaign.state, view.mailing_list.id
    if state in _GOING or state in _OVER:
        return redirect(request, f"/console/campaigns/{campaign_id}/{'live' if state in _GOING else 'report'}")
    return render_console(
        request,
        "review",
        status=status,
        view=view,
        hour=hour or hour_of_view(view),
        readers=await _choose_readers(app, who, view),
        zones=_zones(request, view),
        waiting=await _count_waiting(request, view),
        refusal=None if isinstance(refusal, TimeRefused) else refusal,
        asks_reason=isinstance(refusal, SettingsUnfinished | CheckFailed),
        run=preflight_runs(request).get(campaign_id),
        may_write=who.may(Permission.WRITE, list_id),
        may_send=who.may(Permission.SEND, list_id),
        sees_people=who.may(Permission.SEE_PEOPLE, list_id),
    )


async def _choose_readers(app: App, who: Actor, view: ReviewView) -> list[ChosenReader]:
    """Readers of the editions that are sent."""
    most = _READERS + 3 * len(view.languages)
    chosen = await choose_readers(app, who, view.campaign.id, most, known=(view.mailing_list, view.languages))
    return [one for one in chosen if view.campaign.sends(one.edition)][:_READERS]


def _zones(request: Request, view: ReviewView) -> list[str]:
    """Zones to offer: the proposed one, the list's, one's own, UTC."""
    return list(dict.fromkeys((view.suggested_zone, view.mailing_list.zone, me(request).zone, "UTC")))


async def _count_waiting(request: Request, view: ReviewView) -> int:
    """How many letters of a paused campaign a correction would reach."""
    if view.campaign.state is not CampaignState.PAUSED:
        return 0
    return (await live_snapshots(request).get(view.campaign.id)).status.waiting


async def post_schedule(request: Request) -> Response:
    """Give the letter its hour, or only show what an hour would mean."""
    form, app, who, campaign_id = await _form(request)
    hour = hour_from_form(form, app.clock())
    if form.get("act") == "look":
        return await _render(request, hour, status=422 if hour.problem else 200)
    if hour.problem and not hour.is_now:
        return await _render(request, hour, status=422)
    shared: dict[str, Any] = {
        "over": hour.over or None,
        "anyway": str(form.get("anyway", "")).strip() or None,
        "reviewed": Reviewed(
            digest=str(form.get("digest", "")), accepted=frozenset(str(one) for one in form.getlist("accept"))
        ),
    }
    try:
        if hour.is_now:
            await send_now(app, who, campaign_id, wait_s=_UNDO_S, **shared)
        else:
            await schedule(app, who, campaign_id, local_time=hour.local_time, zone=hour.zone, **shared)
    except TimeRefused as refusal:
        return await _render(request, hour.refused(str(refusal)), status=422)
    except (WrongState, CampaignFileRefused, SettingsUnfinished, CheckFailed) as refusal:
        return await _render(request, hour, refusal, status=409)
    if archive := form.get("archive"):
        await choose_archive(app, who, campaign_id, str(archive))
    live_snapshots(request).forget(campaign_id)
    return redirect(request, f"/console/campaigns/{campaign_id}/live", done=None if hour.is_now else "scheduled")


async def post_test(request: Request) -> Response:
    """Send test letters to oneself, or to the list's testers."""
    form, app, who, campaign_id = await _form(request)
    addresses = [me(request).address]
    if form.get("to") == "testers":
        addresses = list((await load_draft(app, who, campaign_id)).mailing_list.testers)
    try:
        await send_test(app, who, campaign_id, addresses)
    except (WrongState, CampaignFileRefused) as refusal:
        return await _render(request, refusal=refusal, status=409)
    return redirect(request, f"/console/campaigns/{campaign_id}/review", done="test-sent")


async def post_approve(request: Request) -> Response:
    """Agree that these texts are sent."""
    return await _agree(request, approve, page="review", done="approved")


async def post_correct(request: Request) -> Response:
    """Give the letters of a paused campaign that wait the texts as they are now."""
    return await _agree(request, correct_from_drafts, page="live", done="corrected")


async def _agree(request: Request, act: Callable[..., Awaitable[object]], *, page: str, done: str) -> Response:
    """Do what is agreed to for the texts as they were reviewed, by their digest; then show another page."""
    form, app, who, campaign_id = await _form(request)
    try:
        await act(app, who, campaign_id, reviewed=str(form.get("digest", "")))
    except (WrongState, CampaignFileRefused) as refusal:
        return await _render(request, refusal=refusal, status=409)
    return redirect(request, f"/console/campaigns/{campaign_id}/{page}", done=done)


async def _form(request: Request) -> tuple[FormData, App, Actor, int]:
    return await read_console_form(request), get_app(request), actor(request), campaign_of(request)


ROUTES = (
    Route(_PATH, show_review),
    Route(f"{_PATH}/schedule", post_schedule, methods=["POST"]),
    Route(f"{_PATH}/test", post_test, methods=["POST"]),
    Route(f"{_PATH}/approve", post_approve, methods=["POST"]),
    Route(f"{_PATH}/correct", post_correct, methods=["POST"]),
)
