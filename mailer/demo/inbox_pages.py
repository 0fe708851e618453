"""The web pages of the demo's inbox: every letter as HTML, text and source."""

from __future__ import annotations

import re
from dataclasses import dataclass

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import Route

from mailer.demo.inbox import Inbox, InboxLetter
from mailer.entrypoints.web.static_files import static_route, static_url
from mailer.errors import NotFound
from mailer.mail.compose.templates import Templates

LETTERS_A_PAGE = 200
VIEWS = ("html", "text", "source")
_WEB_ADDRESS = re.compile(r"https?://[^\s<>\"']*[^\s<>\"'.,;:!?)\]]", re.IGNORECASE)
_HEADERS = {"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "Cache-Control": "no-store"}
_PAGE_POLICY = "default-src 'none'; style-src 'self'; frame-src 'self'; form-action 'self'; base-uri 'none'"
_LETTER_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; form-action 'none'; base-uri 'none'; "
    "frame-ancestors 'self'; sandbox allow-popups allow-popups-to-escape-sandbox"
)
# It comes first, so that no letter can comment it out. The letter's own doctype and head still have their effect,
# and the first <base> decides where links open.
_OPEN_IN_NEW_TABS = '<!doctype html><base target="_blank">'


def inbox_app(inbox: Inbox, templates: Templates, *more: Route) -> Starlette:
    """The web application of `inbox`, with `more` pages."""
    pages = _Pages(inbox, templates)
    return Starlette(
        routes=[
            Route("/", pages.letters),
            Route("/letter/{number}", pages.letter),
            Route("/letter/{number}/html", pages.letter_html),
            static_route(),
            *more,
        ],
        exception_handlers={NotFound: _not_found},
    )


@dataclass(frozen=True, slots=True)
class _Pages:
    inbox: Inbox
    templates: Templates

    async def letters(self, request: Request) -> Response:
        """`/?q=ROSA&before=NUMBER`: letters to addresses that contain q, newest first."""
        query = request.query_params.get("q", "")
        before = _number(request.query_params["before"]) if "before" in request.query_params else None
        # One more than is shown, to know whether there is another page.
        letters = self.inbox.search(query, before=before, limit=LETTERS_A_PAGE + 1)
        return self._page(
            "demo/inbox.html",
            letters=letters[:LETTERS_A_PAGE],
            total=len(self.inbox),
            query=query,
            newest=before is None,
            older=letters[LETTERS_A_PAGE - 1].number if len(letters) > LETTERS_A_PAGE else None,
        )

    async def letter(self, request: Request) -> Response:
        """`/letter/7?view=text`: one letter, by default its HTML."""
        letter = self._letter(request)
        parts = {"html": letter.html, "text": letter.text, "source": letter.content}
        views = [view for view in VIEWS if parts[view] is not None]
        view = request.query_params.get("view", views[0])
        if view not in views:
            raise NotFound(f"letter {letter.number} has no {view[:20]} view")
        return self._page(
            "demo/inbox_letter.html",
            letter=letter,
            views=views,
            view=view,
            passages=_split_links(letter.text or "") if view == "text" else [],
            source=letter.content.decode("utf-8", "backslashreplace") if view == "source" else "",
            total=len(self.inbox),
        )

    async def letter_html(self, request: Request) -> Response:
        """`/letter/7/html`: the HTML part, under a policy that forbids everything but its display."""
        letter = self._letter(request)
        html = letter.html
        if html is None:
            raise NotFound(f"letter {letter.number} has no html view")
        return HTMLResponse(_OPEN_IN_NEW_TABS + html, headers={**_HEADERS, "Content-Security-Policy": _LETTER_POLICY})

    def _letter(self, request: Request) -> InboxLetter:
        return self.inbox.letter(_number(request.path_params["number"]))

    def _page(self, name: str, **values: object) -> Response:
        html = self.templates.render(name, "en", stylesheet=static_url("demo.css"), **values)
        return HTMLResponse(html, headers={**_HEADERS, "Content-Security-Policy": _PAGE_POLICY})


def _split_links(text: str) -> list[tuple[str, str | None]]:
    """Split the text into (text, link or None); joined, the texts are the original."""
    passages: list[tuple[str, str | None]] = []
    end = 0
    for address in _WEB_ADDRESS.finditer(text):
        passages += [(text[end : address.start()], None), (address[0], address[0])]
        end = address.end()
    return [*passages, (text[end:], None)]


def _number(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) <= 9):
        raise NotFound("there is no such letter")
    return int(text)


async def _not_found(request: Request, error: Exception) -> Response:
    return PlainTextResponse(f"{error}\n", 404, headers=_HEADERS)
