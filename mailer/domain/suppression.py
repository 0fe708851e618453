"""A standing order not to mail."""

from __future__ import annotations

from enum import StrEnum

EVERY_LIST = 0
"""In the place of a mailing list's id: the order stands for all of them."""


class SuppressionReason(StrEnum):
    """Why an order stands."""

    LEFT = "left"
    NEVER = "never"
    """Never ask me again."""
    BOUNCED = "bounced"
    """Nobody reads mail there, as far as we were told."""
    COMPLAINED = "complained"
    """The reader called a letter of ours abuse."""


LIFTABLE_REASONS = (SuppressionReason.BOUNCED, SuppressionReason.COMPLAINED)
"""What an organiser may lift: bounces, which the person's own word lifts too, and complaints."""
