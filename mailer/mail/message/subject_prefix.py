"""Prefixes that mail programs put before the subject of a reply: `Re:`, `AW:`, `RE[2]:`, `Ynt:`, `回复：`."""

from __future__ import annotations

import re

from mailer.mail.message.gateway_banner import strip_subject_tag

_PREFIX = re.compile(
    r"\s*(?:(?:r[eé][fps]?|aw|antw|antwort|sv|svar|vs|odp|vá|válasz|bls|atb|odg|απ|σχετ|回|返信|답장|회신"
    r"|השב|תשובה|trả lời|ynt|yan[ıi]t|rv|resp|rép|rif|r|отв|ответ|на|відп|رد|回复|回覆|答复|答覆"
    r"|fwd?|wg|ilt|tr|i|enc|rm|пересл|إعادة توجيه|转发|轉寄)\s*(?:\[\d{1,3}\]|\(\d{1,3}\))?\s*[:：])+",
    re.IGNORECASE,
)
_LIST_TAG = re.compile(r"\s*\[[^\[\]]{1,60}\]\s*")


def strip_subject_prefixes(subject: str) -> tuple[str, bool]:
    """The subject without reply prefixes, gateway tags and `[list]` tags; and whether it had a reply prefix."""
    is_reply, rest = False, strip_subject_tag(subject)
    while found := _PREFIX.match(rest) or _LIST_TAG.match(rest):
        is_reply = is_reply or not found[0].strip().startswith("[")
        rest = strip_subject_tag(rest[found.end() :])
    return rest.strip(), is_reply
