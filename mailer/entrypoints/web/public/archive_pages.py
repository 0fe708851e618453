"""The pages of an archive: its index, and each letter; public, or by the link of a subscriber's letter."""

from __future__ import annotations

from urllib.parse import quote

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from mailer.actions.archive.archive_index import archive_index
from mailer.actions.archive.archive_page import archive_page
from mailer.actions.archive.letter_responses import letter_responses
from mailer.actions.archive.open_archive import OpenArchive, open_by_token, open_public
from mailer.domain.letters.archive_paths import ARCHIVE_PAGE, VIEW_PAGE, parse_letter_name
from mailer.domain.letters.earlier_letter import EARLIER_PAGE
from mailer.domain.token import NOBODY, Purpose, read_token
from mailer.entrypoints.web.public.archive_feed import show_feed
from mailer.entrypoints.web.public.archive_responses import archive_page_response, moved, place_pictures
from mailer.entrypoints.web.public.archive_values import archive_cursor, page_formats
from mailer.entrypoints.web.public.earlier_pages import earlier_index_response, earlier_letter_response
from mailer.entrypoints.web.public.webmention import WEBMENTION_PATH
from mailer.entrypoints.web.responses import accepted_languages, get_app, render_page, set_page_language

_YEAR_DIGITS = 4
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


async def show_earlier(request: Request) -> Response:
    """The index of letters from before the list moved here, or one of them."""
    if isinstance(archive := await _open(request), Response):
        return archive
    if (letter := request.path_params.get("letter")) is None:
        return await earlier_index_response(request, archive)
    return await earlier_letter_response(request, archive, letter)


async def _show_index(request: Request, *, year: int | None = None, tag: str | None = None) -> Response:
    if isinstance(archive := await _open(request), Response):
        return archive
    app = get_app(request)
    language = app.language(archive.language, *accepted_languages(request), archive.mailing_list.language)
    index = await archive_index(app, archive, language, year=year, tag=tag, before=archive_cursor(request))
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
        **page_formats(language),
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
        **page_formats(page.words_in),
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


def _routes(base: str) -> list[Route]:
    return [
        Route(base, show_index),
        Route(f"{base}/tags/{{tag:path}}", show_tag),
        Route(f"{base}/{EARLIER_PAGE}", show_earlier),
        Route(f"{base}/{EARLIER_PAGE}/{{letter}}", show_earlier),
        Route(f"{base}/{{year}}", show_index),
        Route(f"{base}/{{letter}}/{{language}}", show_edition),
    ]


ROUTES = (
    Route(f"/{ARCHIVE_PAGE}/{{name}}/feed.atom", show_feed),
    Route(f"/{ARCHIVE_PAGE}/{{name}}/feed.{{language}}.atom", show_feed),
    *_routes(f"/{ARCHIVE_PAGE}/{{name}}"),
    *_routes(f"/{VIEW_PAGE}/{{token}}"),
)
