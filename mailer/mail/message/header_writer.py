"""Writing header fields: folded (RFC 5322 section 2.2.3), and with encoded words where not ASCII (RFC 2047)."""

from __future__ import annotations

import base64
import string
from collections.abc import Callable, Iterable
from functools import lru_cache

_MAX_COLUMNS = 78
# An encoded word of this length fits the first line, after "Subject: ".
_MAX_WORD_COLUMNS = 64
_CHARSET_COLUMNS = len("=?utf-8?q??=")
_MAX_PLAIN = 60
_PLAIN_OCTETS = frozenset((string.ascii_letters + string.digits + "!*+-/").encode())
_Q_ENCODING = {octet: f"={octet:02X}" for octet in range(256) if octet not in _PLAIN_OCTETS} | {ord(" "): "_"}


def format_field(name: str, tokens: Iterable[str]) -> bytes:
    """`Name: token token` CRLF, folded between tokens where a line would exceed 78 columns. Tokens are ASCII."""
    lines, current = [], f"{name}:"
    for place, token in enumerate(tokens):
        if place and len(current) + 1 + len(token) > _MAX_COLUMNS:
            lines.append(current)
            current = ""
        current += f" {token}"
    return "\r\n".join((*lines, current, "")).encode("ascii")


@lru_cache(maxsize=1024)
def format_text_field(name: str, text: str) -> bytes:
    """A field of free text such as Subject; each run of white space becomes one space."""
    words = text.split()
    if words and len(text) <= _MAX_PLAIN and text.isascii() and "=?" not in text:
        # The usual case, made fast: a single line, and nothing to encode.
        return f"{name}: {' '.join(words)}\r\n".encode("ascii")
    plain = text.isascii() and "=?" not in text and max(map(len, words), default=0) <= _MAX_PLAIN
    return format_field(name, words if plain else encode_words(" ".join(words)))


def format_phrase(text: str) -> list[str]:
    """A display name as tokens: a quoted string, or encoded words if it is not ASCII or is long (RFC 5322, 3.2.5)."""
    text = " ".join(text.split())
    if text.isascii() and "=?" not in text and len(text) <= _MAX_PLAIN:
        escaped = text.replace("\\", "\\\\").replace('"', '\\"')
        return [f'"{escaped}"']
    return encode_words(text)


def encode_words(text: str) -> list[str]:
    """`text` as encoded words (RFC 2047) of at most 64 columns and of whole characters, in Q or B: the shorter."""
    based = base64.b64encode(text.encode()).decode()
    shorter = min(f"=?utf-8?q?{_encode_q(text)}?=", f"=?utf-8?b?{based}?=", key=len)
    if len(shorter) <= _MAX_WORD_COLUMNS:
        return [shorter]
    in_q = _split_chunks(text, _encode_q, lambda units: sum(map(len, units)))
    in_b = _split_chunks(text, lambda character: character, lambda units: -(-len("".join(units).encode()) // 3) * 4)
    as_q = [f"=?utf-8?q?{chunk}?=" for chunk in in_q]
    as_b = [f"=?utf-8?b?{base64.b64encode(chunk.encode()).decode()}?=" for chunk in in_b]
    return min(as_q, as_b, key=lambda words: sum(map(len, words)))


def _encode_q(text: str) -> str:
    # Latin-1 has one character for each octet.
    return text.encode().decode("latin-1").translate(_Q_ENCODING)


def _split_chunks(text: str, unit_of: Callable[[str], str], columns: Callable[[list[str]], int]) -> list[str]:
    """The units that `unit_of` makes of the characters, joined into as few encoded words as they fit."""
    chunks: list[list[str]] = [[]]
    for character in text:
        unit = unit_of(character)
        if columns([*chunks[-1], unit]) > _MAX_WORD_COLUMNS - _CHARSET_COLUMNS:
            chunks.append([])
        chunks[-1].append(unit)
    return ["".join(chunk) for chunk in chunks]
