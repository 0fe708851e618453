"""The pages of an archive: its index, and each letter; public, or by the link of a subscriber's letter."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from babel import Locale, UnknownLocaleError
from babel.dates import format_date
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from mailer.actions.archive.archive_index import archive_index
from mailer.actions.archive.archive_page import archive_page
from mailer.actions.archive.letter_responses import letter_responses
from mailer.actions.archive.open_archive import OpenArchive, open_by_token, open_public
from mailer.domain.language import text_direction
from mailer.domain.letters.archive_paths import ARCHIVE_PAGE, VIEW_PAGE, parse_letter_name
from mailer.domain.token import NOBODY, Purpose, read_token
from mailer.entrypoints.web.public.archive_feed import show_feed
from mailer.entrypoints.web.public.archive_responses import archive_page_response, moved, place_pictures
from mailer.entrypoints.web.public.webmention import WEBMENTION_PATH
from mailer.entrypoints.web.responses import accepted_languages, get_app, render_page, set_page_language
from mailer.errors import NotFound

_YEAR_DIGITS, _LONGEST_CURSOR = 4, 18
_LONGEST_TAG = 200


async def show_index(request: Request) -> Response:
    """The index of all letters, or of those of a year."""
    year = request.path_params.get("year", "")
    if year and (len(year) != _YEAR_DIGITS or not year.isascii() or not year.isdigit()):
        return await _show_letter(request, year, None)
    return await _show_index(request, year=int(year) if year else None)


async def show_tag(request: Request) -> Response:
    """The index of the letters with a tag."""
    return await _show_index(request, tag=request.path_params["tag"][:_LONGEST_TAG])


async def show_edition(request: Request) -> Response:
    """A letter in one language."""
    return await _show_letter(request, request.path_params["letter"], request.path_params["language"])


async def _show_index(request: Request, *, year: int | None = None, tag: str | None = None) -> Response:
    if isinstance(archive := await _open(request), Response):
        return archive
    app = get_app(request)
    language = app.language(archive.language, *accepted_languages(request), archive.mailing_list.language)
    index = await archive_index(app, archive, language, year=year, tag=tag, before=_cursor(request))
    part = f"/{year}" if year else f"/tags/{quote(tag, safe='')}" if tag else ""
    return archive_page_response(
        request,
        "archive",
        language,
        is_personal=archive.token is not None,
        vary=True,
        mailing_list=archive.mailing_list,
        base=f"{app.site.path}{archive.path}",
        url=f"{app.site.url}{archive.path}{part}",
        index=index,
        year=year,
        tag=tag,
        **_formats(language),
    )


async def _show_letter(request: Request, letter: str, language: str | None) -> Response:
    if (named := parse_letter_name(letter)) is None:
        raise HTTPException(404)
    if isinstance(archive := await _open(request), Response):
        return archive
    app, is_personal = get_app(request), archive.token is not None
    page = await archive_page(app, archive, named[0], language)
    own_segment = page.name.partition("/")[0]
    if letter != own_segment:
        path = f"{archive.path}/{own_segment}" + (f"/{language}" if language else "")
        return moved(request, path, is_personal=is_personal)
    endpoint = f"{app.site.url}{WEBMENTION_PATH}" if app.archive.webmention and not is_personal else None
    return archive_page_response(
        request,
        "archive_letter",
        page.words_in,
        is_personal=is_personal,
        headers={"Link": f'<{endpoint}>; rel="webmention"'} if endpoint else None,
        webmention_endpoint=endpoint,
        responses=await letter_responses(app, page.campaign_id, page.article),
        mailing_list=archive.mailing_list,
        base=f"{app.site.path}{archive.path}",
        base_url=f"{app.site.url}{archive.path}",
        url=f"{app.site.url}{archive.path}/{page.name}",
        page=page,
        article=page.article,
        body=place_pictures(page.article.body, app.site.path),
        files=app.site.path,
        **_formats(page.words_in),
    )


async def _open(request: Request) -> OpenArchive | Response:
    """The archive that the path names; or an answer, where a personal link leads to something else."""
    app = get_app(request)
    if (list_name := request.path_params.get("name")) is not None:
        return await open_public(app, list_name)
    token = request.path_params["token"]
    if read_token(app.site.keyring, Purpose.VIEW, token) == NOBODY:
        return render_page(request, "test_letter", is_view=True)
    archive = await open_by_token(app, token)
    if archive.token is None:
        rest = request.url.path.partition(f"/{token}")[2]
        return moved(request, f"{archive.path}{rest}", is_personal=True)
    set_page_language(request, archive.language)
    return archive


def _cursor(request: Request) -> int | None:
    """The campaign after which an index goes on; None for the first page. Raises NotFound for what is none."""
    given = request.query_params.get("before")
    if given is None:
        return None
    if not (given.isascii() and given.isdigit() and len(given) <= _LONGEST_CURSOR):
        raise NotFound("there is no such page; begin with the first")
    return int(given)


def _formats(language: str) -> dict[str, Any]:
    """What the templates of the archive call."""
    # English as in Europe, like the dates of letters: the day before the month.
    locale = Locale("en", "150") if language == "en" else Locale.parse(language, sep="-")
    return {
        "long_date": lambda day: format_date(day, "long", locale=locale),
        "language_name": _language_name,
        "text_direction": text_direction,
    }


def _language_name(tag: str) -> str:
    """The name of a language in itself, or its tag."""
    try:
        return Locale.parse(tag, sep="-").get_display_name() or tag
    except (ValueError, UnknownLocaleError):
        return tag


def _routes(base: str) -> list[Route]:
    return [
        Route(base, show_index),
        Route(f"{base}/tags/{{tag:path}}", show_tag),
        Route(f"{base}/{{year}}", show_index),
        Route(f"{base}/{{letter}}/{{language}}", show_edition),
    ]


ROUTES = (
    Route(f"/{ARCHIVE_PAGE}/{{name}}/feed.atom", show_feed),
    Route(f"/{ARCHIVE_PAGE}/{{name}}/feed.{{language}}.atom", show_feed),
    *_routes(f"/{ARCHIVE_PAGE}/{{name}}"),
    *_routes(f"/{VIEW_PAGE}/{{token}}"),
)
