"""Words by which tables of people say who is subscribed and who is not: headings, and cells below them."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from enum import StrEnum
from functools import cache, lru_cache
from pathlib import Path

from mailer.importers.column_words import normalize_heading

_FILE = Path(__file__).with_name("state_words.toml")


class StatedState(StrEnum):
    """What a cell says of its person."""

    CONFIRMED = "confirmed"
    PENDING = "pending"
    UNSUBSCRIBED = "unsubscribed"
    BOUNCED = "bounced"
    COMPLAINED = "complained"
    BLOCKED = "blocked"
    """Kept from all letters."""
    BANNED = "banned"
    PAUSED = "paused"
    NONE = "none"
    """Never agreed."""


class StateHeading(StrEnum):
    """What a column says of the people in it, by its heading."""

    STATUS = "status"
    """Words of StatedState."""
    SUBSCRIBED = "subscribed"
    CONFIRMED = "confirmed"
    """Yes or no; no means unsubscribed, or pending."""
    UNSUBSCRIBED = "unsubscribed"
    BOUNCED = "bounced"
    COMPLAINED = "complained"
    BLOCKED = "blocked"
    BANNED = "banned"
    PAUSED = "paused"
    """Yes, or a day, for whom that is true; nothing for the others."""
    AGREED_AT = "agreed_at"
    SINCE = "since"
    """Days: when they agreed, and when they joined."""
    OPTIN_IP = "optin_ip"
    CONFIRM_IP = "confirm_ip"
    SOURCE = "source"
    REASON = "reason"
    """For the consent record."""


AGREEING = frozenset({StateHeading.STATUS, StateHeading.SUBSCRIBED, StateHeading.CONFIRMED})
"""Columns that say who agreed."""
DEPARTING = {
    StateHeading.UNSUBSCRIBED: StatedState.UNSUBSCRIBED,
    StateHeading.BOUNCED: StatedState.BOUNCED,
    StateHeading.COMPLAINED: StatedState.COMPLAINED,
    StateHeading.BLOCKED: StatedState.BLOCKED,
    StateHeading.BANNED: StatedState.BANNED,
    StateHeading.PAUSED: StatedState.PAUSED,
}
"""Columns that say for whom something is true that keeps letters away."""
STATE_SAYING = AGREEING | DEPARTING.keys()
"""Both."""


def state_heading(heading: str) -> StateHeading | None:
    """What the column under a heading says of its people; None where that is not clear."""
    return _headings().get(normalize_heading(heading))


@lru_cache(maxsize=4096)
def stated_state(cell: str) -> StatedState | None:
    """What a cell of a column that says who is subscribed says; None where that is not clear."""
    return _cells("anywhere", "here").get(normalize_heading(cell))


@lru_cache(maxsize=4096)
def is_departed_cell(cell: str) -> bool:
    """Whether a cell of any column says that its person unsubscribed, bounced, or never agreed, in a word or a note."""
    words = normalize_heading(cell)
    return words in _cells("anywhere") or _departed_phrases().search(words) is not None


@cache
def _headings() -> Mapping[str, StateHeading]:
    table = tomllib.loads(_FILE.read_text(encoding="utf-8"))["headings"]
    return {normalize_heading(word): StateHeading(kind) for kind, words in table.items() for word in words}


@cache
def _departed_phrases() -> re.Pattern[str]:
    table = tomllib.loads(_FILE.read_text(encoding="utf-8"))["phrases"]
    spaced, joined = (
        "|".join(re.escape(normalize_heading(one)) for one in table[kind]) for kind in ("spaced", "joined")
    )
    return re.compile(rf"\b(?:{spaced})\b|{joined}")


@cache
def _cells(*places: str) -> Mapping[str, StatedState]:
    table = tomllib.loads(_FILE.read_text(encoding="utf-8"))["cells"]
    return {
        normalize_heading(word): StatedState(state)
        for state, words in table.items()
        for place in places
        for word in words[place]
    }
