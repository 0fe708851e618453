"""One's own page: name, language and zone, the browsers in which one is signed in, one's roles."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from mailer.actions.accounts.organisers import change_profile
from mailer.actions.accounts.sessions import list_sessions, revoke_session, sign_out_elsewhere
from mailer.actions.accounts.show_organisers import show_own_roles
from mailer.entrypoints.web.console.organiser_form import language_choices, read_number, read_text_field, zone_names
from mailer.entrypoints.web.console.pages import actor, me, read_console_form, redirect, render_console, session_of
from mailer.entrypoints.web.responses import get_app
from mailer.errors import OrganiserRefused, TimeRefused

_SESSIONS_PAGE = "/console/settings/sessions"


async def show_me(request: Request) -> Response:
    """The page of whoever is signed in."""
    organiser = me(request)
    return await _page(request, {"name": organiser.name or "", "language": organiser.language, "zone": organiser.zone})


async def post_me(request: Request) -> Response:
    """Save name, language and zone."""
    form = await read_console_form(request)
    given = {name: read_text_field(form, name) for name in ("name", "language", "zone")}
    try:
        await change_profile(
            get_app(request), actor(request), name=given["name"], speaks=given["language"], zone=given["zone"]
        )
    except OrganiserRefused:
        return await _page(request, given, problem="name")
    except TimeRefused:
        return await _page(request, given, problem="zone")
    return redirect(request, "/console/me", done="saved")


async def post_revoke(request: Request) -> Response:
    """Sign a browser out: one's own, or as a site owner anybody's."""
    form = await read_console_form(request)
    await revoke_session(get_app(request), actor(request), read_number(form, "session_id"))
    page = _SESSIONS_PAGE if read_text_field(form, "back") == "settings" else "/console/me"
    return redirect(request, page, done="session-ended")


async def post_sign_out_elsewhere(request: Request) -> Response:
    """Sign all of one's other browsers out."""
    await read_console_form(request)
    await sign_out_elsewhere(get_app(request), session_of(request))
    return redirect(request, "/console/me", done="sessions-ended")


async def _page(request: Request, given: dict[str, str], problem: str | None = None) -> Response:
    app, organiser = get_app(request), me(request)
    return render_console(
        request,
        "me",
        status=422 if problem else 200,
        given=given,
        problem=problem,
        languages=language_choices(request, organiser.language),
        zones=zone_names(),
        sessions=await list_sessions(app, actor(request), organiser.id),
        own_session=session_of(request),
        roles=await show_own_roles(app, actor(request)),
    )


ROUTES = (
    Route("/console/me", show_me),
    Route("/console/me", post_me, methods=["POST"]),
    Route("/console/me/revoke", post_revoke, methods=["POST"]),
    Route("/console/me/sign-out-elsewhere", post_sign_out_elsewhere, methods=["POST"]),
)
