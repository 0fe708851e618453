"""The versions of a text: what it was before, what was set aside, and the way back."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from mailer.actions.campaigns.drafts import load_draft, save_draft
from mailer.actions.campaigns.versions import list_versions, load_version
from mailer.entrypoints.web.console.pages import actor, page_language, read_console_form, redirect, render_console
from mailer.entrypoints.web.console.text_tools import language_options
from mailer.entrypoints.web.responses import get_app


async def show_versions(request: Request) -> Response:
    """All versions of one edition; `?version=N` shows the text of one."""
    app, who = get_app(request), actor(request)
    campaign_id, language = request.path_params["campaign_id"], request.path_params["language"]
    view = await load_draft(app, who, campaign_id, language)
    versions = await list_versions(app, who, campaign_id, language)
    asked = request.query_params.get("version", "")
    number = int(asked) if asked.isascii() and asked.isdecimal() and len(asked) < 10 else view.version
    text = view.text if number == view.version else await load_version(app, who, campaign_id, language, number)
    names = dict(language_options(page_language(request), app.templates.languages))
    return render_console(
        request, "versions", view=view, versions=versions, number=number, text=text, language_names=names
    )


async def post_restore(request: Request) -> Response:
    """Make the text of a version the draft again; what it is now becomes a version."""
    form = await read_console_form(request)
    app, who = get_app(request), actor(request)
    campaign_id, language = request.path_params["campaign_id"], request.path_params["language"]
    text = await load_version(app, who, campaign_id, language, request.path_params["version"])
    current = await load_draft(app, who, campaign_id, language)
    seen = str(form.get("current", ""))
    version = int(seen) if seen.isascii() and seen.isdecimal() and len(seen) < 10 else current.version
    await save_draft(app, who, campaign_id, language, version=version, text=text, keep=True)
    return redirect(request, f"/console/campaigns/{campaign_id}/write/{language}", done="version-restored")


_VERSIONS = "/console/campaigns/{campaign_id:int}/write/{language}/versions"
ROUTES = (
    Route(_VERSIONS, show_versions),
    Route(f"{_VERSIONS}/{{version:int}}/restore", post_restore, methods=["POST"]),
)
