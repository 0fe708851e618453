"""What all pages of the console share: rendering, headers, forms and their token, the actor, redirects."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from mailer.actions.accounts.sessions import organiser_actor
from mailer.domain.accounts.actor import Actor
from mailer.domain.accounts.organiser import Organiser, OrganiserSession
from mailer.domain.language import choose_language
from mailer.entrypoints.web.console.formatting import Formatter
from mailer.entrypoints.web.console.key_bindings import KEYS_BY_NAME
from mailer.entrypoints.web.responses import accepted_languages, get_app
from mailer.entrypoints.web.static_files import static_url

CONSOLE_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    "connect-src 'self'; form-action 'self'; frame-src 'self'; frame-ancestors 'none'; base-uri 'none'; "
    "require-trusted-types-for 'script'; trusted-types 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex",
    "Cache-Control": "no-store",
}
PLACES = ("today", "campaigns", "subscribers", "lists", "settings")
"""The places of the navigation; each is the second segment of its pages' paths, Today has none."""
_MOST_FIELDS = 200
MOST_FILES = 10
"""In one form."""
_MOST_TEXT_OCTETS = 1024 * 1024
"""Of a field of a form that holds files, too."""


@dataclass(frozen=True, slots=True)
class Link:
    """Makes paths of this site's pages and static files."""

    prefix: str

    def url(self, path: str, **query: Any) -> str:
        """The path of a page with the site's own path in front, and a query of all values that are not None."""
        asked = urlencode({name: value for name, value in query.items() if value is not None})
        return f"{self.prefix}{path}{'?' if asked else ''}{asked}"

    def static(self, name: str) -> str:
        """The path of a static file, with the hash of its content."""
        return f"{self.prefix}{static_url(name)}"


def session_of(request: Request) -> OrganiserSession:
    """The session of this request. 401 where there is none, which only open pages can meet."""
    session: OrganiserSession | None = request.state.me
    if session is None:
        raise HTTPException(401)
    return session


def me(request: Request) -> Organiser:
    """The organiser who is signed in."""
    return session_of(request).organiser


def actor(request: Request) -> Actor:
    """Who acts in this request, for the actions."""
    return organiser_actor(session_of(request))


def campaign_of(request: Request) -> int:
    """The campaign that a path names."""
    number: int = request.path_params["campaign_id"]
    return number


def edition_of(request: Request) -> tuple[int, str]:
    """The campaign and the language that a path names."""
    return campaign_of(request), request.path_params["language"]


def page_language(request: Request) -> str:
    """The language of a page: the organiser's, else the browser's, of those the console speaks."""
    languages = get_app(request).console_templates.languages
    session: OrganiserSession | None = getattr(request.state, "me", None)
    own = session.organiser.language if session else None
    return choose_language([own, *accepted_languages(request)], languages) or languages[0]


def formatter(request: Request) -> Formatter:
    """Formats numbers and hours for the reader of this page."""
    session: OrganiserSession | None = getattr(request.state, "me", None)
    zone = session.organiser.zone if session else "UTC"
    return Formatter(page_language(request), zone, get_app(request).clock())


def render_console(
    request: Request, name: str, *, status: int = 200, headers: dict[str, str] | None = None, **values: Any
) -> HTMLResponse:
    """Render templates/console/NAME.html.j2 for the reader of this request.

    Beside `values` a template gets `me` (None on open pages), `place` (of PLACES), `form_token`, `link`
    (`link.url('/console/lists')`, `link.static('console.css')`), `fmt` (a Formatter), `site`, `path`, and `done`, the
    name of what was just done.
    """
    app, language = get_app(request), page_language(request)
    session: OrganiserSession | None = getattr(request.state, "me", None)
    shared = {
        "me": session.organiser if session else None,
        "actor": organiser_actor(session) if session else None,
        "place": _place(request),
        "form_token": getattr(request.state, "form_token", ""),
        "link": Link(app.site.path),
        "fmt": formatter(request),
        "site": app.site,
        "path": request.url.path,
        "keys_by_name": KEYS_BY_NAME,
        "done": request.query_params.get("done", ""),
    }
    body = app.console_templates.render(f"console/{name}.html", language, **shared | values)
    return HTMLResponse(body, status, headers=CONSOLE_HEADERS | {"Content-Language": language} | (headers or {}))


async def read_console_form(request: Request) -> FormData:
    """The fields of a posted form, without files. 403 without the form token of this session."""
    form = await request.form(max_files=0, max_fields=_MOST_FIELDS)
    check_form_token(request, str(form.get("form_token", "")))
    return form


@asynccontextmanager
async def read_upload_form(request: Request) -> AsyncIterator[FormData]:
    """The fields of a posted form that may hold files; these are gone after the block. 403 as `read_console_form`."""
    async with request.form(max_files=MOST_FILES, max_fields=_MOST_FIELDS, max_part_size=_MOST_TEXT_OCTETS) as form:
        check_form_token(request, str(form.get("form_token", "")))
        yield form


def check_form_token(request: Request, token: str) -> None:
    """403 unless it is the token of this session's forms; a script sends it as `X-Form-Token`."""
    if not request.state.form_token or token != request.state.form_token:
        raise HTTPException(403, "This form is of another session. Open the page again.")


def redirect(request: Request, path: str, *, done: str | None = None, **query: Any) -> Response:
    """Show another page after an act; `done` names what was done (console/done.html.j2 has the sentences)."""
    url = Link(get_app(request).site.path).url(path, done=done, **query)
    return RedirectResponse(url, 303, headers={"Cache-Control": "no-store"})


def _place(request: Request) -> str:
    segments = request.url.path.strip("/").split("/")
    return segments[1] if len(segments) > 1 and segments[1] in PLACES else "today" if len(segments) == 1 else ""
