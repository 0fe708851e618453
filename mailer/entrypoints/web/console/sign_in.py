"""Signing in and out: ask for a letter, type its code, open its link; the page that sets the site up."""

from __future__ import annotations

from datetime import timedelta

import structlog
from starlette.background import BackgroundTask
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from mailer.actions.accounts.ask_sign_in import SignInRequest, ask_sign_in, queue_sign_in_letter, show_progress
from mailer.actions.accounts.sessions import sign_out
from mailer.actions.accounts.sign_in import (
    SignedIn,
    check_link,
    check_set_up_link,
    set_up,
    sign_in_by_code,
    sign_in_by_link,
)
from mailer.app import App
from mailer.domain.accounts.device import describe_device
from mailer.domain.accounts.sign_in import LETTER_LIFETIME, parse_next_path
from mailer.domain.address import parse_address
from mailer.entrypoints.web.console.organiser_form import language_choices, read_text_field, zone_names
from mailer.entrypoints.web.console.pages import read_console_form, redirect, render_console, session_of
from mailer.entrypoints.web.console.session_cookie import ASKED, SESSION, delete_cookie, read_cookie, set_cookie
from mailer.entrypoints.web.responses import get_app, get_client_address
from mailer.errors import (
    AddressRefused,
    DatabaseUnavailable,
    OrganiserRefused,
    SignInRefused,
    SignInSpent,
    TimeRefused,
    WrongBrowser,
)

_log = structlog.get_logger()

_COOKIE_LIFETIME = timedelta(days=400)
"""How long browsers keep a session's cookie, which is the longest they do; the session's row says when it is over."""
_MOST_FIELDS = 10


async def show_sign_in(request: Request) -> Response:
    """Where one gives an address."""
    next_path = parse_next_path(request.query_params.get("next"))
    if request.state.me is not None:
        return redirect(request, next_path or "/console")
    return render_console(request, "sign_in", next_path=next_path, address="", problem=None)


async def post_sign_in(request: Request) -> Response:
    """Note the request. The answer and its time are the same for every address."""
    app, form = get_app(request), await _read_open_form(request)
    text, next_path = read_text_field(form, "address"), parse_next_path(read_text_field(form, "next"))
    try:
        asked = await ask_sign_in(
            app,
            parse_address(text),
            browser=read_cookie(request, app.site, ASKED),
            source=get_client_address(request),
            next_path=next_path,
        )
    except AddressRefused:
        return render_console(request, "sign_in", status=422, next_path=next_path, address=text, problem="address")
    except SignInRefused:
        return render_console(request, "sign_in", status=429, next_path=next_path, address=text, problem="limit")
    response = redirect(request, "/console/sign-in/wait")
    set_cookie(response, app.site, ASKED, asked.browser, int(LETTER_LIFETIME.total_seconds()))
    response.background = BackgroundTask(_queue_letter, app, asked)
    return response


async def _queue_letter(app: App, asked: SignInRequest) -> None:
    try:
        await queue_sign_in_letter(app, asked)
    except DatabaseUnavailable as error:
        _log.warning("failed to queue a letter to sign in; it can be asked for again", error=str(error))


async def show_wait(request: Request) -> Response:
    """Where the code is typed; says whether letters reach the relay."""
    return await _wait_page(request)


async def _wait_page(request: Request, *, status: int = 200, problem: str | None = None) -> Response:
    app = get_app(request)
    progress = await show_progress(app, read_cookie(request, app.site, ASKED))
    if progress is None:
        return redirect(request, "/console/sign-in")
    return render_console(request, "sign_in_wait", status=status, progress=progress, problem=problem)


async def post_code(request: Request) -> Response:
    """Sign in by the code that was typed."""
    app, form = get_app(request), await _read_open_form(request)
    try:
        signed_in = await sign_in_by_code(
            app,
            read_text_field(form, "code"),
            read_cookie(request, app.site, ASKED),
            device=_device(request),
            source=get_client_address(request),
        )
    except SignInRefused:
        return await _wait_page(request, status=422, problem="code")
    return _signed_in(request, signed_in)


