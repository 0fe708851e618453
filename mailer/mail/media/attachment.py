"""Attachments for letters: a short list of kinds, each recognised by its content and its name together."""

from __future__ import annotations

import hashlib
import re
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO

from mailer.domain.letters.media import MOST_ATTACHMENT_OCTETS, MediaFile
from mailer.errors import MediaRefused
from mailer.mail.media.media_name import extension_of, path_name, shown_name

_CONTROLS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_MARKUP = re.compile(r"\s*<(?:!doctype|html|script|svg|\?xml|head|body)", re.IGNORECASE)
_MOST_ENTRIES = 5000
_OPEN_DOCUMENT_TYPE = 30
"""The octet at which an OpenDocument file says its type, in an entry called `mimetype` (ODF 1.3, part 2, 3.3)."""


@dataclass(frozen=True, slots=True)
class AttachmentKind:
    """One kind of attachment: its media type, and what is wrong with a content that is not of it (None: nothing)."""

    media_type: str
    find_fault: Callable[[bytes], str | None]


def prepare_attachment(octets: bytes, name: str) -> MediaFile:
    """The file as letters carry it, unchanged. Raises MediaRefused for what is not of KINDS, damaged, or too large.

    Its name decides which kind it is to be, and its content must agree.
    """
    extension = extension_of(name)
    kind = KINDS.get(extension)
    if kind is None:
        raise MediaRefused(
            f"{name} cannot be in a letter: pictures can (JPEG, PNG, GIF, WebP), and files in {', '.join(KINDS)}"
        )
    if len(octets) > MOST_ATTACHMENT_OCTETS:
        raise MediaRefused(f"{name} has {len(octets)} octets; the most is {MOST_ATTACHMENT_OCTETS}")
    if fault := kind.find_fault(octets):
        raise MediaRefused(f"{name} {fault}")
    shown = shown_name(name, extension)
    return MediaFile(
        digest=hashlib.sha256(shown.encode() + b"\0" + octets).hexdigest(),
        name=path_name(name, extension),
        media_type=kind.media_type,
        content=octets,
        size=len(octets),
        shown_name=shown,
    )


def _pdf_fault(octets: bytes) -> str | None:
    if not octets.startswith(b"%PDF-"):
        return "is no PDF, whatever its name says"
    return None if b"%%EOF" in octets[-2048:] else "is a PDF that is cut off; save it again"


def _text_fault(octets: bytes) -> str | None:
    try:
        text = octets.decode("utf-8-sig")
    except UnicodeDecodeError:
        return "is not text in UTF-8; save it so"
    if not text.strip() or _CONTROLS.search(text):
        return "is not plain text"
    return "is a page or a script, not plain text" if _MARKUP.match(text) else None


def _calendar_fault(octets: bytes) -> str | None:
    if fault := _text_fault(octets):
        return fault
    lines = octets.decode("utf-8-sig").strip().splitlines()
    whole = lines[0].strip().upper() == "BEGIN:VCALENDAR" and lines[-1].strip().upper() == "END:VCALENDAR"
    return None if whole else "is no calendar file, or is cut off"


def _open_document_fault(media_type: str) -> Callable[[bytes], str | None]:
    def find_fault(octets: bytes) -> str | None:
        names = _entries(octets)
        first = b"mimetype" + media_type.encode()
        if names is None or not octets[_OPEN_DOCUMENT_TYPE:].startswith(first):
            return "is not the kind of document that its name says, or is damaged"
        macros = any(one.startswith(("Basic/", "Scripts/")) for one in names)
        return "holds macros, which no letter carries; save it without them" if macros else None

    return find_fault


def _office_fault(folder: str) -> Callable[[bytes], str | None]:
    def find_fault(octets: bytes) -> str | None:
        names = _entries(octets)
        if names is None or "[Content_Types].xml" not in names or not any(one.startswith(folder) for one in names):
            return "is not the kind of document that its name says, or is damaged"
        macros = any(one.lower().endswith("vbaproject.bin") for one in names)
        return "holds macros, which no letter carries; save it without them" if macros else None

    return find_fault


def _entries(octets: bytes) -> list[str] | None:
    """The names in a ZIP file, of which nothing is unpacked; None if it cannot be read."""
    try:
        with zipfile.ZipFile(BytesIO(octets)) as archive:
            names = archive.namelist()
    except (zipfile.BadZipFile, ValueError, OSError, EOFError, NotImplementedError, UnicodeError):
        return None
    return names if len(names) <= _MOST_ENTRIES else None


_OPEN_DOCUMENT = "application/vnd.oasis.opendocument"
_OFFICE = "application/vnd.openxmlformats-officedocument"
KINDS: dict[str, AttachmentKind] = {
    "pdf": AttachmentKind("application/pdf", _pdf_fault),
    "ics": AttachmentKind("text/calendar", _calendar_fault),
    "txt": AttachmentKind("text/plain", _text_fault),
    "csv": AttachmentKind("text/csv", _text_fault),
    **{
        extension: AttachmentKind(f"{_OPEN_DOCUMENT}.{kind}", _open_document_fault(f"{_OPEN_DOCUMENT}.{kind}"))
        for extension, kind in (("odt", "text"), ("ods", "spreadsheet"), ("odp", "presentation"))
    },
    **{
        extension: AttachmentKind(f"{_OFFICE}.{kind}", _office_fault(folder))
        for extension, kind, folder in (
            ("docx", "wordprocessingml.document", "word/"),
            ("xlsx", "spreadsheetml.sheet", "xl/"),
            ("pptx", "presentationml.presentation", "ppt/"),
        )
    },
}
"""What a letter can carry besides pictures, by the extension of its name. Never programs, scripts or pages."""
