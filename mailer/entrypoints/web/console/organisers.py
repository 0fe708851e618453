"""Organisers: who they are, giving and taking roles, and everybody's sessions."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from mailer.actions.accounts.organisers import give_role, take_role
from mailer.actions.accounts.sessions import list_sessions
from mailer.actions.accounts.show_organisers import lists_to_manage, show_organisers
from mailer.domain.accounts.role import Permission, Role
from mailer.entrypoints.web.console.organiser_form import language_choices, read_text_field
from mailer.entrypoints.web.console.pages import actor, read_console_form, redirect, render_console, session_of
from mailer.entrypoints.web.responses import get_app
from mailer.errors import AddressRefused, NotFound, OrganiserRefused, WrongState

_PATH = "/console/settings/organisers"
_FIELDS = ("address", "name", "role", "list", "language", "speaks")


async def show_page(request: Request) -> Response:
    """The organisers of the site, or of one list."""
    return await _page(request, request.query_params.get("list"), {})


async def post_give(request: Request) -> Response:
    """Give a role."""
    app, form = get_app(request), await read_console_form(request)
    given = {name: read_text_field(form, name) for name in _FIELDS}
    shown = read_text_field(form, "shown") or None
    role = _read_role(given["role"])
    try:
        await give_role(
            app,
            actor(request),
            given["address"],
            role,
            list_name=given["list"] or None,
            language=given["language"] if role is Role.TRANSLATOR else None,
            name=given["name"],
            speaks=given["speaks"] or "en",
        )
    except AddressRefused:
        return await _page(request, shown, given, problem="address")
    except WrongState:
        return await _page(request, shown, given, problem="role")
    except OrganiserRefused:
        return await _page(request, shown, given, problem="name")
    return redirect(request, _PATH, done="role-given", list=shown)


async def post_take(request: Request) -> Response:
    """Take a role away; the form of the page gives it again."""
    form = await read_console_form(request)
    shown = read_text_field(form, "shown") or None
    try:
        await take_role(
            get_app(request),
            actor(request),
            read_text_field(form, "address"),
            _read_role(read_text_field(form, "role")),
            list_name=read_text_field(form, "list") or None,
            language=read_text_field(form, "language") or None,
        )
    except WrongState:
        return await _page(request, shown, {}, problem="role")
    return redirect(request, _PATH, done="role-taken", list=shown)


async def show_sessions(request: Request) -> Response:
    """The browsers in which organisers are signed in."""
    sessions = await list_sessions(get_app(request), actor(request))
    return render_console(request, "sessions", sessions=sessions, own_session=session_of(request))


async def _page(request: Request, list_name: str | None, given: dict[str, str], problem: str | None = None) -> Response:
    app = get_app(request)
    lists = await lists_to_manage(app, actor(request))
    owns_site = actor(request).may(Permission.MANAGE_SITE)
    shown = list_name if list_name or owns_site or not lists else lists[0].name
    # Never the whole site unasked: that is more than most should have.
    place = shown or (lists[0].name if lists else "")
    return render_console(
        request,
        "organisers",
        status=422 if problem else 200,
        views=await show_organisers(app, actor(request), shown),
        shown=shown,
        lists=lists,
        owns_site=owns_site,
        given=dict.fromkeys(_FIELDS, "") | {"list": place, "role": str(Role.EDITOR)} | given,
        problem=problem,
        languages=language_choices(request),
    )


def _read_role(text: str) -> Role:
    try:
        return Role(text)
    except ValueError:
        raise NotFound("there is no such role") from None


ROUTES = (
    Route(_PATH, show_page),
    Route(f"{_PATH}/give", post_give, methods=["POST"]),
    Route(f"{_PATH}/take", post_take, methods=["POST"]),
    Route("/console/settings/sessions", show_sessions),
)
