"""Languages by their tags (RFC 5646), as far as the service needs them."""

from __future__ import annotations

import re
from collections.abc import Iterable

_TAG = re.compile(r"[a-z]{2,3}(?:-[a-z0-9]{2,8})*")
RIGHT_TO_LEFT = frozenset({"ar", "ckb", "dv", "fa", "he", "ps", "sd", "ug", "ur", "yi"})


def parse_language(text: str) -> str | None:
    """The tag in lower case, or None where `text` is none."""
    tag = text.strip().replace("_", "-").lower()
    return tag if len(tag) <= 35 and _TAG.fullmatch(tag) else None


def choose_language(preferred: Iterable[str | None], available: Iterable[str]) -> str | None:
    """The first wanted language we speak (RFC 4647 lookup: `pt-br`, then `pt`)."""
    available_tags = set(available)
    for tag in preferred:
        rest = tag or ""
        while rest:
            if rest in available_tags:
                return rest
            rest = rest.rpartition("-")[0]
    return None


def text_direction(language: str) -> str:
    """The `dir` attribute of a text in this language."""
    return "rtl" if language.partition("-")[0] in RIGHT_TO_LEFT else "ltr"
