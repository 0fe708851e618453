"""The letter that somebody got, in a frame that may do nothing, and the letters of one person."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from mailer.actions.campaigns.show_letter import ShownLetter, list_letters, show_letter
from mailer.entrypoints.web.console.pages import actor, campaign_of, render_console
from mailer.entrypoints.web.console.preview import answer_with_letter, answer_with_refusal
from mailer.entrypoints.web.responses import get_app
from mailer.errors import AddressRefused, CampaignFileRefused, LetterRenderFailed

_PATH = "/console/campaigns/{campaign_id:int}/letters/{subscription_id:int}"
_VIEWS = ("html", "phone", "text", "source")


async def show_one(request: Request) -> Response:
    """What became of a letter, and the letter. Query: `view` (of _VIEWS), `dark`."""
    asked = request.query_params
    view = asked.get("view", "")
    values: dict[str, Any] = {"view": view if view in _VIEWS else _VIEWS[0], "views": _VIEWS}
    values["is_dark"] = bool(asked.get("dark"))
    try:
        shown = await _load(request)
    except (CampaignFileRefused, LetterRenderFailed, AddressRefused) as refusal:
        return render_console(request, "problem", status=422, status_code=422, problem=str(refusal))
    return render_console(request, "letter", shown=shown, **values)


async def show_frame(request: Request) -> Response:
    """The letter itself."""
    try:
        shown = await _load(request)
    except (CampaignFileRefused, LetterRenderFailed, AddressRefused) as refusal:
        return answer_with_refusal(request, 422, str(refusal))
    if shown.letter is None:
        return answer_with_refusal(request, 404, "")
    asked = request.query_params
    return answer_with_letter(request, shown.letter, asked.get("view", ""), is_dark=bool(asked.get("dark")))


async def _load(request: Request) -> ShownLetter:
    number = request.path_params["subscription_id"]
    # Masked: whoever looks must not be able to unsubscribe the reader.
    return await show_letter(get_app(request), actor(request), campaign_of(request), number, masked=True)


async def show_letters(request: Request) -> Response:
    """All letters to one person."""
    found = await list_letters(get_app(request), actor(request), request.path_params["subscriber_id"])
    return render_console(request, "letters", found=found)


ROUTES = (
    Route(_PATH, show_one),
    Route(f"{_PATH}/frame", show_frame),
    Route("/console/subscribers/{subscriber_id:int}/letters", show_letters),
)
