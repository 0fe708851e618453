"""Pictures and attachments of letters: files named by their content, so that a path never means another file."""

from __future__ import annotations

import re
from dataclasses import dataclass

_DIGEST_OCTETS = 32
PATH = re.compile(rf"/media/([0-9a-f]{{{_DIGEST_OCTETS}}})/([A-Za-z0-9](?:[A-Za-z0-9._-]{{0,98}}[A-Za-z0-9])?)")
"""The path of a media file, below the site's URL: the first half of its SHA-256, and its name."""
_SIZE_IN_NAME = re.compile(r"-([1-9][0-9]{0,4})x([1-9][0-9]{0,4})\.[a-z]+$")


@dataclass(frozen=True, kw_only=True, slots=True)
class MediaFile:
    """A picture or an attachment as it is stored."""

    digest: str
    """SHA-256 of the content, in hexadecimal."""
    name: str
    """The file name in its path; a picture's ends in its size, as `apples-1200x800.jpg`."""
    media_type: str
    """Such as image/jpeg or application/pdf (RFC 6838)."""
    content: bytes
    width: int | None = None
    """Of a picture, in pixels."""
    height: int | None = None

    @property
    def path(self) -> str:
        """The path of its page, below the site's URL; texts name it so."""
        return f"/media/{self.digest[:_DIGEST_OCTETS]}/{self.name}"


def find_media_digests(text: str) -> frozenset[str]:
    """The first halves of the digests of all media files that a text names."""
    return frozenset(match[1] for match in PATH.finditer(text))


def picture_size(path: str) -> tuple[int, int] | None:
    """Width and height in pixels, as a picture's path tells them; None for any other path."""
    match = _SIZE_IN_NAME.search(path) if PATH.fullmatch(path) else None
    return (int(match[1]), int(match[2])) if match else None
