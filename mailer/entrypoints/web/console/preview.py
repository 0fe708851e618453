"""The letter itself, for the frame beside its text: as a page of its own that may do nothing."""

from __future__ import annotations

import re

from starlette.datastructures import FormData, QueryParams
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from mailer.actions.campaigns.preview_draft import preview_draft
from mailer.domain.draft import SAMPLE_READERS, SampleReader
from mailer.domain.letters.media import MEDIA_PATH
from mailer.entrypoints.web.console.pages import CONSOLE_HEADERS, actor, edition_of, page_language, read_console_form
from mailer.entrypoints.web.console.writing_form import read_fields
from mailer.entrypoints.web.responses import get_app
from mailer.errors import AddressRefused, CampaignFileRefused, LetterRenderFailed, NotFound, NotPermitted
from mailer.mail.message.letter import Letter, decode_part

LETTER_HEADERS = CONSOLE_HEADERS | {
    "Content-Security-Policy": "default-src 'none'; img-src 'self'; style-src 'unsafe-inline'; "
    "frame-ancestors 'self'; sandbox",
}
"""A letter is a stranger's page: no script, no form, nothing from elsewhere, and an origin of its own."""
_PATH = "/console/campaigns/{campaign_id:int}/preview/{language}"
_DARK = re.compile(r"@media\s*\(prefers-color-scheme:\s*dark\)")
_COLOR_SCHEME = re.compile(r'(name="(?:color-scheme|supported-color-schemes)" content=)"light dark"')
_ROOT_SCHEME = re.compile(r"color-scheme: light dark")
_MOST_CHARACTERS = 320
_BASE64 = re.compile(r"((?:[A-Za-z0-9+/]{76}\r\n){2})((?:[A-Za-z0-9+/=]{1,76}\r\n){3,})")


async def show_preview(request: Request) -> Response:
    """The letter with the stored text. Query: `reader` (an id, an address or `sample:NAME`), `view`, `dark`."""
    return await _answer(request, request.query_params, fields=None, text=None)


async def post_preview(request: Request) -> Response:
    """The letter with the text that the form holds, which is not stored."""
    form = await read_console_form(request)
    text = form.get("text")
    if isinstance(text, str):
        return await _answer(request, form, fields=None, text=text)
    return await _answer(request, form, fields=read_fields(form), text=None)


async def _answer(
    request: Request, asked: FormData | QueryParams, *, fields: dict[str, str] | None, text: str | None
) -> Response:
    app, who = get_app(request), actor(request)
    campaign_id, language = edition_of(request)
    try:
        letter = await preview_draft(app, who, campaign_id, language, fields=fields, text=text, reader=_reader(asked))
    except (CampaignFileRefused, LetterRenderFailed, AddressRefused) as refusal:
        return answer_with_refusal(request, 422, str(refusal))
    except (NotFound, NotPermitted) as refusal:
        return answer_with_refusal(request, 404 if isinstance(refusal, NotFound) else 403, str(refusal))
    return answer_with_letter(request, letter, str(asked.get("view", "")), is_dark=bool(asked.get("dark")))


def _reader(asked: FormData | QueryParams) -> str | int | SampleReader:
    """For whom the letter is: a typed address, a subscription by its id, or one who is invented."""
    address, chosen = (str(asked.get(name, "")).strip()[:_MOST_CHARACTERS] for name in ("reader_address", "reader"))
    if address:
        return address
    if chosen.isascii() and chosen.isdecimal() and len(chosen) < 19:
        return int(chosen)
    if chosen and not chosen.startswith("sample:"):
        return chosen
    return SAMPLE_READERS.get(chosen.removeprefix("sample:"), SAMPLE_READERS["plain"])


def answer_with_refusal(request: Request, status: int, message: str) -> Response:
    """What the frame says where there is no letter to show."""
    return _page(request, "preview_refused", status=status, message=message)


def answer_with_letter(request: Request, letter: Letter, view: str, *, is_dark: bool) -> Response:
    """The letter for the frame: its HTML, or its `text` or `source`."""
    if view == "text":
        return _page(request, "preview_text", content=decode_part(letter, "text"), is_dark=is_dark)
    if view == "source":
        return _page(request, "preview_text", content=_shorten_files(letter.content.decode()), is_dark=is_dark)
    return answer_with_html(_show_media(request, decode_part(letter, "html")), is_dark=is_dark)


def _shorten_files(source: str) -> str:
    """The source of a letter with the first lines alone of files in base64, which nobody reads."""
    return _BASE64.sub(lambda match: f"{match[1]}[{len(match[2])} more octets]\r\n", source)


def _show_media(request: Request, html: str) -> str:
    """The HTML with its pictures from where the console is: also those in the letter, and behind another host name."""
    site = get_app(request).site
    inline = re.compile(rf'src="cid:([0-9a-f]{{32}})\.([A-Za-z0-9._-]+)@{re.escape(site.domain)}"')
    html = inline.sub(rf'src="{site.path}{MEDIA_PATH}\1/\2"', html)
    return html.replace(f'src="{site.url}{MEDIA_PATH}', f'src="{site.path}{MEDIA_PATH}')


def answer_with_html(html: str, *, is_dark: bool) -> Response:
    """The HTML of a letter for the frame."""
    return HTMLResponse(force_dark(html) if is_dark else force_light(html), headers=LETTER_HEADERS)


def force_dark(html: str) -> str:
    """A letter as it looks where everything is dark: a frame does not take over its page's scheme."""
    return _COLOR_SCHEME.sub(r'\1"dark"', _ROOT_SCHEME.sub("color-scheme: dark", _DARK.sub("@media all", html)))


def force_light(html: str) -> str:
    """A letter as it looks where everything is light, whatever the organiser's own screen is like."""
    light = _ROOT_SCHEME.sub("color-scheme: light", _DARK.sub("@media not all", html))
    return _COLOR_SCHEME.sub(r'\1"light"', light)


def _page(request: Request, name: str, *, status: int = 200, is_dark: bool = False, **values: object) -> Response:
    language = page_language(request)
    body = get_app(request).console_templates.render(f"console/{name}.html", language, is_dark=is_dark, **values)
    return HTMLResponse(body, status, headers=LETTER_HEADERS | {"Content-Language": language})


ROUTES = (
    Route(_PATH, show_preview),
    Route(_PATH, post_preview, methods=["POST"]),
)
