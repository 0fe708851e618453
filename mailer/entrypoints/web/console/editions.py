"""The editions of a campaign: add one, remove one, say that one is up to date with the first."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from mailer.actions.campaigns.editions import add_edition, mark_up_to_date, remove_edition
from mailer.entrypoints.web.console.pages import actor, read_console_form, redirect
from mailer.entrypoints.web.responses import get_app


async def post_edition(request: Request) -> Response:
    """Add an edition, and show it."""
    form, campaign_id = await read_console_form(request), request.path_params["campaign_id"]
    language = await add_edition(get_app(request), actor(request), campaign_id, str(form.get("language", "")))
    return redirect(request, f"/console/campaigns/{campaign_id}/write/{language}", done="edition-added")


async def post_remove_edition(request: Request) -> Response:
    """Remove an edition, and show the first one. Adding it again brings the first one's text."""
    await read_console_form(request)
    campaign_id = request.path_params["campaign_id"]
    await remove_edition(get_app(request), actor(request), campaign_id, request.path_params["language"])
    return redirect(request, f"/console/campaigns/{campaign_id}/write", done="edition-removed")


async def post_up_to_date(request: Request) -> Response:
    """Say that the edition has what the first one says now."""
    await read_console_form(request)
    campaign_id, language = request.path_params["campaign_id"], request.path_params["language"]
    await mark_up_to_date(get_app(request), actor(request), campaign_id, language)
    return redirect(request, f"/console/campaigns/{campaign_id}/write/{language}", done="saved")


_EDITION = "/console/campaigns/{campaign_id:int}/write/{language}"
ROUTES = (
    Route("/console/campaigns/{campaign_id:int}/editions", post_edition, methods=["POST"]),
    Route(f"{_EDITION}/remove", post_remove_edition, methods=["POST"]),
    Route(f"{_EDITION}/up-to-date", post_up_to_date, methods=["POST"]),
)
