"""How a list's letters look: the page with its colour and logo, and changing them."""

from __future__ import annotations

from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from mailer.actions.lists.list_pages import list_to_change
from mailer.actions.lists.set_design import LogoFile, set_design
from mailer.domain.letters.letter_colors import OWN_ACCENT
from mailer.domain.mailing_list import MailingList
from mailer.entrypoints.web.console.pages import actor, read_upload_form, redirect, render_console
from mailer.entrypoints.web.responses import get_app
from mailer.errors import ListDesignRefused, MediaRefused

_PATH = "/console/lists/{name}/design"


async def show_design(request: Request) -> Response:
    """The form."""
    present = await list_to_change(get_app(request), actor(request), request.path_params["name"])
    return _render(request, present, present.accent_color or OWN_ACCENT)


async def post_design(request: Request) -> Response:
    """Change colour and logo, and show the list; 422 with the form where they cannot be."""
    app, who = get_app(request), actor(request)
    async with read_upload_form(request) as form:
        present = await list_to_change(app, who, request.path_params["name"])
        color, file = str(form.get("accent_color", ""))[:20].strip(), form.get("logo")
        logo = None
        if isinstance(file, UploadFile) and file.filename:
            logo = LogoFile(file.filename, await file.read())
        elif form.get("no_logo"):
            logo = LogoFile("", b"")
        # The templates' own colour stays what it is, also in later versions of the templates.
        is_own = present.accent_color is None and color.lower() == OWN_ACCENT
        try:
            await set_design(app, who, present.name, accent_color=None if is_own else color, logo=logo)
        except MediaRefused as refusal:
            return _render(request, present, color, {"logo": str(refusal)})
        except ListDesignRefused as refusal:
            return _render(request, present, color, {"accent_color": str(refusal)})
    return redirect(request, f"/console/lists/{present.name}", done="saved")


def _render(request: Request, present: MailingList, color: str, problems: dict[str, str] | None = None) -> Response:
    status = 422 if problems else 200
    return render_console(request, "list_design", status=status, present=present, color=color, problems=problems or {})


ROUTES = (
    Route(_PATH, show_design),
    Route(_PATH, post_design, methods=["POST"]),
)
