"""Rules for the styles of a template: nothing that fetches, runs, covers the page, or is read in more than one way."""

from __future__ import annotations

import re
from collections.abc import Iterator

from mailer.mail.templates.markup_tags import Inserted, Pieces
from mailer.mail.templates.template_values import ValueKind

MOST_STYLES = 20_000
"""Characters of all style sheets of a template."""
_COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
_AT_RULE = re.compile(r"@\s*([\w-]*)")
_FUNCTION = re.compile(r"([\w-]*)\(")
_FUNCTIONS = {"rgb", "rgba", "hsl", "hsla", "calc", "min", "max", "not", "nth-child", "is", "lang", "dir", "and", ""}
"""An empty one is the parenthesis of a media query."""
_PROPERTY = re.compile(r"(?:^|[;{])\s*([\w-]+)\s*:")
_REFUSED = {"behavior", "position", "z-index", "-moz-binding"}
_STAND_IN = "x"
_WORDS = {ValueKind.WORD, ValueKind.NUMBER}
_SIGNS = {
    "\\": "a backslash cannot stand in a style",
    "<": "< cannot stand in a style",
    "&": "& cannot stand in a style; quotes in a style attribute are '...'",
    "--": "two hyphens (custom properties, <!--) cannot stand in a style",
    "/*": "a comment in a style is not closed",
}


def style_problems(pieces: Pieces, line: int, *, is_sheet: bool) -> Iterator[tuple[int, str]]:
    """(line, why) for each mistake of a style sheet, or of a `style` attribute, that begins on this line."""
    for piece in pieces:
        allowed = _WORDS | {ValueKind.STYLES} if is_sheet else _WORDS
        if isinstance(piece, Inserted) and piece.kind not in allowed:
            yield line, f"{piece.kind} cannot stand in a style: only colours, languages, start, end and numbers can"
    css = "".join(_STAND_IN if isinstance(piece, Inserted) else piece for piece in pieces)
    text = _COMMENT.sub(lambda match: "\n" * match[0].count("\n"), css)
    for position, why in _text_errors(text, is_sheet=is_sheet):
        yield line + text.count("\n", 0, position), why


def _text_errors(text: str, *, is_sheet: bool) -> Iterator[tuple[int, str]]:
    yield from ((text.index(sign), why) for sign, why in _SIGNS.items() if sign in text)
    for pattern, allowed, why in (
        (
            _AT_RULE,
            {"media"} if is_sheet else set(),
            "@{} cannot stand in a style: letters load nothing; there is @media",
        ),
        (_FUNCTION, _FUNCTIONS, "{}() cannot stand in a style: letters load and calculate nothing"),
    ):
        yield from (
            (one.start(), why.format(one[1])) for one in pattern.finditer(text) if one[1].lower() not in allowed
        )
    for match in _PROPERTY.finditer(text):
        if match[1].lower() in _REFUSED:
            yield match.start(1), f"{match[1]} cannot stand in a letter's style"
