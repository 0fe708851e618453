"""A campaign's letter, composed once for all readers of a language: octets with slots for each recipient's values."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby

from mailer.domain.site import ListIdentity
from mailer.errors import CampaignFileRefused
from mailer.mail.compose.campaign_file import CampaignFile, mergeable_texts, replace_texts
from mailer.mail.compose.campaign_file_fields import LONGEST_SUBJECT
from mailer.mail.compose.letter_header import build_header
from mailer.mail.compose.letter_parts import html_template, render_parts
from mailer.mail.compose.letter_resources import NO_RESOURCES, LetterResources
from mailer.mail.compose.merge_field import LEAVE_TOKEN, VIEW_TOKEN, EscapeContext, MergeField, Placeholders, Slot
from mailer.mail.compose.mime_body import build_body
from mailer.mail.compose.templates import Templates
from mailer.mail.media.letter_files import take_files

MOST_HTML_OCTETS = 100_000
"""Mail programs cut off a longer letter, and with it the link to unsubscribe."""
_LARGE = 200_000
"""Octets of a piece that is not copied into its neighbours."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ComposedLetter:
    """What all copies of a letter share; `personalise` fills in the rest."""

    list_identity: ListIdentity
    subject: tuple[str | int, ...]
    """Texts, and indexes into `merge_fields`; empty if the subject is the same for all, and so part of `octets`."""
    merge_fields: tuple[MergeField, ...]
    """The merge fields of the whole letter, each once."""
    octets: tuple[bytes, ...]
    """The letter in pieces; empty pieces are filled for each recipient: see HeaderSlot and the two fields below."""
    merge_field_places: tuple[MergeFieldPlaces, ...]
    """Where in `octets` the values of `merge_fields` go."""
    token_places: tuple[int, ...]
    """Where in `octets` the leave token goes, in the body."""
    view_places: tuple[int, ...] = ()
    """Where in `octets` the token goes with which a reader opens the letter in a browser."""


@dataclass(frozen=True, slots=True)
class MergeFieldPlaces:
    """The places in the body where one merge field stands in one context.

    Each place takes the value escaped, quoted-printable, and followed by a soft line break.
    """

    field_index: int
    context: EscapeContext
    places: tuple[int, ...]


def compose_letter(
    campaign_file: CampaignFile,
    list_identity: ListIdentity,
    templates: Templates,
    reader_language: str,
    campaign_id: int,
    resources: LetterResources = NO_RESOURCES,
) -> ComposedLetter:
    """The letter, with the templates' words and the event's date in `reader_language`, one of `templates.languages`.

    Raises CampaignFileRefused if there is no such template, or if the HTML is longer than MOST_HTML_OCTETS.
    """
    placeholders = Placeholders.for_text(repr(campaign_file), campaign_file.merge_fields)
    marked = replace_texts(
        campaign_file,
        {key: placeholders.insert_placeholders(text) for key, text in mergeable_texts(campaign_file).items()},
    )
    return compose_with_placeholders(
        marked, placeholders, list_identity, templates, reader_language, campaign_id, resources
    )


def compose_with_placeholders(
    marked: CampaignFile,
    placeholders: Placeholders,
    list_identity: ListIdentity,
    templates: Templates,
    reader_language: str,
    campaign_id: int,
    resources: LetterResources = NO_RESOURCES,
) -> ComposedLetter:
    """The letter of a campaign file whose texts hold placeholders instead of merge fields. Raises as compose_letter."""
    if marked.template not in resources.templates and not templates.has(html_template(marked.template)):
        names = ", ".join((*templates.letter_names, *resources.template_names))
        raise CampaignFileRefused(
            f"there is no template called {marked.template!r}; there are {names}", marked.lines.get("template")
        )
    text, html = render_parts(marked, list_identity, templates, reader_language, placeholders, resources, campaign_id)
    files = take_files(marked, html, list_identity, campaign_id, resources)
    parts = (
        list(placeholders.split_at_placeholders(text, EscapeContext.TEXT)),
        list(placeholders.split_at_placeholders(files.html, EscapeContext.HTML)),
    )
    if (size := sum(len(piece.encode()) for piece in parts[1] if isinstance(piece, str))) > MOST_HTML_OCTETS:
        raise CampaignFileRefused(
            f"the letter has {size} octets as HTML; shorten it to {MOST_HTML_OCTETS}, or mail programs cut it off"
        )
    body = build_body(parts, files.pictures, files.attachments, list_identity.site.domain)
    subject = [
        piece.merge_field if isinstance(piece, Slot) else piece
        for piece in placeholders.split_at_placeholders(marked.subject, EscapeContext.TEXT)
    ]
    fixed = truncate_subject(marked.subject) if len(subject) == 1 else None
    *header, rest = build_header(list_identity, campaign_id, body.content_type, fixed)
    pieces = [*header, *_join_adjacent_octets([rest, *body.pieces])]
    return _assemble_letter(list_identity, () if fixed is not None else tuple(subject), pieces)


def truncate_subject(text: str) -> str:
    """The subject, cut to LONGEST_SUBJECT characters."""
    return text if len(text) <= LONGEST_SUBJECT else f"{text[: LONGEST_SUBJECT - 1]}…"


def _join_adjacent_octets(pieces: list[bytes | Slot]) -> Iterator[bytes | Slot]:
    """The pieces, with adjacent octets joined: the fewer pieces, the faster each letter is written.

    Large ones stay as they are: those of files are shared by many letters.
    """
    for _, group in groupby(pieces, lambda piece: isinstance(piece, bytes) and len(piece) < _LARGE):
        adjacent = list(group)
        octets = [piece for piece in adjacent if isinstance(piece, bytes) and len(piece) < _LARGE]
        yield from [b"".join(octets)] if octets else adjacent


def _assemble_letter(
    list_identity: ListIdentity, subject: tuple[str | MergeField, ...], pieces: list[bytes | Slot]
) -> ComposedLetter:
    slots: dict[Slot, list[int]] = {}
    for place, piece in enumerate(pieces):
        if isinstance(piece, Slot):
            slots.setdefault(piece, []).append(place)
    token_places, view_places = (_pop_places(slots, token) for token in (LEAVE_TOKEN, VIEW_TOKEN))
    in_body = [slot.merge_field for slot in slots]
    in_subject = [piece for piece in subject if isinstance(piece, MergeField)]
    merge_fields = list(dict.fromkeys([*in_body, *in_subject]))
    return ComposedLetter(
        list_identity=list_identity,
        subject=tuple(merge_fields.index(piece) if isinstance(piece, MergeField) else piece for piece in subject),
        merge_fields=tuple(merge_fields),
        octets=tuple(b"" if isinstance(piece, Slot) else piece for piece in pieces),
        merge_field_places=tuple(
            MergeFieldPlaces(merge_fields.index(slot.merge_field), slot.context, tuple(places))
            for slot, places in slots.items()
        ),
        token_places=token_places,
        view_places=view_places,
    )


def _pop_places(slots: dict[Slot, list[int]], token: MergeField) -> tuple[int, ...]:
    return tuple(place for slot in list(slots) if slot.merge_field is token for place in slots.pop(slot))
