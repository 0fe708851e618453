"""The structure of a mail that came in (RFC 5322, RFC 2045-2047), read within bounds whatever its octets are.

The standard library's parser is of no use here: it looks at every line once for each level of nesting, and raises
errors of many sorts on garbage.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

_MAX_HEADER_OCTETS, _MAX_VALUE_OCTETS = 64 * 1024, 2000
_MAX_BODY_OCTETS = 2**20
"""Further in there are only attachments."""
_MAX_PARTS, _MAX_DEPTH = 500, 50

_EMPTY_LINE = re.compile(rb"(?:\A|\r?\n)\r?\n")
_FOLD = re.compile(rb"\r?\n[ \t]+")
_FIELD = re.compile(rb"([!-9;-~]{1,100})[ \t]*:(.*)", re.DOTALL)
_NOT_BASE64 = re.compile(rb"[^A-Za-z0-9+/]+")
_ENCODED_WORD = re.compile(r"=\?([^?\s]{1,60})\?([bq])\?([^?\s]*)\?=", re.IGNORECASE)
# Python knows more codecs than there are charsets, and some are slow or warn (punycode, unicode_escape).
_CHARSET = re.compile(
    r"utf-?8|(?:us-)?ascii|utf-16(?:[lb]e)?|iso-?8859-\d{1,2}|latin-?\d|(?:windows|cp)-?\d{3,4}|koi8-[ru]|gb(?:2312|k|18030)"
    r"|big5(?:-hkscs)?|euc-(?:jp|kr)|shift[_-]jis|iso-2022-(?:jp|kr)|tis-620|macintosh"
)


@dataclass(frozen=True, slots=True)
class Part:
    """A mail, or a part of one."""

    fields: Mapping[str, str]
    """The first value of each field by its lower-case name; still with encoded words, at most 2000 characters."""
    body: bytes

    @property
    def content_type(self) -> str:
        """`text/plain` and kin."""
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
            octets = _decode_base64(octets)
        elif encoding == "quoted-printable":
            octets = binascii.a2b_qp(octets)
        return _decode_text(octets, _find_parameter(self.fields.get("content-type", ""), "charset"))


def parse_mime(raw: bytes) -> Part:
    """Header and body; at most 64 kB of the one and 1 MB of the other are looked at; lines end in LF, CRLF or CR."""
    if b"\n" not in raw[:_MAX_HEADER_OCTETS]:
        raw = raw[: _MAX_HEADER_OCTETS + _MAX_BODY_OCTETS].replace(b"\r", b"\n")
    blank = _EMPTY_LINE.search(raw)
    head, start = (
        (raw[: min(blank.start(), _MAX_HEADER_OCTETS)], blank.end()) if blank else (raw[:_MAX_HEADER_OCTETS], len(raw))
    )
    fields: dict[str, str] = {}
    for line in _FOLD.sub(b" ", head).split(b"\n"):
        if field := _FIELD.fullmatch(line):
            fields.setdefault(
                field[1].decode("ascii").lower(), _decode_text(field[2][:_MAX_VALUE_OCTETS].strip(), None)
            )
    return Part(fields, raw[start : start + _MAX_BODY_OCTETS])


def parse_header_fields(head: bytes) -> list[tuple[str, str]]:
    """All fields of a header section from the top, lower-case name and whole value, read as `split_mail` does."""
    found = (_FIELD.fullmatch(line) for line in _FOLD.sub(b" ", head).split(b"\n"))
    return [(field[1].decode("ascii").lower(), _decode_text(field[2].strip(), None)) for field in found if field]


def iter_leaf_parts(mail: Part) -> Iterator[Part]:
    """Its parts that hold no others, in order: at most 500 parts, nested 50 deep, are looked at."""
    waiting = [iter([mail])]
    for _ in range(_MAX_PARTS):
        while waiting and (part := next(waiting[-1], None)) is None:
            waiting.pop()
        if not waiting or part is None:
            return
        if not part.content_type.startswith("multipart/"):
            yield part
        elif len(waiting) <= _MAX_DEPTH:
            waiting.append(_iter_parts(part))


def find_text_parts(mail: Part) -> list[Part]:
    """Its text/plain and text/html parts in order: not attachments, nor what is in mails attached."""
    return [
        part
        for part in iter_leaf_parts(mail)
        if part.content_type in {"text/plain", "text/html"} and not part.is_attachment
    ]


def decode_encoded_words(value: str) -> str:
    """A field's text with its encoded words read (RFC 2047); what cannot be read stays or is replaced."""
    pieces: list[tuple[str | None, bytes]] = []
    end = 0
    for word in _ENCODED_WORD.finditer(value):
        between, end = value[end : word.start()], word.end()
        # White space between two encoded words is not text; anything else is.
        if between.strip() or (between and not pieces):
            pieces.append((None, between.encode()))
        octets = word[3].encode("utf-8")
        octets = _decode_base64(octets) if word[2] in "bB" else binascii.a2b_qp(octets, header=True)
        charset = word[1].partition("*")[0]
        if pieces and pieces[-1][0] == charset:
            octets = pieces.pop()[1] + octets
        pieces.append((charset, octets))
    return "".join(_decode_text(octets, charset) for charset, octets in [*pieces, (None, value[end:].encode())])


def _iter_parts(part: Part) -> Iterator[Part]:
    boundary = _find_parameter(part.fields["content-type"], "boundary")
    if not boundary:
        return
    delimiter = re.compile(rb"^--" + re.escape(boundary.encode()) + rb"(--)?[ \t]*\r?(?:\n|\Z)", re.MULTILINE)
    start = None
    for found in delimiter.finditer(part.body):
        if start is not None:
            yield parse_mime(part.body[start : found.start()])
        start = found.end()
        if found[1]:
            return
    if start is not None:
        yield parse_mime(part.body[start:])


def _find_parameter(value: str, name: str) -> str:
    found = re.search(rf';\s*{name}\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s;"]+))', value, re.IGNORECASE)
    return found[1] or found[2] or "" if found else ""


def _decode_base64(text: bytes) -> bytes:
    digits = _NOT_BASE64.sub(b"", text)
    digits = digits[: len(digits) - (len(digits) % 4 == 1)]
    return base64.b64decode(digits + b"=" * (-len(digits) % 4))


def _decode_text(octets: bytes, charset: str | None) -> str:
    """As said; where nothing or nonsense is said as UTF-8, or else as what most old mail is."""
    if charset and _CHARSET.fullmatch(charset.lower()):
        try:
            return octets.decode(charset, "replace")
        except LookupError:
            return octets.decode("utf-8", "replace")
    try:
        return octets.decode("utf-8")
    except UnicodeDecodeError:
        return octets.decode("cp1252", "replace")
