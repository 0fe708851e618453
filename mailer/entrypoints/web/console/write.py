"""Writing a campaign's text in one language: the form, saving by form or by script, editions, conflicts."""

from __future__ import annotations

from typing import Any

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from mailer.actions.campaigns.check_text import check_text
from mailer.actions.campaigns.choose_readers import choose_readers
from mailer.actions.campaigns.draft_view import DraftView
from mailer.actions.campaigns.drafts import load_draft, save_draft
from mailer.domain.role import Permission
from mailer.entrypoints.web.console.letter_form import read_changes, typed_fields
from mailer.entrypoints.web.console.pages import (
    actor,
    check_form_token,
    formatter,
    page_language,
    read_console_form,
    redirect,
    render_console,
)
from mailer.entrypoints.web.console.problem_list import list_problems
from mailer.entrypoints.web.console.text_tools import TOOLS, language_options
from mailer.entrypoints.web.responses import get_app
from mailer.errors import CampaignFileRefused, DraftChanged

VIEWS = ("html", "phone", "dark", "text", "source")
"""How the letter beside the text can be shown."""


async def show_write(request: Request) -> Response:
    """The form with the draft of one edition; without a language that of the default edition."""
    view = await _load(request)
    return await _render(request, view)


async def post_write(request: Request) -> Response:
    """Save what was typed, then go where the pressed button leads. A script saves with If-Match and gets JSON."""
    if "if-match" in request.headers:
        return await _save_by_script(request)
    form = await read_console_form(request)
    campaign_id, language = _named(request)
    version = _version(str(form.get("version", "")))
    try:
        saved = await _save(request, form, version)
    except DraftChanged as conflict:
        return await _render_conflict(request, form, conflict)
    except CampaignFileRefused as refusal:
        view = await load_draft(get_app(request), actor(request), campaign_id, language)
        return await _render(request, view, form=form, refusal=refusal, status=422)
    return _follow(request, form, saved)


async def _save_by_script(request: Request) -> Response:
    """Save, and tell how it stands: 412 if somebody else saved meanwhile (RFC 9110 section 13.1.1)."""
    check_form_token(request, request.headers.get("x-form-token", ""))
    form = await request.form(max_files=0)
    version = _version(request.headers["if-match"].strip('"'))
    try:
        saved = await _save(request, form, version)
    except DraftChanged as conflict:
        return JSONResponse({"by": conflict.changed_by, "version": conflict.version}, 412)
    except CampaignFileRefused as refusal:
        return JSONResponse({"problem": str(refusal)}, 422)
    problems = await check_text(get_app(request), actor(request), saved.campaign.id, saved.language)
    return JSONResponse(
        {
            "version": saved.version,
            "saved_at": formatter(request).hour(saved.changed_at),
            "problems": list_problems(request, saved, problems),
        },
        headers={"ETag": f'"{saved.version}"', "Cache-Control": "no-store"},
    )


async def _save(request: Request, form: FormData, version: int) -> DraftView:
    campaign_id, language = _named(request)
    fields, text = read_changes(form)
    return await save_draft(
        get_app(request), actor(request), campaign_id, language, version=version, fields=fields, text=text
    )


def _follow(request: Request, form: FormData, saved: DraftView) -> Response:
    """Where the pressed button leads: another edition, the review, or this page with another view of the letter."""
    campaign = f"/console/campaigns/{saved.campaign.id}"
    where = str(form.get("go", ""))
    if where == "review":
        return redirect(request, f"{campaign}/review")
    if where == "versions":
        return redirect(request, f"{campaign}/write/{saved.language}/versions")
    if where in {one.language for one in saved.editions}:
        return redirect(request, f"{campaign}/write/{where}")
    reader = str(form.get("reader_address") or form.get("reader") or "")
    view = str(form.get("view", ""))
    return redirect(
        request,
        f"{campaign}/write/{saved.language}",
        done="saved",
        view=view if view in VIEWS else None,
        reader=reader or None,
    )


async def _load(request: Request) -> DraftView:
    campaign_id, language = _named(request)
    return await load_draft(get_app(request), actor(request), campaign_id, language or None)


async def _render(
    request: Request,
    view: DraftView,
    *,
    form: FormData | None = None,
    refusal: CampaignFileRefused | None = None,
    status: int = 200,
) -> Response:
    app, who = get_app(request), actor(request)
    problems = await check_text(app, who, view.campaign.id, view.language)
    shown = request.query_params.get("view", "")
    languages = language_options(page_language(request), app.templates.languages)
    editions = {one.language for one in view.editions}
    values: dict[str, Any] = {
        "view": view,
        "fields": typed_fields(view, form),
        "refusal": refusal,
        "problems": list_problems(request, view, problems),
        "readers": await choose_readers(app, who, view.campaign.id),
        "reader": request.query_params.get("reader", ""),
        "shown": shown if shown in VIEWS else "html",
        "tools": TOOLS,
        "language_names": dict(languages),
        "more_languages": [one for one in languages if one[0] not in editions],
        "may_translate": who.may(Permission.WRITE, view.campaign.mailing_list_id),
        "total": sum(one.readers or 0 for one in view.editions),
    }
    return render_console(request, "write", status=status, **values)


async def _render_conflict(request: Request, form: FormData, conflict: DraftChanged) -> Response:
    """Both texts: the one that stands, and the one that was typed, which is kept as a version, too."""
    view = await _load(request)
    mine = None if "text" in form else typed_fields(view, form)
    values: dict[str, Any] = {"mine": mine, "text": form.get("text", ""), "theirs": view.fields}
    return render_console(request, "conflict", status=409, view=view, conflict=conflict, **values)


def _named(request: Request) -> tuple[int, str]:
    return request.path_params["campaign_id"], request.path_params.get("language", "")


def _version(text: str) -> int:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else -1


ROUTES = (
    Route("/console/campaigns/{campaign_id:int}/write", show_write),
    Route("/console/campaigns/{campaign_id:int}/write/{language}", show_write),
    Route("/console/campaigns/{campaign_id:int}/write/{language}", post_write, methods=["POST"]),
)
