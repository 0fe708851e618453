"""Organisers: the people who sign in to the console, and their sessions."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from mailer.domain.accounts.role import Grant, Role

SESSION_LIFETIME = timedelta(days=14)
"""A session ends when it was not used for so long."""
USE_RECORDED_EVERY = timedelta(minutes=1)
"""The use of a session is recorded at most so often: pages read more than they write."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Organiser:
    """A person with roles on some lists or on the whole site."""

    id: int
    address: str
    name: str | None
    language: str
    """The language tag of the console and of letters to them."""
    zone: str
    """The IANA name of the time zone in which hours are shown to them."""
    grants: tuple[Grant, ...] = ()

    @property
    def is_site_owner(self) -> bool:
        """Whether they own the whole site."""
        return SITE_OWNER in self.grants


SITE_OWNER = Grant(role=Role.OWNER)
"""The grant of which at least one organiser must have one, once there are any."""


@dataclass(frozen=True, kw_only=True, slots=True)
class OrganiserSession:
    """One browser in which an organiser is signed in."""

    id: int
    organiser: Organiser
    device: str
    """What the browser calls itself, shortened for people: "Firefox on Linux"."""
    created_at: datetime
    used_at: datetime
    """The last use that was recorded; the next is recorded USE_RECORDED_EVERY later at the soonest."""
    expires_at: datetime

    def is_over(self, now: datetime) -> bool:
        """Whether it was not used for so long that it counts no more."""
        return self.expires_at <= now
