"""A campaign's letter composed once for all readers of a language: octets, and the slots where a reader's words go."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum
from itertools import groupby
from typing import Any

from css_inline import CSSInliner

from mailer.domain.language import text_direction
from mailer.domain.site import ListIdentity
from mailer.domain.token import TOKEN_CHARACTERS
from mailer.errors import CampaignFileRefused
from mailer.mail.compose.campaign_file import LONGEST_SUBJECT, CampaignFile, mergeable_texts, replace_texts
from mailer.mail.compose.event_dates import format_event_date
from mailer.mail.compose.link import check_link
from mailer.mail.compose.markdown import parse_markdown, render_html
from mailer.mail.compose.merge_field import LEAVE_TOKEN, EscapeContext, MergeField, Placeholders, Slot
from mailer.mail.compose.plain_text import render_plain_text, underline, wrap
from mailer.mail.compose.templates import Templates
from mailer.mail.message.header_writer import format_field, format_phrase, format_text_field
from mailer.mail.message.quoted_printable import SOFT_BREAK, encode_quoted_printable

MOST_HTML_OCTETS = 100_000
"""Mail programs cut a longer letter off, and the way out with it."""
_SAMPLE_TOKEN = "=" * TOKEN_CHARACTERS
"""Stands for a leave token; no address or link holds it."""
_INLINER = CSSInliner(load_remote_stylesheets=False, keep_style_tags=True)
_TEXT_FUNCTIONS = {"wrap": wrap, "underline": underline}


@dataclass(frozen=True, kw_only=True, slots=True)
class ComposedLetter:
    """What is the same in every copy; `personalise` fills the gaps."""

    list_identity: ListIdentity
    subject: tuple[str | int, ...]
    """Words, and places in `holes`; empty where it is the same for all and stands in `octets`."""
    merge_fields: tuple[MergeField, ...]
    """What the letter asks of a reader, each once."""
    octets: tuple[bytes, ...]
    """The whole letter; empty where something of a reader's goes, see Gap and `fillings`."""
    merge_field_places: tuple[MergeFieldPlaces, ...]
    """Where in `octets` the words of `holes` go."""
    token_places: tuple[int, ...]
    """Where in `octets` the leave token goes, in the body."""


@dataclass(frozen=True, slots=True)
class MergeFieldPlaces:
    """A word's places in the body that have one context: it comes encoded, with a soft line break."""

    field_index: int
    context: EscapeContext
    places: tuple[int, ...]


class HeaderSlot(IntEnum):
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


def compose_letter(
    campaign_file: CampaignFile,
    list_identity: ListIdentity,
    templates: Templates,
    reader_language: str,
    campaign_id: int,
) -> ComposedLetter:
    """The letter with its fixed words and the event's hour in `reader_language`, one of `templates.languages`.

    ManuscriptRefused where there is no such template, or the HTML would be longer than MOST_HTML_OCTETS.
    """
    placeholders = Placeholders.for_text(repr(campaign_file), campaign_file.merge_fields)
    marked = replace_texts(
        campaign_file,
        {key: placeholders.insert_placeholders(text) for key, text in mergeable_texts(campaign_file).items()},
    )
    return compose_with_placeholders(marked, placeholders, list_identity, templates, reader_language, campaign_id)


def compose_with_placeholders(
    marked: CampaignFile,
    placeholders: Placeholders,
    list_identity: ListIdentity,
    templates: Templates,
    reader_language: str,
    campaign_id: int,
) -> ComposedLetter:
    """The same of a manuscript in whose texts there are marks instead of holes."""
    if not templates.has(f"letters/{marked.template}.html"):
        raise CampaignFileRefused(f"there is no template called {marked.template!r}")
    text, html = _render(marked, list_identity, templates, reader_language, placeholders)
    parts = (
        list(placeholders.split_at_placeholders(text, EscapeContext.TEXT)),
        list(placeholders.split_at_placeholders(html, EscapeContext.HTML)),
    )
    if (size := sum(len(piece.encode()) for piece in parts[1] if isinstance(piece, str))) > MOST_HTML_OCTETS:
        raise CampaignFileRefused(f"the letter has {size} octets as HTML; {MOST_HTML_OCTETS} is the most")
    boundary = _make_boundary(parts)
    subject = [
        piece.merge_field if isinstance(piece, Slot) else piece
        for piece in placeholders.split_at_placeholders(marked.subject, EscapeContext.TEXT)
    ]
    fixed = truncate_subject(marked.subject) if len(subject) == 1 else None
    *header, rest = _build_header(list_identity, campaign_id, boundary, fixed)
    pieces = [*header, *_join_adjacent_octets([rest, *_build_body(parts, boundary.encode())])]
    return _assemble_letter(list_identity, () if fixed is not None else tuple(subject), pieces)


