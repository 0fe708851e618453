"""Encoding quoted-printable (RFC 2045 section 6.7) in pieces that can be joined in any order."""

from __future__ import annotations

import re

SOFT_BREAK = b"=\r\n"
"""Ends a piece, so that the next one begins on a new line without adding anything to the text."""
# Of the 76 columns a soft break takes one, and an escaped line start two more.
_COLUMNS = 73
_ENCODED = {octet: f"={octet:02X}" for octet in range(256) if octet < 32 or octet > 126 or octet == ord("=")}
_NEEDS_NO_ENCODING = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ,.:;/+@_-]{0,71}[A-Za-z0-9]?")


def encode_quoted_printable(text: str) -> bytes:
    """`text` with "\\n" line ends as UTF-8 in quoted-printable: CRLF line ends, no line over 75 octets.

    It must be placed at the start of a line; a SOFT_BREAK or a CRLF fits after it. Line starts that a mail server might
    alter ("From ", a dot) are escaped. No two white spaces are adjacent, so that DKIM's relaxed canonicalization has
    nothing to change (RFC 6376 section 3.4.4).
    """
    if _NEEDS_NO_ENCODING.fullmatch(text) and "  " not in text and not text.startswith("From "):
        return text.encode("ascii")
    return "\r\n".join(_encode_line(line) for line in text.split("\n")).encode("ascii")


def _encode_line(line: str) -> str:
    # Latin-1 has one character for each octet.
    encoded = line.encode().decode("latin-1").translate(_ENCODED)
    if encoded.endswith(" "):
        encoded = f"{encoded[:-1]}=20"
    encoded = encoded.replace("  ", " =20")
    lines = []
    while len(encoded) > _COLUMNS:
        end = encoded.find("=", _COLUMNS - 2, _COLUMNS)
        end = _COLUMNS if end < 0 else end
        lines.append(_escape_line_start(encoded[:end]))
        encoded = encoded[end:]
    return "=\r\n".join((*lines, _escape_line_start(encoded)))


def _escape_line_start(line: str) -> str:
    if line.startswith(("From ", ".")):
        return f"={ord(line[0]):02X}{line[1:]}"
    return line
