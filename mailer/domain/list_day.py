"""One day of a list: how many people came and how many left."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, kw_only=True, slots=True)
class ListDay:
    """How many joined and left on one day, of UTC."""

    day: date
    joined: int
    """Confirmed, rejoined or imported."""
    left: int
