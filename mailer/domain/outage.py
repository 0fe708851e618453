"""An outage: a span of time in which letters bounced that would have been delivered on any other day."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from mailer.domain.bounce import BounceReason


@dataclass(frozen=True, kw_only=True, slots=True)
class Outage:
    """Selects the bounces of an outage."""

    since: datetime
    until: datetime
    """Exclusive."""
    provider: str | None = None
    """The domain of the recipients' addresses, in lower case; None: any."""
    reason: BounceReason | None = None
    """None: any reason."""
    mailing_list_id: int | None = None
    """None: all lists."""
