"""Versions of a text: the list, one beside the present text, going back to it; both texts where two people saved."""

from __future__ import annotations

import asyncio
from difflib import SequenceMatcher

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from mailer.actions.campaigns.draft_view import DraftView
from mailer.actions.campaigns.drafts import load_draft, save_draft
from mailer.actions.campaigns.versions import list_versions, load_version
from mailer.domain.draft import DraftVersion
from mailer.entrypoints.web.console.pages import actor, edition_of, read_console_form, redirect, render_console
from mailer.entrypoints.web.responses import get_app
from mailer.errors import DraftChanged, NotFound

_VERSIONS = "/console/campaigns/{campaign_id:int}/write/{language}/versions"
_MOST_LINES_COMPARED = 2000
MarkedLine = tuple[str, bool]
"""A line of a text, and whether the other text has another one there."""


async def show_versions(request: Request) -> Response:
    """All versions of an edition's text, the newest first."""
    app, who = get_app(request), actor(request)
    campaign_id, language = edition_of(request)
    draft = await load_draft(app, who, campaign_id, language)
    versions = await list_versions(app, who, campaign_id, language)
    return render_console(request, "versions", draft=draft, versions=versions)


async def show_version(request: Request) -> Response:
    """One version beside the present text."""
    return await _render_version(request, await _load_draft(request))


async def post_restore(request: Request) -> Response:
    """Make a version the present text again; the text of before stays a version."""
    form = await read_console_form(request)
    app, who = get_app(request), actor(request)
    campaign_id, language = edition_of(request)
    text = await load_version(app, who, campaign_id, language, request.path_params["version"])
    seen = str(form.get("seen", ""))
    base = int(seen) if seen.isascii() and seen.isdecimal() and len(seen) < 10 else -1
    draft = await _load_draft(request)
    if draft.version != base:
        # Somebody saved since this page was opened: it is shown again, with the text of now.
        return await _render_version(request, draft, status=412)
    try:
        await save_draft(app, who, campaign_id, language, version=base, text=text, keep=True)
    except DraftChanged as conflict:
        return await render_conflict(request, conflict)
    return redirect(request, f"/console/campaigns/{campaign_id}/write/{language}", done="version-restored")


async def render_conflict(request: Request, conflict: DraftChanged) -> Response:
    """Both texts, where somebody else saved while one was written: 412, and the version in its ETag is theirs."""
    app, who, draft = get_app(request), actor(request), await _load_draft(request)
    versions = await list_versions(app, who, draft.campaign.id, draft.language)
    aside = next((one for one in versions if one.is_aside and one.changed_by == who.name), None)
    if aside is None:
        raise conflict
    return await _render_version(request, draft, aside, status=412)


async def _load_draft(request: Request) -> DraftView:
    return await load_draft(get_app(request), actor(request), *edition_of(request))


async def _render_version(
    request: Request, draft: DraftView, conflicting: DraftVersion | None = None, *, status: int = 200
) -> Response:
    app, who = get_app(request), actor(request)
    version = conflicting
    if version is None:
        number = request.path_params["version"]
        versions = await list_versions(app, who, draft.campaign.id, draft.language)
        version = next((one for one in versions if one.version == number), None)
    if version is None:
        raise NotFound("there is no such version of this text")
    text = await load_version(app, who, draft.campaign.id, draft.language, version.version)
    theirs, mine = await asyncio.to_thread(mark_changes, draft.text, text)
    return render_console(
        request,
        "version",
        status=status,
        headers={"ETag": f'"{draft.version}"'},
        draft=draft,
        version=version,
        is_conflict=conflicting is not None,
        now_lines=theirs,
        then_lines=mine,
        text=text,
    )


def mark_changes(one: str, other: str) -> tuple[list[MarkedLine], list[MarkedLine]]:
    """The lines of two texts, those marked that the other has not there. Very long texts are not compared."""
    ones, others = one.splitlines(), other.splitlines()
    if max(len(ones), len(others)) > _MOST_LINES_COMPARED:
        return [(line, False) for line in ones], [(line, False) for line in others]
    marked: tuple[list[MarkedLine], list[MarkedLine]] = ([], [])
    for kind, i1, i2, j1, j2 in SequenceMatcher(None, ones, others, autojunk=False).get_opcodes():
        marked[0].extend((line, kind != "equal") for line in ones[i1:i2])
        marked[1].extend((line, kind != "equal") for line in others[j1:j2])
    return marked


ROUTES = (
    Route(_VERSIONS, show_versions),
    Route(f"{_VERSIONS}/{{version:int}}", show_version),
    Route(f"{_VERSIONS}/{{version:int}}/restore", post_restore, methods=["POST"]),
)
