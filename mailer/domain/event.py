"""The event an appeal invites to."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class Event:
    """What happens where and when."""

    name: str
    place: str
    starts_at: datetime
    """Aware, in the place's own zone."""
    zone: str
    """IANA name of that zone."""
