"""Takes a file of an organiser as a picture or as an attachment, by its content."""

from __future__ import annotations

from mailer.domain.letters.media import MOST_OCTETS, MediaFile
from mailer.errors import MediaRefused
from mailer.mail.media.attachment import prepare_attachment
from mailer.mail.media.picture import prepare_picture

_PICTURE_STARTS = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF87a", b"GIF89a")
_PICTURE_EXTENSIONS = ("jpg", "jpeg", "png", "gif", "webp")
_OTHER_PICTURES = {"heic": "HEIC", "heif": "HEIF", "svg": "SVG", "bmp": "BMP", "tif": "TIFF", "tiff": "TIFF"}


def prepare_media(octets: bytes, name: str) -> MediaFile:
    """The file as letters have it; the same for the same input. May take seconds.

    Raises MediaRefused with the name and the cure for what letters cannot have, and for what is damaged or too large.
    """
    if not octets:
        raise MediaRefused(f"{name} is empty")
    if len(octets) > MOST_OCTETS:
        raise MediaRefused(f"{name} has {len(octets)} octets; the most is {MOST_OCTETS}")
    extension = name.rpartition(".")[2].lower()
    if is_picture(octets) or extension in _PICTURE_EXTENSIONS:
        return prepare_picture(octets, name)
    if extension in _OTHER_PICTURES:
        raise MediaRefused(f"{name}: many mail programs show no {_OTHER_PICTURES[extension]}; save it as JPEG or PNG")
    return prepare_attachment(octets, name)


def is_picture(octets: bytes) -> bool:
    """Whether the content begins like a picture that letters can have."""
    return octets.startswith(_PICTURE_STARTS) or (octets[:4] == b"RIFF" and octets[8:12] == b"WEBP")
