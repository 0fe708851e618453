"""DKIM canonicalization of incoming bodies (RFC 6376 section 3.4), in chunks so that other threads can run."""

from __future__ import annotations

import re

_SPACES = re.compile(rb"[ \t]+")
_CHUNK_END = re.compile(rb"[ \t\r]*[^ \t\r]")
_CHUNK_OCTETS = 128 * 1024
"""Octets processed at a time; between chunks the interpreter may switch to another thread."""


def canonicalize_body(body: bytes, *, relaxed: bool) -> bytes:
    """The body in relaxed or simple canonicalization; a bare LF counts as a line end.

    The time is proportional to the length, whatever the octets are.
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
        # A chunk never ends within white space or a line end.
        cut = _CHUNK_END.match(body, start + _CHUNK_OCTETS - 1)
        end = cut.end() if cut else len(body)
        pieces.append(_SPACES.sub(b" ", body[start:end]).replace(b" \r\n", b"\r\n"))
        start = end
    return pieces
