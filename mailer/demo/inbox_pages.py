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


def inbox_app(inbox: Inbox, templates: Templates, *, public_url: str, local_url: str) -> Starlette:
    """The web application of `inbox`. Links in letters that begin with `public_url` lead to `local_url` instead.

    Both URLs have no trailing slash. Only the HTML and text views are changed, not the source.
    """
    pages = _Pages(inbox, templates, public_url, local_url)
    return Starlette(
        routes=[
            Route("/", pages.letters),
            Route("/letter/{number}", pages.letter),
            Route("/letter/{number}/html", pages.letter_html),
            static_route(),
        ],
        exception_handlers={NotFound: _not_found},
    )


@dataclass(frozen=True, slots=True)
class _Pages:
    inbox: Inbox
    templates: Templates
    public_url: str
    local_url: str

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
            passages=self._split_links(letter.text or "") if view == "text" else [],
            source=letter.content.decode("utf-8", "backslashreplace") if view == "source" else "",
            total=len(self.inbox),
            public_url=self.public_url,
            local_url=self.local_url,
        )

    async def letter_html(self, request: Request) -> Response:
        """`/letter/7/html`: the HTML part, under a policy that forbids everything but its display."""
        letter = self._letter(request)
        html = letter.html
        if html is None:
            raise NotFound(f"letter {letter.number} has no html view")
        link = re.compile(rf"(\bhref\s*=\s*[\"']?\s*){re.escape(self.public_url)}(?![^/?#\"'\s>])", re.IGNORECASE)
        local = link.sub(lambda match: match[1] + self.local_url, html)
        return HTMLResponse(_OPEN_IN_NEW_TABS + local, headers={**_HEADERS, "Content-Security-Policy": _LETTER_POLICY})

    def _letter(self, request: Request) -> InboxLetter:
        return self.inbox.letter(_number(request.path_params["number"]))

    def _split_links(self, text: str) -> list[tuple[str, str | None]]:
        """Split the text into (text, link or None); joined, the texts are the original."""
        passages: list[tuple[str, str | None]] = []
        end = 0
        for address in _WEB_ADDRESS.finditer(text):
            passages += [(text[end : address.start()], None), (address[0], self._local_url(address[0]))]
            end = address.end()
        return [*passages, (text[end:], None)]

    def _local_url(self, address: str) -> str:
        rest = address.removeprefix(self.public_url)
        return self.local_url + rest if rest != address and (not rest or rest[0] in "/?#") else address

    def _page(self, name: str, **values: object) -> Response:
        html = self.templates.render(name, "en", stylesheet=static_url("demo.css"), **values)
        return HTMLResponse(html, headers={**_HEADERS, "Content-Security-Policy": _PAGE_POLICY})


def _number(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) <= 9):
        raise NotFound("there is no such letter")
    return int(text)


async def _not_found(request: Request, error: Exception) -> Response:
    return PlainTextResponse(f"{error}\n", 404, headers=_HEADERS)
