"""Whether a reply to "please confirm" says no."""

from __future__ import annotations

import re

_GREETING = re.compile(
    r"^(?:hello|hi|hey|dear|good (?:morning|evening|day)|hallo|guten (?:tag|morgen|abend)|merhaba|selam|sayin)\b"
    r"[^\n,!.]*[,!.\n]\s*"
)
_NO = re.compile(
    r"(?:no|stop|unsubscribe|not me|(?:it|this|that) (?:was|is) ?n(?:o|')t me"
    r"|nein|stopp|abmelden|austragen|nicht ich|das war ich nicht"
    r"|hayir|dur|durdur|ben de[ğg]il|istemiyorum|iptal|abonelikten [çc]ik)(?![\w-])"
)


def declines(words: str) -> bool:
    """Whether a person's own first words decline, in a language we speak; a greeting before them is passed over."""
    said = _folded(words).lstrip(" \t\r\n\"'*_.-")
    greeted = _GREETING.sub("", said, count=1).lstrip(" \t\r\n\"'*_.-")
    return bool(_NO.match(said) or _NO.match(greeted))


def _folded(words: str) -> str:
    # Turkish has a dotless i, and İ would fold to two characters: all four are one here.
    return words.replace("İ", "i").lower().replace("ı", "i")
