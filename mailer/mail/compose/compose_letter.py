"""A campaign's letter composed once for all readers of a language: octets, and the slots where a reader's words go."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum
from itertools import groupby
from typing import Any

from css_inline import CSSInliner

from mailer.domain.language import direction
from mailer.domain.site import Letterhead
from mailer.domain.token import TOKEN_CHARACTERS
from mailer.errors import ManuscriptRefused
from mailer.mail.compose.campaign_file import LONGEST_SUBJECT, Manuscript, texts, with_texts
from mailer.mail.compose.event_dates import event_words
from mailer.mail.compose.link import check_link
from mailer.mail.compose.markdown import read_markdown, write_html
from mailer.mail.compose.merge_field import LEAVE_TOKEN, Context, Hole, Marks, Slot
from mailer.mail.compose.plain_text import underline, wrap, write_plain_text
from mailer.mail.compose.templates import Templates
from mailer.mail.message.header_writer import header_field, phrase, text_field
from mailer.mail.message.quoted_printable import SOFT_BREAK, encode_quoted_printable

MOST_HTML_OCTETS = 100_000
"""Mail programs cut a longer letter off, and the way out with it."""
_TOKEN = "=" * TOKEN_CHARACTERS
"""Stands for a leave token; no address or link holds it."""
_INLINER = CSSInliner(load_remote_stylesheets=False, keep_style_tags=True)
_TEXT_TOOLS = {"wrap": wrap, "underline": underline}


@dataclass(frozen=True, kw_only=True, slots=True)
class ComposedLetter:
    """What is the same in every copy; `personalise` fills the gaps."""

    letterhead: Letterhead
    subject: tuple[str | int, ...]
    """Words, and places in `holes`; empty where it is the same for all and stands in `octets`."""
    holes: tuple[Hole, ...]
    """What the letter asks of a reader, each once."""
    octets: tuple[bytes, ...]
    """The whole letter; empty where something of a reader's goes, see Gap and `fillings`."""
    fillings: tuple[Filling, ...]
    """Where in `octets` the words of `holes` go."""
    tokens: tuple[int, ...]
    """Where in `octets` the leave token goes, in the body."""


@dataclass(frozen=True, slots=True)
class Filling:
    """A word's places in the body that have one context: it comes encoded, with a soft line break."""

    hole: int
    context: Context
    places: tuple[int, ...]


class Gap(IntEnum):
    """The places in a letter's octets where the header waits for a reader's values."""

    ADDRESS = 1
    SUBJECT = 3
    """A whole field."""
    DATE = 4
    """A whole field."""
    MESSAGE_ID = 6
    LEAVE_PAGE = 8
    LEAVE_ADDRESS = 10
    REPLY_ADDRESS = 12
    FEEDBACK_ID = 14


def compose(
    manuscript: Manuscript, letterhead: Letterhead, templates: Templates, reader_language: str, campaign_id: int
) -> ComposedLetter:
    """The letter with its fixed words and the event's hour in `reader_language`, one of `templates.languages`.

    ManuscriptRefused where there is no such template, or the HTML would be longer than MOST_HTML_OCTETS.
    """
    marks = Marks.of(repr(manuscript), manuscript.holes)
    marked = with_texts(manuscript, {key: marks.mark(text) for key, text in texts(manuscript).items()})
    return compose_marked(marked, marks, letterhead, templates, reader_language, campaign_id)


def compose_marked(
    marked: Manuscript,
    marks: Marks,
    letterhead: Letterhead,
    templates: Templates,
    reader_language: str,
    campaign_id: int,
) -> ComposedLetter:
    """The same of a manuscript in whose texts there are marks instead of holes."""
    if not templates.has(f"letters/{marked.template}.html"):
        raise ManuscriptRefused(f"there is no template called {marked.template!r}")
    text, html = _render(marked, letterhead, templates, reader_language, marks)
    parts = list(marks.cut(text, Context.TEXT)), list(marks.cut(html, Context.HTML))
    if (size := sum(len(piece.encode()) for piece in parts[1] if isinstance(piece, str))) > MOST_HTML_OCTETS:
        raise ManuscriptRefused(f"the letter has {size} octets as HTML; {MOST_HTML_OCTETS} is the most")
    boundary = _boundary(parts)
    subject = [piece.hole if isinstance(piece, Slot) else piece for piece in marks.cut(marked.subject, Context.TEXT)]
    fixed = cut_subject(marked.subject) if len(subject) == 1 else None
    *header, rest = _header(letterhead, campaign_id, boundary, fixed)
    pieces = [*header, *_joined([rest, *_body(parts, boundary.encode())])]
    return _assembled(letterhead, () if fixed is not None else tuple(subject), pieces)


def cut_subject(text: str) -> str:
    """A subject of LONGEST_SUBJECT characters at most."""
    return text if len(text) <= LONGEST_SUBJECT else f"{text[: LONGEST_SUBJECT - 1]}…"


def _leave_page(letterhead: Letterhead, token: str) -> str:
    """The way out of one subscription, for browsers and for one click (RFC 8058)."""
    return f"{letterhead.house.url}/leave/{token}"


def _boundary(parts: tuple[list[str | Slot], ...]) -> str:
    """Made of the words around the holes, so that it does not tell in which way these were marked."""
    words = "\0".join(piece for part in parts for piece in part if isinstance(piece, str))
    return f"=_{hashlib.sha256(words.encode()).hexdigest()[:32]}"


