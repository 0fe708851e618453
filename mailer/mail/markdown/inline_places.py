"""Walks what stands within the paragraphs of Markdown tokens, with lines."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from markdown_it.token import Token

_LINE_ENDS = {"softbreak", "hardbreak"}


def inline_places(tokens: Sequence[Token], first_line: int) -> Iterator[tuple[Token, int]]:
    """(token, line) of each link, picture, word and so on within the blocks of `tokens`; none within a picture's text.

    The text that was parsed begins on `first_line`.
    """
    line = first_line
    for token in tokens:
        if token.map:
            line = first_line + token.map[0]
        if token.type != "inline":
            continue
        at = line
        for child in token.children or ():
            at += child.type in _LINE_ENDS
            yield child, at
