"""The MIME structure of a mail (RFC 2045, RFC 2046), read within bounds whatever its octets are.

The standard library's parser does not fit: it looks at every line once for each level of nesting, and raises errors of
many kinds on malformed mail.
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from mailer.mail.message.header_section import MAX_HEADER_OCTETS, HeaderSection, parse_header_section
from mailer.mail.message.text_decoding import decode_base64, decode_text

_MAX_VALUE_LENGTH = 2000
_MAX_BODY_OCTETS = 2**20
"""Further in there are only attachments."""
_MAX_PARTS, _MAX_DEPTH = 500, 50


@dataclass(frozen=True, slots=True)
class Part:
    """A mail, or a part of one."""

    fields: Mapping[str, str]
    """The first value of each field by its lower-case name; encoded words not decoded, at most 2000 characters."""
    body: bytes
    """At most 1 MiB, still in its transfer encoding."""
    is_complete: bool = True
    """False if the mail was cut off within this part, as far as its reader can tell."""

    @property
    def content_type(self) -> str:
        """The media type in lower case, such as `text/plain`."""
        return self.fields.get("content-type", "text/plain").partition(";")[0].strip().lower()

    @property
    def is_attachment(self) -> bool:
        return self.fields.get("content-disposition", "").strip().lower().startswith("attachment")

    @property
    def text(self) -> str:
        """The body, decoded; what cannot be decoded is replaced."""
        encoding = self.fields.get("content-transfer-encoding", "").strip().lower()
        octets = self.body
        if encoding == "base64":
            octets = decode_base64(octets)
        elif encoding == "quoted-printable":
            octets = binascii.a2b_qp(octets)
        return decode_text(octets, _find_parameter(self.fields.get("content-type", ""), "charset"))


def parse_mime(raw: bytes) -> Part:
    """A mail or part from its octets, whose lines end in LF, CRLF or CR."""
    if has_cr_line_ends(raw):
        raw = raw[: MAX_HEADER_OCTETS + _MAX_BODY_OCTETS].replace(b"\r", b"\n")
    return make_part(parse_header_section(raw), raw)


def has_cr_line_ends(raw: bytes) -> bool:
    """Whether the lines of a mail can only end in CR: there is no LF in its first 64 KiB."""
    return b"\n" not in raw[:MAX_HEADER_OCTETS]


def make_part(header: HeaderSection, raw: bytes) -> Part:
    """The part of which `raw` are the octets and `header` is the header section."""
    fields: dict[str, str] = {}
    for name, value in header.fields:
        fields.setdefault(name, value[:_MAX_VALUE_LENGTH])
    return Part(fields, raw[header.body_start : header.body_start + _MAX_BODY_OCTETS])


def split_multipart(part: Part) -> Iterator[Part] | None:
    """The parts of a multipart, by the boundary that it names; none if it names none."""
    boundary = _find_parameter(part.fields["content-type"], "boundary")
    return _split_at_boundary(part.body, boundary.encode()) if boundary else iter(())


def iter_leaf_parts(
    mail: Part,
    split: Callable[[Part], Iterator[Part] | None] = split_multipart,
    *,
    max_parts: int = _MAX_PARTS,
    max_depth: int = _MAX_DEPTH,
) -> Iterator[Part]:
    """The parts of a mail that hold no others, in order.

    At most `max_parts` parts are read, multiparts included. A multipart is a leaf if it is nested `max_depth` deep or
    `split` returns None for it.
    """
    stack = [iter([mail])]
    for _ in range(max_parts):
        while stack and (part := next(stack[-1], None)) is None:
            stack.pop()
        if not stack or part is None:
            return
        is_multipart = part.content_type.startswith("multipart/") and len(stack) <= max_depth
        inner = split(part) if is_multipart else None
        if inner is None:
            yield part
        else:
            stack.append(inner)


def find_text_parts(mail: Part) -> list[Part]:
    """The text/plain and text/html parts in order, without attachments and without those of attached mails."""
    return [
        part
        for part in iter_leaf_parts(mail)
        if part.content_type in {"text/plain", "text/html"} and not part.is_attachment
    ]


def _split_at_boundary(body: bytes, boundary: bytes) -> Iterator[Part]:
    delimiter = re.compile(rb"^--" + re.escape(boundary) + rb"(--)?[ \t]*\r?(?:\n|\Z)", re.MULTILINE)
    start = None
    for found in delimiter.finditer(body):
        if start is not None:
            yield parse_mime(body[start : found.start()])
        start = found.end()
        if found[1]:
            return
    if start is not None:
        yield parse_mime(body[start:])


def _find_parameter(value: str, name: str) -> str:
    found = re.search(rf';\s*{name}\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s;"]+))', value, re.IGNORECASE)
    return found[1] or found[2] or "" if found else ""
