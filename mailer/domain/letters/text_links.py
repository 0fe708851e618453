"""Finds web addresses in plain text, so that a page can link them."""

from __future__ import annotations

import re
from collections.abc import Iterator

_URL = re.compile(r"https?://[^\s<>\"]{1,2000}", re.IGNORECASE)
_END = ".,;:!?)]}'\u00bb\u201d\u2019\u2026"
"""Characters that end a sentence or a bracket rather than an address."""


def split_links(text: str) -> Iterator[tuple[str, bool]]:
    """The text in pieces, each with whether it is a web address. Takes time linear in its length."""
    end = 0
    for found in _URL.finditer(text):
        url = found[0].rstrip(_END)
        if "://" not in url:
            continue
        yield text[end : found.start()], False
        yield url, True
        end = found.start() + len(url)
    yield text[end:], False