def truncate_subject(text: str) -> str:
    """A subject of LONGEST_SUBJECT characters at most."""
    return text if len(text) <= LONGEST_SUBJECT else f"{text[: LONGEST_SUBJECT - 1]}…"


def _leave_url(list_identity: ListIdentity, token: str) -> str:
    """The way out of one subscription, for browsers and for one click (RFC 8058)."""
    return f"{list_identity.site.url}/leave/{token}"


def _make_boundary(parts: tuple[list[str | Slot], ...]) -> str:
    """Made of the words around the holes, so that it does not tell in which way these were marked."""
    words = "\0".join(piece for part in parts for piece in part if isinstance(piece, str))
    return f"=_{hashlib.sha256(words.encode()).hexdigest()[:32]}"


def _join_adjacent_octets(pieces: list[bytes | Slot]) -> Iterator[bytes | Slot]:
    """The pieces with those that follow one another made one: the fewer there are, the faster is each letter."""
    for _, run in groupby(pieces, lambda piece: isinstance(piece, bytes)):
        together = list(run)
        octets = [piece for piece in together if isinstance(piece, bytes)]
        yield from [b"".join(octets)] if octets else together


def _assemble_letter(
    list_identity: ListIdentity, subject: tuple[str | MergeField, ...], pieces: list[bytes | Slot]
) -> ComposedLetter:
    slots: dict[Slot, list[int]] = {}
    for place, piece in enumerate(pieces):
        if isinstance(piece, Slot):
            slots.setdefault(piece, []).append(place)
    tokens = [place for slot in list(slots) if slot.merge_field is LEAVE_TOKEN for place in slots.pop(slot)]
    merge_fields = list(
        dict.fromkeys([*(slot.merge_field for slot in slots), *(one for one in subject if isinstance(one, MergeField))])
    )
    return ComposedLetter(
        list_identity=list_identity,
        subject=tuple(merge_fields.index(one) if isinstance(one, MergeField) else one for one in subject),
        merge_fields=tuple(merge_fields),
        octets=tuple(b"" if isinstance(piece, Slot) else piece for piece in pieces),
        merge_field_places=tuple(
            MergeFieldPlaces(merge_fields.index(slot.merge_field), slot.context, tuple(at))
            for slot, at in slots.items()
        ),
        token_places=tuple(tokens),
    )


def _render(
    campaign_file: CampaignFile,
    list_identity: ListIdentity,
    templates: Templates,
    language: str,
    placeholders: Placeholders,
) -> tuple[str, str]:
    """The text and the HTML, with marks for holes."""
    name = f"letters/{campaign_file.template}"
    tokens = parse_markdown(campaign_file.body, campaign_file.body_line)
    values = _template_values(campaign_file, list_identity, language, placeholders)
    text = templates.render(f"{name}.txt", language, **values, body=render_plain_text(tokens), **_TEXT_FUNCTIONS)
    html = templates.render(f"{name}.html", language, **values, body=render_html(tokens))
    return text, _INLINER.inline(html)


