"""The endpoint for Webmentions: the answer is the same for whatever may be one, and nothing is fetched before it."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from mailer.actions.archive.receive_webmention import receive_webmention
from mailer.entrypoints.web.responses import get_app, get_client_address, read_form
from mailer.errors import WebmentionRefused

WEBMENTION_PATH = "/webmention"
_HEADERS = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", "X-Robots-Tag": "noindex"}


async def post_webmention(request: Request) -> Response:
    """202 for what is looked at later, or dropped; 400 for addresses that cannot be meant; 404 where this is off."""
    form = await read_form(request)
    try:
        await receive_webmention(
            get_app(request), form.get("source", ""), form.get("target", ""), client=get_client_address(request)
        )
    except WebmentionRefused as refusal:
        return PlainTextResponse(f"{refusal}\n", 400, headers=_HEADERS)
    return PlainTextResponse("Thank you. It is looked at later, and an organiser decides.\n", 202, headers=_HEADERS)


ROUTES = (Route(WEBMENTION_PATH, post_webmention, methods=["POST"]),)
