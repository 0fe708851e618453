"""A body of others in DKIM's canonical form (RFC 6376 section 3.4), made so that other threads get their turn."""

from __future__ import annotations

import re

_SPACES = re.compile(rb"[ \t]+")
_CHUNK_END = re.compile(rb"[ \t\r]*[^ \t\r]")
_CHUNK_OCTETS = 128 * 1024
"""Octets after which the interpreter may turn to another thread."""


def canonicalize_body(body: bytes, *, relaxed: bool) -> bytes:
    """The body as the relaxed or the simple algorithm has it; a bare LF counts as a line end.

    Takes time in proportion to the length, whatever the octets are.
    """
    if body.count(b"\n") != body.count(b"\r\n"):
        body = body.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
    if relaxed:
        body = b"".join(_collapse_spaces(body))
    end = len(body)
    while body.endswith(b"\r\n", 0, end):
        end -= 2
    if relaxed and not end:
        return b""
    return body[:end] + b"\r\n"


def _collapse_spaces(body: bytes) -> list[bytes]:
    pieces, start = [], 0
    while start < len(body):
        # Neither a gap nor a line end is cut in two.
        cut = _CHUNK_END.match(body, start + _CHUNK_OCTETS - 1)
        end = cut.end() if cut else len(body)
        pieces.append(_SPACES.sub(b" ", body[start:end]).replace(b" \r\n", b"\r\n"))
        start = end
    return pieces
