"""The pages of letters that other software sent before a list moved here, in its archive."""

from __future__ import annotations

from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from mailer.actions.archive.earlier_index import earlier_index, earlier_name, earlier_page
from mailer.actions.archive.open_archive import OpenArchive
from mailer.domain.letters.archive_paths import parse_letter_name
from mailer.domain.letters.earlier_letter import EARLIER_PAGE
from mailer.domain.letters.text_links import split_links
from mailer.entrypoints.web.public.archive_responses import archive_page_response, moved
from mailer.entrypoints.web.public.archive_values import archive_cursor, page_formats
from mailer.entrypoints.web.responses import accepted_languages, get_app


async def earlier_index_response(request: Request, archive: OpenArchive) -> Response:
    """The index of all earlier letters."""
    app = get_app(request)
    index = await earlier_index(app, archive, archive_cursor(request))
    return _render(request, archive, "earlier", EARLIER_PAGE, index=index)


async def earlier_letter_response(request: Request, archive: OpenArchive, letter: str) -> Response:
    """One earlier letter."""
    if (named := parse_letter_name(letter)) is None:
        raise HTTPException(404)
    page = await earlier_page(get_app(request), archive, named[0])
    name = earlier_name(page.letter)
    if name != f"{EARLIER_PAGE}/{letter}":
        return moved(request, f"{archive.path}/{name}", is_personal=archive.token is not None)
    return _render(request, archive, "earlier_letter", name, page=page, letter=page.letter)


def _render(request: Request, archive: OpenArchive, template: str, path: str, **values: Any) -> Response:
    app = get_app(request)
    language = app.language(archive.language, *accepted_languages(request), archive.mailing_list.language)
    return archive_page_response(
        request,
        template,
        language,
        is_personal=archive.token is not None,
        vary=True,
        mailing_list=archive.mailing_list,
        base=f"{app.site.path}{archive.path}",
        url=f"{app.site.url}{archive.path}/{path}",
        name_of=earlier_name,
        split_links=split_links,
        **values,
        **page_formats(language),
    )
