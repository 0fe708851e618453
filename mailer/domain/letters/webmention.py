"""Webmention: a page elsewhere says that it links to a letter in our archive (W3C Recommendation, 2017)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from urllib.parse import urlsplit

from mailer.errors import WebmentionRefused

LONGEST_URL = 1000
"""PostgreSQL indexes source and target together, in at most 2704 octets."""
MOST_TRIES = 3
"""How often a source is asked for that cannot be had."""
KEPT_UNDECIDED = timedelta(days=90)
"""How long one is kept that nobody accepted."""
MOST_KEPT = 5000
"""Of all that nobody accepted; further ones are dropped."""
_FIRST_WAIT = timedelta(minutes=15)
_URL = re.compile(r"https?://[^\s\x00-\x20\x7f\"<>\\^`{|}]+", re.IGNORECASE)


class WebmentionState(StrEnum):
    """Where a Webmention stands; only an accepted one is shown."""

    RECEIVED = "received"
    """Its source was not looked at yet."""
    WAITING = "waiting"
    """The source links to the letter; an organiser decides."""
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    """Kept, so that it is not asked about again."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Webmention:
    """A page elsewhere that mentions a letter."""

    id: int
    campaign_id: int
    mailing_list_id: int
    subject: str
    """Of the campaign."""
    source: str
    target: str
    title: str | None
    """The source's, plain; None until it was read."""
    state: WebmentionState
    received_at: datetime
    verified_at: datetime | None
    """When its source was last seen to link to the target."""
    tries: int
    decided_by: str | None

    @property
    def host(self) -> str:
        """The source's host, in lower case."""
        return mention_host(self.source)


def check_mention_url(text: str, name: str) -> str:
    """The URL, stripped. Raises WebmentionRefused unless it is http or https, with a host and without a password."""
    url = text.strip()
    try:
        parts = urlsplit(url)
        is_good = bool(_URL.fullmatch(url) and parts.hostname and parts.port != 0 and parts.username is None)
    except ValueError:
        is_good = False
    if not is_good or len(url) > LONGEST_URL:
        raise WebmentionRefused(f"the {name} must be the address of a page, https or http")
    return url


def mention_host(url: str) -> str:
    """The host of a checked URL, in lower case."""
    return (urlsplit(url).hostname or "").lower()


def next_try_at(tries: int, now: datetime) -> datetime | None:
    """When a source that could not be had `tries` times is asked for again; None: not any more."""
    return now + _FIRST_WAIT * 4 ** (tries - 1) if tries < MOST_TRIES else None
