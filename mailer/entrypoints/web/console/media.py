"""Pictures and attachments of a letter that is being written: added to its text, and taken out of it."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from starlette.datastructures import FormData, UploadFile
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from mailer.actions.campaigns.draft_media import add_draft_media
from mailer.domain.letters.media import MediaFile
from mailer.entrypoints.web.console.pages import actor, edition_of, read_upload_form, redirect
from mailer.entrypoints.web.console.write import PostedText, read_posted_text, refuse_posted, save_posted
from mailer.entrypoints.web.responses import get_app
from mailer.errors import CampaignFileRefused, MediaRefused
from mailer.mail.compose.letter_fields import join_fields, split_fields

_PATH = "/console/campaigns/{campaign_id:int}/write/{language}/media"
_MOST_WORDS = 1000


async def post_media(request: Request) -> Response:
    """Add the file to the text that the form holds, and save that: a picture at its end, others as attachments.

    With `remove` an attachment is taken out instead. A script that asks for JSON is given the path of the file and
    puts it into the text itself: `{"path", "is_picture"}`, or 422 with `{"problem"}`.
    """
    async with read_upload_form(request) as form:
        if "application/json" in request.headers.get("accept", ""):
            return await _answer_script(request, form)
        posted, added = read_posted_text(request, form), None
        try:
            if not form.get("remove"):
                added = await _add(request, form)
            # In a thread: the front matter of a long text takes seconds to read.
            changed = await asyncio.to_thread(_change, posted, form, added)
        except (MediaRefused, CampaignFileRefused) as refusal:
            return await refuse_posted(request, posted, str(refusal), "media")
    saved = await save_posted(request, changed)
    if isinstance(saved, Response):
        return saved
    campaign_id, language = edition_of(request)
    file = "1" if posted.text is not None else None
    done = "media-added" if added else "saved"
    return redirect(request, f"/console/campaigns/{campaign_id}/write/{language}", done=done, file=file)


async def _answer_script(request: Request, form: FormData) -> Response:
    try:
        added = await _add(request, form)
    except MediaRefused as refusal:
        return JSONResponse({"problem": str(refusal)}, 422)
    return JSONResponse({"path": added.path, "is_picture": added.is_picture}, headers={"Cache-Control": "no-store"})


async def _add(request: Request, form: FormData) -> MediaFile:
    file = form.get("media")
    if not isinstance(file, UploadFile) or not file.filename:
        raise MediaRefused("no file was chosen")
    name, octets = file.filename[:_MOST_WORDS], await file.read()
    return await add_draft_media(get_app(request), actor(request), *edition_of(request), name=name, octets=octets)


def _change(posted: PostedText, form: FormData, added: MediaFile | None) -> PostedText:
    """What was posted, with the file in it, or without the one that is to be taken out."""
    given = posted.fields or {}
    if posted.text is not None:
        written = split_fields(posted.text)
        given = {"body": written.body, "attachments": written.attachments}
    if added is not None and added.is_picture:
        words = " ".join(str(form.get("media_alt", "")).translate(_NOT_IN_DESCRIPTIONS).split())[:_MOST_WORDS]
        changes = {"body": f"{given.get('body', '').rstrip()}\n\n![{words}]({added.path})\n"}
    else:
        gone = str(form.get("remove", ""))
        attached = [path for path in given.get("attachments", "").replace(" ", "").split(",") if path not in ("", gone)]
        changes = {"attachments": ", ".join([*attached, *([added.path] if added else [])])}
    if posted.text is not None:
        return replace(posted, text=join_fields(posted.text, changes))
    return replace(posted, fields=given | changes)


_NOT_IN_DESCRIPTIONS = str.maketrans("[]\\", "() ")

ROUTES = (Route(_PATH, post_media, methods=["POST"]),)
