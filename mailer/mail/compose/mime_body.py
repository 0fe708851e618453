"""The body of a letter: text and HTML, with the files that go along, as MIME parts (RFC 2046, RFC 2387)."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache

from mailer.domain.letters.media import MediaFile, mail_disposition
from mailer.mail.compose.merge_field import Slot
from mailer.mail.media.letter_files import content_id
from mailer.mail.message.header_writer import format_field
from mailer.mail.message.quoted_printable import SOFT_BREAK, encode_quoted_printable

TextPieces = list[str | Slot]
Piece = bytes | Slot
_ENCODED_KEPT = 8
"""Files whose encoded octets are kept, so that all letters with one share them."""


@dataclass(frozen=True, slots=True)
class MimeBody:
    """A body and what its header says of it."""

    content_type: tuple[str, ...]
    """The words of the field Content-Type."""
    pieces: tuple[Piece, ...]


def build_body(
    parts: tuple[TextPieces, TextPieces],
    pictures: tuple[MediaFile, ...] = (),
    attachments: tuple[MediaFile, ...] = (),
    domain: str = "",
) -> MimeBody:
    """The body for a plain text and an HTML text, in pieces; with nothing but these it is multipart/alternative."""
    html = list(_text_entity("html", parts[1]))
    if pictures:
        shown = [_file_entity(one, "inline", content_id(one, domain)) for one in pictures]
        html = _entity_of(_multipart("related", parts, [html, *shown], 'type="text/html";'))
    body = _multipart("alternative", parts, [_text_entity("plain", parts[0]), html])
    if attachments:
        files = [_file_entity(one, "attachment") for one in attachments]
        body = _multipart("mixed", parts, [_entity_of(body), *files])
    return body


def _multipart(
    kind: str, parts: tuple[TextPieces, TextPieces], entities: Iterable[Iterable[Piece]], *more: str
) -> MimeBody:
    boundary = _make_boundary(kind, parts)
    return MimeBody((f"multipart/{kind};", *more, f'boundary="{boundary}"'), tuple(_join(boundary.encode(), entities)))


def _join(boundary: bytes, entities: Iterable[Iterable[Piece]]) -> Iterator[Piece]:
    # Neither quoted-printable nor base64 holds "=_", so no part and no recipient's value can hold the boundary.
    for entity in entities:
        yield b"--" + boundary + b"\r\n"
        yield from entity
    yield b"--" + boundary + b"--\r\n"


def _entity_of(body: MimeBody) -> list[Piece]:
    return [format_field("Content-Type", body.content_type) + b"\r\n", *body.pieces]


def _make_boundary(kind: str, parts: tuple[TextPieces, TextPieces]) -> str:
    """A boundary made of the fixed texts alone: the same whichever way their placeholders were made."""
    texts = "\0".join(piece for part in parts for piece in part if isinstance(piece, str))
    seed = texts if kind == "alternative" else f"{kind}\0{texts}"
    return f"=_{hashlib.sha256(seed.encode()).hexdigest()[:32]}"


def _text_entity(subtype: str, pieces: TextPieces) -> Iterator[Piece]:
    yield f"Content-Type: text/{subtype}; charset=utf-8\r\n".encode()
    yield b"Content-Transfer-Encoding: quoted-printable\r\n\r\n"
    for piece in pieces[:-1]:
        if piece:
            yield encode_quoted_printable(piece) + SOFT_BREAK if isinstance(piece, str) else piece
    yield encode_quoted_printable(str(pieces[-1])) + b"\r\n"


def _file_entity(file: MediaFile, kind: str, own_id: str | None = None) -> list[Piece]:
    # The second name is for programs that know no RFC 2231.
    more = ("charset=utf-8;",) if file.media_type.startswith("text/") else ()
    header = format_field("Content-Type", (f"{file.media_type};", *more, f'name="{file.name}"'))
    header += b"Content-Transfer-Encoding: base64\r\n"
    header += f"Content-ID: <{own_id}>\r\n".encode() if own_id else b""
    header += format_field("Content-Disposition", mail_disposition(file, kind)) + b"\r\n"
    # A piece of its own, so that letters of many variants hold the same octets and not each a copy.
    return [header, _encode(file)]


@lru_cache(maxsize=_ENCODED_KEPT)
def _encode(file: MediaFile) -> bytes:
    return base64.encodebytes(file.content).replace(b"\n", b"\r\n")
