"""Suppressions: standing orders not to mail a person, from one list or from all."""

from __future__ import annotations

from collections.abc import Collection
from enum import StrEnum

from mailer.domain.subscription import SubscriptionState

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
"""The reasons whose suppressions an authenticated request to join, or a confirmation, lifts at once."""
ANSWERED_REASONS = (*LIFTED_BY_REQUEST, SuppressionReason.LEFT)
"""The reasons that forbid no letter that answers the person, even where they hold for every list."""
REFUSING_REASONS = (SuppressionReason.COMPLAINED, SuppressionReason.BANNED)
"""The reasons for which a request to join the list is not answered, nor a confirmation accepted.

So is any suppression for every list that is not one of ANSWERED_REASONS.
"""


class MailStatus(StrEnum):
    """What becomes of the letters of a list to one person; of several reasons against them the first here counts."""

    BANNED = "banned"
    COMPLAINED = "complained"
    BOUNCED = "bounced"
    UNSUBSCRIBED = "unsubscribed"
    PAUSED = "paused"
    PENDING = "pending"
    MAILED = "mailed"
    """They get each letter."""


_BY_REASON = {
    SuppressionReason.BANNED: MailStatus.BANNED,
    SuppressionReason.NEVER: MailStatus.BANNED,
    SuppressionReason.COMPLAINED: MailStatus.COMPLAINED,
    SuppressionReason.BOUNCED: MailStatus.BOUNCED,
    SuppressionReason.LEFT: MailStatus.UNSUBSCRIBED,
    SuppressionReason.PAUSED: MailStatus.PAUSED,
}
_BY_STATE = {
    SubscriptionState.CONFIRMED: MailStatus.MAILED,
    SubscriptionState.PENDING: MailStatus.PENDING,
    SubscriptionState.UNSUBSCRIBED: MailStatus.UNSUBSCRIBED,
}
_ORDER = tuple(MailStatus)


def mail_status(state: SubscriptionState, reasons: Collection[SuppressionReason]) -> MailStatus:
    """The status of somebody in this state, with suppressions for these reasons, for the list or for all."""
    return min((_BY_STATE[state], *(_BY_REASON[one] for one in reasons)), key=_ORDER.index)
