"""A lane's share of a relay, so that no campaign keeps a notice waiting."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from mailer.relay.connection import Relay
from mailer.relay.pace import Pace


class Lane(Enum):
    """Notices have connections of their own."""

    NOTICES = "notices"
    CAMPAIGNS = "campaigns"


@dataclass(frozen=True, slots=True)
class Route:
    """So many connections to a relay, at a pace they share."""

    relay: Relay
    connections: int
    pace: Pace


def route(relay: Relay, lane: Lane) -> Route:
    """5 % of a relay is for notices, but one connection and one letter a second at least; the rest for campaigns."""
    kept = max(1, relay.connections // 20)
    if relay.per_second is None:
        kept_pace = rest_pace = None
    else:
        kept_pace = max(relay.per_second / 20, min(1.0, relay.per_second / 2))
        rest_pace = relay.per_second - kept_pace
    if lane is Lane.NOTICES:
        return Route(relay, kept, Pace(kept_pace))
    return Route(relay, relay.connections - kept, Pace(rest_pace))
