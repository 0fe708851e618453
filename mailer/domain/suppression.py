"""Suppressions: standing orders not to mail a person, from one list or from all."""

from __future__ import annotations

from enum import StrEnum

EVERY_LIST = 0
"""The mailing list id of a suppression that stands for all lists."""


class SuppressionReason(StrEnum):
    """Why a person is suppressed."""

    LEFT = "left"
    NEVER = "never"
    """The person chose "never ask me again"."""
    BOUNCED = "bounced"
    """Letters bounced."""
    COMPLAINED = "complained"
    """The reader reported a letter as abuse."""
    PAUSED = "paused"
    """The person, or an organiser, switched letters off in other software, without leaving."""
    BANNED = "banned"
    """An organiser banned the address from a list, in other software."""


LIFTABLE_REASONS = (
    SuppressionReason.BOUNCED,
    SuppressionReason.COMPLAINED,
    SuppressionReason.PAUSED,
    SuppressionReason.BANNED,
)
"""The reasons whose suppressions an organiser may lift."""
LIFTED_BY_REQUEST = (SuppressionReason.BOUNCED, SuppressionReason.PAUSED)
"""The reasons whose suppressions an authenticated request to join, or a confirmation, lifts at once.

They forbid no letter that answers the person.
"""
REFUSING_REASONS = (SuppressionReason.COMPLAINED, SuppressionReason.BANNED)
"""The reasons for which a request to join the list is not answered, nor a confirmation accepted.

So is any suppression for every list that is not LIFTED_BY_REQUEST.
"""
