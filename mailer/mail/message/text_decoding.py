"""Decoding text that arrived in a mail: charsets, base64, and the encoded words of header fields (RFC 2047)."""

from __future__ import annotations

import base64
import binascii
import re

_NOT_BASE64 = re.compile(rb"[^A-Za-z0-9+/]+")
_ENCODED_WORD = re.compile(r"=\?([^?\s]{1,60})\?([bq])\?([^?\s]*)\?=", re.IGNORECASE)
# Python knows more codecs than there are charsets, and some are slow or warn (punycode, unicode_escape).
_CHARSET = re.compile(
    r"utf-?8|(?:us-)?ascii|utf-16(?:[lb]e)?|iso-?8859-\d{1,2}|latin-?\d|(?:windows|cp)-?\d{3,4}|koi8-[ru]|gb(?:2312|k|18030)"
    r"|big5(?:-hkscs)?|euc-(?:jp|kr)|shift[_-]jis|iso-2022-(?:jp|kr)|tis-620|macintosh"
)


def decode_base64(text: bytes) -> bytes:
    """The octets of a base64 text; characters outside the alphabet and an incomplete end are skipped."""
    digits = _NOT_BASE64.sub(b"", text)
    digits = digits[: len(digits) - (len(digits) % 4 == 1)]
    return base64.b64decode(digits + b"=" * (-len(digits) % 4))


def decode_text(octets: bytes, charset: str | None) -> str:
    """`octets` decoded with `charset`; with an unknown one, or None, as UTF-8 or else Windows-1252. Never fails."""
    if charset and _CHARSET.fullmatch(charset.lower()):
        try:
            return octets.decode(charset, "replace")
        except LookupError:
            return octets.decode("utf-8", "replace")
    try:
        return octets.decode("utf-8")
    except UnicodeDecodeError:
        return octets.decode("cp1252", "replace")


def decode_encoded_words(value: str) -> str:
    """A field's value with its encoded words decoded; what cannot be decoded stays or is replaced."""
    pieces: list[tuple[str | None, bytes]] = []
    end = 0
    for word in _ENCODED_WORD.finditer(value):
        between, end = value[end : word.start()], word.end()
        # White space between two encoded words is not text; anything else is.
        if between.strip() or (between and not pieces):
            pieces.append((None, between.encode()))
        octets = word[3].encode("utf-8")
        octets = decode_base64(octets) if word[2] in "bB" else binascii.a2b_qp(octets, header=True)
        charset = word[1].partition("*")[0]
        if pieces and pieces[-1][0] == charset:
            octets = pieces.pop()[1] + octets
        pieces.append((charset, octets))
    return "".join(decode_text(octets, charset) for charset, octets in [*pieces, (None, value[end:].encode())])
