"""What mail programs of all languages put before the subject of a reply: `Re:`, `AW:`, `RE[2]:`, `Ynt:`, `回复：`."""

from __future__ import annotations

import re

_PREFIX = re.compile(
    r"\s*(?:(?:r[eé][fps]?|aw|antw|antwort|sv|vs|odp|ynt|yan[ıi]t|rv|resp|rif|r|отв|ответ|на|رد|回复|回覆|答复|答覆"
    r"|fwd?|wg|ilt|tr|i|enc|rm|пересл|إعادة توجيه|转发|轉寄)\s*(?:\[\d{1,3}\]|\(\d{1,3}\))?\s*[:：])+",
    re.IGNORECASE,
)
_LIST_TAG = re.compile(r"\s*\[[^\[\]]{1,60}\]\s*")


def bare_subject(subject: str) -> tuple[str, bool]:
    """The subject without reply prefixes and `[list]` tags, and whether there was a prefix."""
    replied, rest = False, subject
    while found := _PREFIX.match(rest) or _LIST_TAG.match(rest):
        replied = replied or not found[0].strip().startswith("[")
        rest = rest[found.end() :]
    return rest.strip(), replied
