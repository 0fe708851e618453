"""What an import does to people, and what is kept of each import."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Outcome(StrEnum):
    """What an import does to one person. Each person of an export has one."""

    CONFIRMED = "confirmed"
    """Becomes a reader who is mailed."""
    PENDING = "pending"
    """Waits on the list until somebody asks them. With an invitation: is asked now."""
    PAUSED = "paused"
    """Becomes a reader who is not mailed, since they, or an organiser, switched letters off elsewhere."""
    SUPPRESSED = "suppressed"
    """Becomes, or stays, a reader who is not mailed: letters bounced, they complained, or were banned elsewhere."""
    UNSUBSCRIBED = "unsubscribed"
    """Left elsewhere, and is unsubscribed here from now on."""
    SUPPRESSED_ONLY = "suppressed only"
    """No reader; only that they must not be mailed is kept."""
    NOT_TAKEN_OVER = "not taken over"
    """No reader, and nothing is kept: an address that may only post, say."""
    CHANGED = "changed"
    """Known here before; a name, language, zone, attribute, digest or suppression is added or changed."""
    UNCHANGED = "unchanged"
    """As in the file already."""
    OVERRULED = "overruled"
    """What is known here stands: they left, declined, confirmed or are suppressed here, or have still to confirm."""


NEW_READERS = frozenset({Outcome.CONFIRMED, Outcome.PENDING, Outcome.PAUSED, Outcome.SUPPRESSED})
"""Outcomes of people who come onto the list by an import."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ImportRunView:
    """One numbered import."""

    number: int
    list_name: str
    mailing_list_id: int
    source: str
    """The product whose export it was, as `mailchimp`; `csv` for a table of people."""
    file_name: str
    sha256: str
    """Of the names and contents of all files; empty where that was not known."""
    started_by: str
    started_at: datetime
    ended_at: datetime | None
    """None while it runs, and for one that was broken off."""
    undone_at: datetime | None
    undone_by: str | None
    counts: Mapping[str, int]
    """How many people had which Outcome; `bad` rows and `repeated` ones."""
    left_behind: tuple[str, ...]
