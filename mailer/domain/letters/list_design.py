"""What organisers choose for the look of a list's letters, and the rules for it."""

from __future__ import annotations

import re

from mailer.errors import ListDesignRefused

_COLOR = re.compile(r"#?(?:([0-9a-f]{6})|([0-9a-f])([0-9a-f])([0-9a-f]))", re.IGNORECASE)


def check_accent_color(text: str) -> str | None:
    """The colour as #rrggbb in lower case; None for an empty text. Raises ListDesignRefused.

    `#1b6b59`, `1B6B59` and the short `#1a5` can be given. Letters keep their texts readable on any of them.
    """
    text = text.strip()
    if not text:
        return None
    found = _COLOR.fullmatch(text)
    if not found:
        raise ListDesignRefused(f"{text!r} is no colour: write it as #1b6b59, red, green and blue in hexadecimal")
    digits = found[1] or "".join(digit * 2 for digit in found.groups()[1:])
    return f"#{digits.lower()}"
