"""A span of time in which letters to readers came back that would have arrived on any other day."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from mailer.domain.bounce import BounceReason


@dataclass(frozen=True, kw_only=True, slots=True)
class Outage:
    """Which of the letters that came back are meant."""

    since: datetime
    until: datetime
    """Not included."""
    provider: str | None = None
    """The domain of the readers' addresses, in lower case; None: any."""
    reason: BounceReason | None = None
    """What was said of them; None: whatever."""
    mailing_list_id: int | None = None
    """None: all lists."""
