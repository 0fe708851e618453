"""Organisers as pages and commands show them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from mailer.domain.accounts.organiser import Organiser
from mailer.domain.accounts.role import Role


@dataclass(frozen=True, kw_only=True, slots=True)
class RoleView:
    """One role, with the name of its list."""

    role: Role
    list_name: str | None
    """None for the whole site."""
    language: str | None
    """A translator's."""
    may_be_taken: bool
    """Whether whoever looks may take it away."""


@dataclass(frozen=True, kw_only=True, slots=True)
class SignInLetterView:
    """What became of an organiser's last letter to sign in; only for those who manage organisers."""

    asked_at: datetime
    state: str
    """Of its delivery."""
    reply: str
    """What the relay said last; empty where it said nothing yet."""


@dataclass(frozen=True, kw_only=True, slots=True)
class OrganiserView:
    """An organiser with the roles that whoever looks may see."""

    organiser: Organiser
    roles: tuple[RoleView, ...]
    last_used_at: datetime | None
    """The last use of one of their sessions that is not over."""
    letter: SignInLetterView | None
    """Their last letter of the last day."""
