"""Language tags (RFC 5646): parsing, choice of a language (RFC 4647), direction of writing."""

from __future__ import annotations

import re
from collections.abc import Iterable

_TAG = re.compile(r"[a-z]{2,3}(?:-[a-z0-9]{2,8})*")
RIGHT_TO_LEFT = frozenset({"ar", "ckb", "dv", "fa", "he", "ps", "sd", "ug", "ur", "yi"})


def parse_language(text: str) -> str | None:
    """The language tag in lower case, with hyphens; None if `text` is not one."""
    tag = text.strip().replace("_", "-").lower()
    return tag if len(tag) <= 35 and _TAG.fullmatch(tag) else None


def choose_language(preferred: Iterable[str | None], available: Iterable[str]) -> str | None:
    """The first preferred language that is available, or None (RFC 4647 lookup: `pt-br`, then `pt`)."""
    available_tags = set(available)
    for tag in preferred:
        rest = tag or ""
        while rest:
            if rest in available_tags:
                return rest
            rest = rest.rpartition("-")[0]
    return None


def text_direction(language: str) -> str:
    """The HTML `dir` attribute for a text in this language: `ltr` or `rtl`."""
    return "rtl" if language.partition("-")[0] in RIGHT_TO_LEFT else "ltr"