async def show_link(request: Request) -> Response:
    """A button that uses the link up; looking at the page, as scanners do, uses nothing up."""
    app, word = get_app(request), request.path_params["word"]
    try:
        await check_link(app, word, read_cookie(request, app.site, ASKED))
    except (SignInSpent, WrongBrowser) as refusal:
        return _refused_link(request, refusal)
    return render_console(request, "sign_in_link", word=word)


async def post_link(request: Request) -> Response:
    """Sign in by a link."""
    app, word = get_app(request), request.path_params["word"]
    try:
        signed_in = await sign_in_by_link(app, word, read_cookie(request, app.site, ASKED), device=_device(request))
    except (SignInSpent, WrongBrowser) as refusal:
        return _refused_link(request, refusal)
    return _signed_in(request, signed_in)


async def show_set_up(request: Request) -> Response:
    """The form that makes the first owner of the site."""
    try:
        await check_set_up_link(get_app(request), request.path_params["word"])
    except SignInSpent as refusal:
        return _refused_link(request, refusal)
    return _set_up_page(request, {"address": "", "name": "", "language": "", "zone": ""})


async def post_set_up(request: Request) -> Response:
    """Make the first owner, and sign them in."""
    form = await _read_open_form(request)
    given = {name: read_text_field(form, name) for name in ("address", "name", "language", "zone")}
    try:
        signed_in = await set_up(
            get_app(request),
            request.path_params["word"],
            address=given["address"],
            name=given["name"],
            speaks=given["language"],
            zone=given["zone"],
            device=_device(request),
        )
    except SignInSpent as refusal:
        return _refused_link(request, refusal)
    except AddressRefused:
        return _set_up_page(request, given, problem="address")
    except TimeRefused:
        return _set_up_page(request, given, problem="zone")
    except OrganiserRefused:
        return _set_up_page(request, given, problem="name")
    return _signed_in(request, signed_in)


async def post_sign_out(request: Request) -> Response:
    """End this session."""
    app = get_app(request)
    await read_console_form(request)
    await sign_out(app, session_of(request))
    response = redirect(request, "/console/sign-in", done="signed-out")
    delete_cookie(response, app.site, SESSION)
    return response


async def _read_open_form(request: Request) -> FormData:
    """A form of a page that answers without a session, and so has no form token; SessionGuard saw whose page it was."""
    return await request.form(max_files=0, max_fields=_MOST_FIELDS)


def _set_up_page(request: Request, given: dict[str, str], problem: str | None = None) -> Response:
    return render_console(
        request,
        "set_up",
        status=422 if problem else 200,
        word=request.path_params["word"],
        given=given,
        problem=problem,
        languages=language_choices(request),
        zones=zone_names(),
    )


def _refused_link(request: Request, refusal: SignInSpent | WrongBrowser) -> Response:
    is_elsewhere = isinstance(refusal, WrongBrowser)
    return render_console(request, "sign_in_refused", status=403 if is_elsewhere else 410, is_elsewhere=is_elsewhere)


def _signed_in(request: Request, signed_in: SignedIn) -> Response:
    site = get_app(request).site
    response = redirect(request, signed_in.next_path or "/console")
    set_cookie(response, site, SESSION, signed_in.cookie, int(_COOKIE_LIFETIME.total_seconds()))
    delete_cookie(response, site, ASKED)
    return response


def _device(request: Request) -> str:
    return describe_device(request.headers.get("user-agent"))


ROUTES = (
    Route("/console/sign-in", show_sign_in),
    Route("/console/sign-in", post_sign_in, methods=["POST"]),
    Route("/console/sign-in/wait", show_wait),
    Route("/console/sign-in/code", post_code, methods=["POST"]),
    Route("/console/sign-in/link/{word}", show_link),
    Route("/console/sign-in/link/{word}", post_link, methods=["POST"]),
    Route("/console/set-up/{word}", show_set_up),
    Route("/console/set-up/{word}", post_set_up, methods=["POST"]),
    Route("/console/sign-out", post_sign_out, methods=["POST"]),
)