def _joined(pieces: list[bytes | Slot]) -> Iterator[bytes | Slot]:
    """The pieces with those that follow one another made one: the fewer there are, the faster is each letter."""
    for _, run in groupby(pieces, lambda piece: isinstance(piece, bytes)):
        together = list(run)
        octets = [piece for piece in together if isinstance(piece, bytes)]
        yield from [b"".join(octets)] if octets else together


def _assembled(letterhead: Letterhead, subject: tuple[str | Hole, ...], pieces: list[bytes | Slot]) -> ComposedLetter:
    slots: dict[Slot, list[int]] = {}
    for place, piece in enumerate(pieces):
        if isinstance(piece, Slot):
            slots.setdefault(piece, []).append(place)
    tokens = [place for slot in list(slots) if slot.hole is LEAVE_TOKEN for place in slots.pop(slot)]
    holes = list(dict.fromkeys([*(slot.hole for slot in slots), *(one for one in subject if isinstance(one, Hole))]))
    return ComposedLetter(
        letterhead=letterhead,
        subject=tuple(holes.index(one) if isinstance(one, Hole) else one for one in subject),
        holes=tuple(holes),
        octets=tuple(b"" if isinstance(piece, Slot) else piece for piece in pieces),
        fillings=tuple(Filling(holes.index(slot.hole), slot.context, tuple(at)) for slot, at in slots.items()),
        tokens=tuple(tokens),
    )


def _render(
    manuscript: Manuscript, letterhead: Letterhead, templates: Templates, language: str, marks: Marks
) -> tuple[str, str]:
    """The text and the HTML, with marks for holes."""
    name = f"letters/{manuscript.template}"
    tokens = read_markdown(manuscript.body, manuscript.body_line)
    values = _values(manuscript, letterhead, language, marks)
    text = templates.render(f"{name}.txt", language, **values, body=write_plain_text(tokens), **_TEXT_TOOLS)
    html = templates.render(f"{name}.html", language, **values, body=write_html(tokens))
    return text, _INLINER.inline(html)


def _values(manuscript: Manuscript, letterhead: Letterhead, language: str, marks: Marks) -> dict[str, Any]:
    """What a letter's template is given, for its text and for its HTML."""
    action = manuscript.action
    return {
        "subject": manuscript.subject,
        "title": manuscript.title,
        "lead": manuscript.lead,
        "preheader": manuscript.preheader,
        "closing": manuscript.closing,
        "event": manuscript.event,
        "event_words": event_words(manuscript.event, language) if manuscript.event else None,
        "action_label": action.label if action else None,
        "action_url": check_link(action.url, manuscript.lines.get("url", 1)) if action else None,
        "source": manuscript.source,
        "tags": manuscript.tags,
        "letter_language": manuscript.language,
        "letter_dir": direction(manuscript.language),
        "list_title": letterhead.mailing_list.title,
        "list_language": letterhead.mailing_list.language,
        "postal_address": letterhead.mailing_list.postal_address or "",
        "reason": letterhead.mailing_list.reason,
        "house_name": letterhead.house.name,
        "list_address": letterhead.address(),
        "leave_url": _leave_page(letterhead, marks.leave_token),
    }


def _header(letterhead: Letterhead, campaign_id: int, boundary: str, subject: str | None) -> Iterator[bytes]:
    """The header in pieces, empty ones at each Gap, but for a `subject` that is the same for all."""
    domain = letterhead.house.domain
    sender = header_field("From", [*phrase(letterhead.mailing_list.title), f"<{letterhead.address()}>"])
    # RFC 2369; one click is RFC 8058. Folded as with any token: all have one length.
    ways_out = [f"<{_leave_page(letterhead, _TOKEN)}>,", f"<mailto:{letterhead.address('leave', _TOKEN)}>"]
    before_page, before_address, after = header_field("List-Unsubscribe", ways_out).split(_TOKEN.encode())
    yield from (sender + b"To: ", b"", b"\r\n", b"" if subject is None else text_field("Subject", subject), b"")
    yield from (b"Message-ID: <", b"", f"@{domain}>\r\n".encode() + before_page, b"", before_address, b"")
    one_click = b"List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n"
    before_reply, after_reply = header_field("Reply-To", [letterhead.address("reply", _TOKEN)]).split(_TOKEN.encode())
    yield from (after + one_click + before_reply, b"")
    complaints, end = b"", b""
    if letterhead.house.signed:
        complaints = header_field("CFBL-Address", letterhead.house.complaint_address.split()) + b"CFBL-Feedback-ID: "
        end = b"\r\n"
    yield from (after_reply + complaints, b"")
    yield end + _fixed_fields(letterhead, campaign_id, boundary) + b"\r\n"


def _fixed_fields(letterhead: Letterhead, campaign_id: int, boundary: str) -> bytes:
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


def _body(parts: tuple[list[str | Slot], ...], boundary: bytes) -> Iterator[bytes | Slot]:
    # Quoted-printable never holds "=_", so that no part and no reader's word can hold the boundary.
    for subtype, pieces in zip((b"plain", b"html"), parts, strict=True):
        yield b"--" + boundary + b"\r\nContent-Type: text/" + subtype + b"; charset=utf-8\r\n"
        yield b"Content-Transfer-Encoding: quoted-printable\r\n\r\n"
        for piece in pieces[:-1]:
            if piece:
                yield encode_quoted_printable(piece) + SOFT_BREAK if isinstance(piece, str) else piece
        yield encode_quoted_printable(str(pieces[-1])) + b"\r\n"
    yield b"--" + boundary + b"--\r\n"
