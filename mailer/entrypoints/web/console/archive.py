"""Puts a campaign's letter into the archive of its list, or takes it out."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from mailer.actions.archive.archive_choice import set_archived
from mailer.entrypoints.web.console.live_snapshots import live_snapshots
from mailer.entrypoints.web.console.pages import actor, campaign_of, read_console_form, redirect
from mailer.entrypoints.web.responses import get_app


async def post_archived(request: Request) -> Response:
    """Put the letter in or take it out, and show the report."""
    form, campaign_id = await read_console_form(request), campaign_of(request)
    archived = form.get("archived") == "on"
    await set_archived(get_app(request), actor(request), campaign_id, archived)
    live_snapshots(request).forget(campaign_id)
    done = "archived" if archived else "not-archived"
    return redirect(request, f"/console/campaigns/{campaign_id}/report", done=done)


ROUTES = (Route("/console/campaigns/{campaign_id:int}/archive", post_archived, methods=["POST"]),)
