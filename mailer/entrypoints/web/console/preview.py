"""The letter beside the text: for one person, real or invented, in a frame of its own that no script runs in."""

from __future__ import annotations

import re

from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import Route

from mailer.actions.campaigns.preview_draft import preview_draft
from mailer.domain.draft import SAMPLE_READERS, SampleReader
from mailer.entrypoints.web.console.pages import actor, page_language
from mailer.entrypoints.web.responses import get_app
from mailer.errors import CampaignFileRefused, LetterRenderFailed, MailerError
from mailer.mail.message.letter import Letter, decode_part

_LETTER_HEADERS = {
    # The letter's own styles are inline; its pictures come from wherever its writer took them.
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; img-src https: data:; "
    "form-action 'none'; base-uri 'none'; frame-ancestors 'self'; sandbox allow-popups allow-popups-to-escape-sandbox",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex",
    "Cache-Control": "no-store",
}
_DARK = re.compile(r"@media\s*\(\s*prefers-color-scheme\s*:\s*dark\s*\)")
_OPEN_IN_NEW_TABS = '<base target="_blank">'


async def show_preview(request: Request) -> Response:
    """The letter as `reader` gets it: an id of a subscription, an address, or `sample:NAME`; `view` as in VIEWS."""
    try:
        letter = await _render_letter(request)
    except (CampaignFileRefused, LetterRenderFailed) as refusal:
        return _problem(request, refusal, 200)
    except MailerError as refusal:
        return _problem(request, refusal, 404)
    return _show(request, letter)


async def _render_letter(request: Request) -> Letter:
    return await preview_draft(
        get_app(request),
        actor(request),
        request.path_params["campaign_id"],
        request.path_params["language"],
        reader=_parse_reader(request.query_params.get("reader", "")),
    )


def _parse_reader(text: str) -> SampleReader | str | int | None:
    if text.startswith("sample:"):
        return SAMPLE_READERS.get(text.removeprefix("sample:"))
    if text.isascii() and text.isdecimal() and len(text) < 19:
        return int(text)
    return text or None


def _show(request: Request, letter: Letter) -> Response:
    view = request.query_params.get("view", "html")
    if view == "text":
        return PlainTextResponse(decode_part(letter, "text"), headers=_LETTER_HEADERS)
    if view == "source":
        return PlainTextResponse(letter.content.decode("ascii", "replace"), headers=_LETTER_HEADERS)
    html = decode_part(letter, "html")
    if view == "dark":
        # A frame does not hand its own colour scheme down to a letter's media query.
        html = _DARK.sub("@media all", html)
    return HTMLResponse(html.replace("<head>", f"<head>{_OPEN_IN_NEW_TABS}", 1), headers=_LETTER_HEADERS)


def _problem(request: Request, refusal: MailerError, status: int) -> Response:
    """Why there is no letter, in the frame where it would be."""
    app, language = get_app(request), page_language(request)
    body = app.console_templates.render("console/preview_problem.html", language, problem=str(refusal), site=app.site)
    return HTMLResponse(body, status, headers=_LETTER_HEADERS)


ROUTES = (Route("/console/campaigns/{campaign_id:int}/preview/{language}", show_preview),)
