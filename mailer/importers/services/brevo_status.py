"""The columns in which Brevo's export says who gets letters, where it was asked for them."""

from __future__ import annotations

from mailer.domain.subscription import SubscriptionState
from mailer.errors import TableRefused
from mailer.importers.column_words import read_flag
from mailer.importers.headed_table import TableCells

_SUBSCRIBED, _BLOCKLISTED = "_subscribed", "_blocklisted"
"""Columns that name the channels: `email_marketing|sms_marketing`."""
_FLAGS = ("email_blacklisted", "email_blocklisted", "emailblacklisted", "blacklisted", "blocklisted")
_WORDS = (
    *("email_marketing", "email marketing", "email_marketing_status", "email marketing status", "email_status"),
    *("subscription_status", "subscription status", "status"),
)
STATUS_COLUMNS = (_SUBSCRIBED, _BLOCKLISTED, *_FLAGS, *_WORDS)
_STATUS_WORDS = {
    "subscribed": SubscriptionState.CONFIRMED,
    "unsubscribed": SubscriptionState.UNSUBSCRIBED,
    "blocklisted": SubscriptionState.UNSUBSCRIBED,
    "blacklisted": SubscriptionState.UNSUBSCRIBED,
    "never subscribed": None,
    "not subscribed": None,
}


def is_blocklisted(cells: TableCells) -> bool:
    """Whether a contact gets no letters of any list. Raises TableRefused for words that are not known."""
    for column in _FLAGS:
        if column in cells and read_flag(cells[column]) is None:
            raise TableRefused(f"{column} is {cells[column]!r}: it must be yes or no")
    return (
        "email" in cells.get(_BLOCKLISTED, "").lower()
        or any(read_flag(cells.get(column, "")) for column in _FLAGS)
        or any(cells.get(column, "").lower() in {"blocklisted", "blacklisted"} for column in _WORDS)
    )


def read_status(cells: TableCells, otherwise: SubscriptionState | None) -> SubscriptionState | None:
    """The state of a contact; `otherwise` where no column says it. Raises TableRefused for words that are not known."""
    columns = [column for column in _WORDS if column in cells]
    for column in columns:
        if cells[column].lower() not in _STATUS_WORDS:
            raise TableRefused(f"{column} is {cells[column]!r}, which is not known here")
    states = [_STATUS_WORDS[cells[column].lower()] for column in columns]
    if _SUBSCRIBED in cells:
        states.append(SubscriptionState.CONFIRMED if "email" in cells[_SUBSCRIBED].lower() else None)
    if SubscriptionState.UNSUBSCRIBED in states:
        return SubscriptionState.UNSUBSCRIBED
    if None in states:
        return None
    has_flag = any(column in cells for column in (_BLOCKLISTED, *_FLAGS))
    return SubscriptionState.CONFIRMED if states or has_flag else otherwise
