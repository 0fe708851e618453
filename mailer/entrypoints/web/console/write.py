"""Writing: the page of one edition's text, and saving what it holds."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from mailer.actions.campaigns.choose_readers import choose_readers
from mailer.actions.campaigns.draft_view import DraftView
from mailer.actions.campaigns.drafts import load_draft, save_draft
from mailer.actions.templates.show_templates import template_names
from mailer.entrypoints.web.console.organiser_form import zone_names
from mailer.entrypoints.web.console.pages import (
    actor,
    campaign_of,
    edition_of,
    read_console_form,
    redirect,
    render_console,
)
from mailer.entrypoints.web.console.versions import render_conflict
from mailer.entrypoints.web.console.writing_form import place_problems, read_fields, split_hours, template_choices
from mailer.entrypoints.web.responses import get_app
from mailer.errors import CampaignFileRefused, DraftChanged

_WRITE = "/console/campaigns/{campaign_id:int}/write"
_THEN = ("review", "live")
"""Where a button may lead after saving."""


@dataclass(frozen=True, slots=True)
class PostedText:
    """What a form of the page holds: fields by name, or the whole file."""

    version: int
    fields: dict[str, str] | None
    text: str | None
    is_script: bool
    """Whether the page's script sends it, which shows the answer's parts on the page that is there."""


async def show_default(request: Request) -> Response:
    """To the default edition."""
    draft = await load_draft(get_app(request), actor(request), campaign_of(request))
    return redirect(request, f"/console/campaigns/{draft.campaign.id}/write/{draft.language}")


async def show_write(request: Request) -> Response:
    """The text of one edition, with the letter beside it; `?file=1` shows the campaign file itself."""
    draft = await load_draft(get_app(request), actor(request), *edition_of(request))
    return await _render(request, draft, is_file=bool(request.query_params.get("file")))


async def post_write(request: Request) -> Response:
    """Save the text: 412 with both texts if somebody else saved meanwhile, 422 with the text if it cannot be."""
    form = await read_console_form(request)
    posted = read_posted_text(request, form)
    saved = await save_posted(request, posted)
    if isinstance(saved, Response):
        return saved
    campaign_id, language = edition_of(request)
    if posted.is_script:
        is_file = posted.text is not None
        headers = {"ETag": f'"{saved.version}"'}
        return render_console(request, "write_parts", headers=headers, **_parts(saved, is_file=is_file))
    if (then := form.get("then")) in _THEN:
        return redirect(request, f"/console/campaigns/{campaign_id}/{then}")
    file = "1" if posted.text is not None else None
    return redirect(request, f"/console/campaigns/{campaign_id}/write/{language}", done="saved", file=file)


async def save_posted(request: Request, posted: PostedText) -> DraftView | Response:
    """Save what was posted; the page to answer with where it is not saved: 412 or 422, as `post_write`."""
    try:
        return await save_draft(
            get_app(request),
            actor(request),
            *edition_of(request),
            version=posted.version,
            fields=posted.fields,
            text=posted.text,
        )
    except DraftChanged as conflict:
        return await render_conflict(request, conflict)
    except CampaignFileRefused as refusal:
        return await refuse_posted(request, posted, refusal.reason)


async def refuse_posted(request: Request, posted: PostedText, reason: str, control: str | None = None) -> Response:
    """422: the page with what was posted, which is not saved, and why; `control` is the id of what it is about."""
    draft = await load_draft(get_app(request), actor(request), *edition_of(request))
    return await _render(request, draft, posted=posted, refusal=reason, refused=control)


def read_posted_text(request: Request, form: FormData) -> PostedText:
    """What was written, and the version it began from: by `If-Match` where a script sends it (RFC 9110 section 13)."""
    given = request.headers.get("if-match", "").strip().removeprefix("W/").strip('"')
    number = given or str(form.get("version", ""))
    if not (number.isascii() and number.isdecimal() and len(number) < 10):
        raise HTTPException(422)
    text = form.get("text")
    fields = None if isinstance(text, str) else read_fields(form)
    return PostedText(int(number), fields, text if isinstance(text, str) else None, bool(given))


async def _render(
    request: Request,
    draft: DraftView,
    *,
    is_file: bool = False,
    posted: PostedText | None = None,
    refusal: str | None = None,
    refused: str | None = None,
) -> Response:
    """The whole page; with what was posted in place of what is stored, where that was refused."""
    text, fields = draft.text, draft.fields
    if posted is not None and posted.text is not None:
        is_file, text = True, posted.text
    elif posted is not None and posted.fields is not None and fields is not None:
        fields = replace(fields, **posted.fields)
    return render_console(
        request,
        "write",
        status=422 if refusal else 200,
        headers={"ETag": f'"{draft.version}"'},
        text=text,
        fields=fields,
        hours=split_hours(fields),
        zones=zone_names(),
        templates=template_choices(await template_names(get_app(request), actor(request)), fields),
        readers=await choose_readers(
            get_app(request),
            actor(request),
            draft.campaign.id,
            known=(draft.mailing_list, draft.languages),
        ),
        version=posted.version if posted else draft.version,
        refusal=refusal,
        refused=refused,
        **_parts(draft, is_file=is_file or fields is None),
    )


def _parts(draft: DraftView, *, is_file: bool) -> dict[str, Any]:
    """What changes with each save: how the editions stand, problems, whom it goes to."""
    return {"draft": draft, "is_file": is_file, "problems": place_problems(draft, is_file=is_file)}


ROUTES = (
    Route(_WRITE, show_default),
    Route(f"{_WRITE}/{{language}}", show_write),
    Route(f"{_WRITE}/{{language}}", post_write, methods=["POST"]),
)
