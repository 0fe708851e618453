"""How many people a campaign would reach, and how many not and why."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Reach(StrEnum):
    """What a subscription is for a launch now."""

    REACHED = "reached"
    """Confirmed, and nothing forbids to write to this person."""
    PENDING = "pending"
    """Not confirmed yet."""
    SUPPRESSED = "suppressed"
    """Confirmed, but letters bounced, are paused, or the person complained, is banned or left all lists."""
    LEFT = "left"


@dataclass(frozen=True, kw_only=True, slots=True)
class AudienceCount:
    """The people of a list, as they were counted at an hour."""

    languages: dict[str, int]
    """Who a launch would write to, by language; "" for those whose language is not known."""
    excluded: dict[str, int]
    """Who gets nothing, by why: pending, suppressed, left."""
    counted_at: datetime
    is_at_most: bool = False
    """Whether some of them were mailed by a campaign before, and get nothing: on a large list they are not counted."""

    @property
    def reached(self) -> int:
        """How many people a launch would write to."""
        return sum(self.languages.values())
