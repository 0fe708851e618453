"""A campaign's letter composed once for all readers of a language: octets, and the slots where a reader's words go."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from css_inline import CSSInliner

from mailer.domain.language import direction
from mailer.errors import ManuscriptRefused
from mailer.mail.event_words import event_words
from mailer.mail.header import header_field, phrase
from mailer.mail.hole import Context, Marks, Slot
from mailer.mail.letterhead import Letterhead
from mailer.mail.link import check_link
from mailer.mail.manuscript import Manuscript
from mailer.mail.markdown import read_markdown, write_html
from mailer.mail.plain_text import underline, wrap, write_plain_text
from mailer.mail.quoted_printable import SOFT_BREAK, encode_quoted_printable
from mailer.mail.template import Templates

MOST_HTML_OCTETS = 100_000
"""Mail programs cut a longer letter off, and the way out with it."""
_INLINER = CSSInliner(load_remote_stylesheets=False, keep_style_tags=True)
_TEXT_TOOLS = {"wrap": wrap, "underline": underline}


@dataclass(frozen=True, kw_only=True, slots=True)
class ComposedLetter:
    """What is the same in every copy; `personalise` fills the slots."""

    letterhead: Letterhead
    sender: bytes
    """The From field."""
    subject: tuple[str | Slot, ...]
    header: bytes
    """The fields that are the same for all readers, with CRLF line ends."""
    slots: tuple[Slot, ...]
    """What both parts ask of a reader, each once."""
    body: tuple[bytes | int, ...]
    """Both parts: octets as they are, and places in `slots` whose value comes encoded and with a soft line break."""


def compose(
    manuscript: Manuscript, letterhead: Letterhead, templates: Templates, reader_language: str, campaign_id: int
) -> ComposedLetter:
    """The letter with its fixed words and the event's hour in `reader_language`, one of `templates.languages`.

    ManuscriptRefused where there is no such template, or the HTML would be longer than MOST_HTML_OCTETS.
    """
    if not templates.has(f"letters/{manuscript.template}.html"):
        raise ManuscriptRefused(f"there is no template called {manuscript.template!r}")
    marks = Marks.of(repr(manuscript), manuscript.holes)
    text, html = _render(manuscript, letterhead, templates, reader_language, marks)
    if (size := len(html.encode())) > MOST_HTML_OCTETS:
        raise ManuscriptRefused(f"the letter has {size} octets as HTML; {MOST_HTML_OCTETS} is the most")
    boundary = f"=_{hashlib.sha256((text + html).encode()).hexdigest()[:32]}"
    body = list(_body(text, html, marks, boundary.encode()))
    slots = tuple(dict.fromkeys(piece for piece in body if isinstance(piece, Slot)))
    return ComposedLetter(
        letterhead=letterhead,
        sender=header_field("From", [*phrase(letterhead.mailing_list.title), f"<{letterhead.address()}>"]),
        subject=tuple(marks.cut(marks.mark(manuscript.subject), Context.TEXT)),
        header=_header(letterhead, campaign_id, boundary),
        slots=slots,
        body=tuple(slots.index(piece) if isinstance(piece, Slot) else piece for piece in body),
    )


def leave_page(letterhead: Letterhead, token: str) -> str:
    """The way out of one subscription, for browsers and for one click (RFC 8058)."""
    return f"{letterhead.house.url}/leave/{token}"


def _render(
    manuscript: Manuscript, letterhead: Letterhead, templates: Templates, language: str, marks: Marks
) -> tuple[str, str]:
    """The text and the HTML, with marks for holes."""
    name = f"letters/{manuscript.template}"
    tokens = read_markdown(marks.mark(manuscript.body), manuscript.body_line)
    values = _values(manuscript, letterhead, language, marks)
    text = templates.render(f"{name}.txt", language, **values, body=write_plain_text(tokens), **_TEXT_TOOLS)
    html = templates.render(f"{name}.html", language, **values, body=write_html(tokens))
    return text, _INLINER.inline(html)


def _values(manuscript: Manuscript, letterhead: Letterhead, language: str, marks: Marks) -> dict[str, Any]:
    """What a letter's template is given, for its text and for its HTML."""
    action = manuscript.action
    return {
        "subject": marks.mark(manuscript.subject),
        "title": marks.mark(manuscript.title),
        "lead": marks.mark(manuscript.lead),
        "preheader": marks.mark(manuscript.preheader),
        "closing": marks.mark(manuscript.closing),
        "event": manuscript.event,
        "event_words": event_words(manuscript.event, language) if manuscript.event else None,
        "action_label": marks.mark(action.label) if action else None,
        "action_url": check_link(marks.mark(action.url), 1) if action else None,
        "source": manuscript.source,
        "tags": manuscript.tags,
        "letter_language": manuscript.language,
        "letter_dir": direction(manuscript.language),
        "list_title": letterhead.mailing_list.title,
        "house_name": letterhead.house.name,
        "list_address": letterhead.address(),
        "leave_url": leave_page(letterhead, marks.leave_token),
    }


def _header(letterhead: Letterhead, campaign_id: int, boundary: str) -> bytes:
    name, domain = letterhead.mailing_list.name, letterhead.house.domain
    fields = {
        "MIME-Version": ["1.0"],
        "Content-Type": ["multipart/alternative;", f'boundary="{boundary}"'],
        # RFC 2919; the other List- fields are of RFC 2369.
        "List-Id": [*phrase(letterhead.mailing_list.title), f"<{letterhead.list_id}>"],
        "List-Help": [f"<mailto:{letterhead.address('help')}>"],
        "List-Owner": [f"<mailto:{letterhead.address('owner')}>"],
        "List-Subscribe": [f"<{letterhead.join_page}>"],
        "List-Post": ["NO"],
        "Feedback-ID": [f"{campaign_id}:{name}:campaign:{domain}"],
        "Precedence": ["bulk"],
    }
    return b"".join(header_field(field, tokens) for field, tokens in fields.items())


def _body(text: str, html: str, marks: Marks, boundary: bytes) -> Iterator[bytes | Slot]:
    # Quoted-printable never holds "=_", so that no part and no reader's word can hold the boundary.
    for subtype, part, context in ((b"plain", text, Context.TEXT), (b"html", html, Context.HTML)):
        yield b"--" + boundary + b"\r\nContent-Type: text/" + subtype + b"; charset=utf-8\r\n"
        yield b"Content-Transfer-Encoding: quoted-printable\r\n\r\n"
        pieces = list(marks.cut(part, context))
        for piece in pieces[:-1]:
            if piece:
                yield encode_quoted_printable(piece) + SOFT_BREAK if isinstance(piece, str) else piece
        yield encode_quoted_printable(str(pieces[-1])) + b"\r\n"
    yield b"--" + boundary + b"--\r\n"