def _template_values(
    campaign_file: CampaignFile, list_identity: ListIdentity, language: str, placeholders: Placeholders
) -> dict[str, Any]:
    """What a letter's template is given, for its text and for its HTML."""
    action = campaign_file.action
    return {
        "subject": campaign_file.subject,
        "title": campaign_file.title,
        "lead": campaign_file.lead,
        "preheader": campaign_file.preheader,
        "closing": campaign_file.closing,
        "event": campaign_file.event,
        "event_words": format_event_date(campaign_file.event, language) if campaign_file.event else None,
        "action_label": action.label if action else None,
        "action_url": check_link(action.url, campaign_file.lines.get("url", 1)) if action else None,
        "source": campaign_file.source,
        "tags": campaign_file.tags,
        "letter_language": campaign_file.language,
        "letter_dir": text_direction(campaign_file.language),
        "list_title": list_identity.mailing_list.title,
        "list_language": list_identity.mailing_list.language,
        "postal_address": list_identity.mailing_list.postal_address or "",
        "reason": list_identity.mailing_list.reason,
        "house_name": list_identity.site.name,
        "list_address": list_identity.address(),
        "leave_url": _leave_url(list_identity, placeholders.leave_token),
    }


def _build_header(list_identity: ListIdentity, campaign_id: int, boundary: str, subject: str | None) -> Iterator[bytes]:
    """The header in pieces, empty ones at each Gap, but for a `subject` that is the same for all."""
    domain = list_identity.site.domain
    sender = format_field("From", [*format_phrase(list_identity.mailing_list.title), f"<{list_identity.address()}>"])
    # RFC 2369; one click is RFC 8058. Folded as with any token: all have one length.
    ways_out = [
        f"<{_leave_url(list_identity, _SAMPLE_TOKEN)}>,",
        f"<mailto:{list_identity.address('leave', _SAMPLE_TOKEN)}>",
    ]
    before_page, before_address, after = format_field("List-Unsubscribe", ways_out).split(_SAMPLE_TOKEN.encode())
    yield from (sender + b"To: ", b"", b"\r\n", b"" if subject is None else format_text_field("Subject", subject), b"")
    yield from (b"Message-ID: <", b"", f"@{domain}>\r\n".encode() + before_page, b"", before_address, b"")
    one_click = b"List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n"
    before_reply, after_reply = format_field("Reply-To", [list_identity.address("reply", _SAMPLE_TOKEN)]).split(
        _SAMPLE_TOKEN.encode()
    )
    yield from (after + one_click + before_reply, b"")
    complaints, end = b"", b""
    if list_identity.site.signed:
        complaints = format_field("CFBL-Address", list_identity.site.complaint_address.split()) + b"CFBL-Feedback-ID: "
        end = b"\r\n"
    yield from (after_reply + complaints, b"")
    yield end + _build_fixed_fields(list_identity, campaign_id, boundary) + b"\r\n"


def _build_fixed_fields(list_identity: ListIdentity, campaign_id: int, boundary: str) -> bytes:
    name, domain = list_identity.mailing_list.name, list_identity.site.domain
    fields = {
        "MIME-Version": ["1.0"],
        "Content-Type": ["multipart/alternative;", f'boundary="{boundary}"'],
        # RFC 2919; the other List- fields are of RFC 2369.
        "List-Id": [*format_phrase(list_identity.mailing_list.title), f"<{list_identity.list_id}>"],
        "List-Help": [f"<mailto:{list_identity.address('help')}>"],
        "List-Owner": [f"<mailto:{list_identity.address('owner')}>"],
        "List-Subscribe": [f"<{list_identity.join_url}>"],
        "List-Post": ["NO"],
        "Feedback-ID": [f"{campaign_id}:{name}:campaign:{domain}"],
        "Precedence": ["bulk"],
    }
    return b"".join(format_field(field, tokens) for field, tokens in fields.items())


def _build_body(parts: tuple[list[str | Slot], ...], boundary: bytes) -> Iterator[bytes | Slot]:
    # Quoted-printable never holds "=_", so that no part and no reader's word can hold the boundary.
    for subtype, pieces in zip((b"plain", b"html"), parts, strict=True):
        yield b"--" + boundary + b"\r\nContent-Type: text/" + subtype + b"; charset=utf-8\r\n"
        yield b"Content-Transfer-Encoding: quoted-printable\r\n\r\n"
        for piece in pieces[:-1]:
            if piece:
                yield encode_quoted_printable(piece) + SOFT_BREAK if isinstance(piece, str) else piece
        yield encode_quoted_printable(str(pieces[-1])) + b"\r\n"
    yield b"--" + boundary + b"--\r\n"
