"""Pictures and attachments of letters: files named by their content, so that a path never means another file."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import quote

_DIGEST_OCTETS = 32
MEDIA_PATH = "/media/"
PATH = re.compile(rf"/media/([0-9a-f]{{{_DIGEST_OCTETS}}})/([A-Za-z0-9](?:[A-Za-z0-9._-]{{0,98}}[A-Za-z0-9])?)")
"""The path of a media file, below the site's URL: the first half of its digest, and its name."""
MOST_OCTETS = 10 * 1024 * 1024
"""Of a file as somebody hands it in."""
MOST_ATTACHMENT_OCTETS = 5 * 1024 * 1024
"""Of one attachment."""
MOST_ATTACHED_OCTETS = 7_000_000
"""Of everything in one letter that is not its text: a third more as base64, and many servers refuse over 10 MB."""
_LONGEST_PIECE = 54
"""Octets of a piece of a long parameter, so that its line is short."""
_SIZE_IN_NAME = re.compile(r"-([1-9][0-9]{0,4})x([1-9][0-9]{0,4})\.(?:jpg|png|gif)$")


@dataclass(frozen=True, kw_only=True, slots=True)
class MediaFile:
    """A picture or an attachment as it is stored."""

    digest: str
    """In hexadecimal: SHA-256 of a picture's content, and of an attachment's shown name and content."""
    name: str
    """The file name in its path; a picture's ends in its size, as `apples-1200x800.jpg`."""
    media_type: str
    """Such as image/jpeg or application/pdf (RFC 6838)."""
    content: bytes
    """Empty where only the rest was asked for."""
    size: int
    """Octets of the content."""
    width: int | None = None
    """Of a picture, in pixels."""
    height: int | None = None
    shown_name: str = ""
    """The file name that readers of an attachment see, in any script; empty: as in the path."""

    @property
    def path(self) -> str:
        """The path of its page, below the site's URL; texts name it so."""
        return f"/media/{self.digest[:_DIGEST_OCTETS]}/{self.name}"

    @property
    def is_picture(self) -> bool:
        return self.width is not None


@dataclass(frozen=True, kw_only=True, slots=True)
class StoredMedia:
    """A file, when it was added and by whom."""

    file: MediaFile
    """Without its content."""
    added_at: datetime
    added_by: str


def find_media_digests(text: str) -> frozenset[str]:
    """The first halves of the digests of all media files that a text names."""
    return frozenset(match[1] for match in PATH.finditer(text))


def find_media_paths(text: str) -> tuple[str, ...]:
    """The paths of all media files that a text names, each once, in their order."""
    return tuple(dict.fromkeys(match[0] for match in PATH.finditer(text)))


def picture_size(path: str) -> tuple[int, int] | None:
    """Width and height in pixels, as a picture's path tells them; None for any other path."""
    match = _SIZE_IN_NAME.search(path) if PATH.fullmatch(path) else None
    return (int(match[1]), int(match[2])) if match else None


def mail_disposition(file: MediaFile, kind: str) -> list[str]:
    """The words of a part's Content-Disposition (inline, attachment) with the file's shown name (RFC 2183).

    A name beyond ASCII is in percent encoding, in pieces where it is long (RFC 2231).
    """
    shown = file.shown_name or file.name
    if shown.isascii() and len(shown) <= _LONGEST_PIECE:
        return [f"{kind};", f'filename="{shown}"']
    return [f"{kind};", *_extended_parameter("filename", shown, _LONGEST_PIECE)]


def page_disposition(file: MediaFile, kind: str) -> str:
    """The Content-Disposition of the file's page; a name beyond ASCII is there twice (RFC 6266)."""
    shown = file.shown_name or file.name
    extended = "" if shown == file.name else f"; filename*=utf-8''{quote(shown, safe='')}"
    return f'{kind}; filename="{file.name}"{extended}'


def _extended_parameter(name: str, value: str, longest: int) -> list[str]:
    """`name*=utf-8''value` in percent encoding, or its continuations `name*0*=` where that is long (RFC 2231)."""
    encoded = [quote(character, safe="") for character in value]
    pieces = [""]
    for one in encoded:
        if len(pieces[-1]) + len(one) > longest:
            pieces.append("")
        pieces[-1] += one
    if len(pieces) == 1:
        return [f"{name}*=utf-8''{pieces[0]}"]
    pieces[0] = f"utf-8''{pieces[0]}"
    return [f"{name}*{number}*={one}{';' * (number + 1 < len(pieces))}" for number, one in enumerate(pieces)]
