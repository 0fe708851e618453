"""Actor: who does something, by which door, and what they may do. Actions ask it before anything changes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from mailer.domain.accounts.role import Grant, Permission, Role
from mailer.errors import NotPermitted


class Door(StrEnum):
    """How an act reached the service."""

    COMMAND = "command"
    CONSOLE = "console"
    SERVICE = "service"
    """Nobody: the service did it by its own rules."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Actor:
    """Who acts. A command acts as the Unix user, who can read the secret and so may do everything."""

    name: str
    """As the audit log names them: an organiser's address, or `unix user ada`."""
    door: Door
    grants: tuple[Grant, ...]
    organiser_id: int | None = None
    """None where no organiser acts."""

    def may(self, permission: Permission, mailing_list_id: int | None = None, language: str | None = None) -> bool:
        """Whether one of the grants holds the permission on this list; None asks for the whole site."""
        return any(grant.allows(permission, mailing_list_id, language) for grant in self.grants)

    def require(self, permission: Permission, mailing_list_id: int | None = None, language: str | None = None) -> None:
        """Raise NotPermitted unless `may`."""
        if not self.may(permission, mailing_list_id, language):
            where = "here" if mailing_list_id is not None else "for the whole site"
            raise NotPermitted(f"{self.name} may not {permission} {where}; an owner can give the role that may")

    def list_ids(self, permission: Permission) -> frozenset[int] | None:
        """The lists on which the actor has the permission, for at least one language; None for all."""
        allowed = [one for one in self.grants if one.allows(permission, one.mailing_list_id, one.language)]
        numbers = {one.mailing_list_id for one in allowed}
        return None if None in numbers else frozenset(number for number in numbers if number is not None)

    def lists_with(self, permission: Permission, mailing_list_ids: Iterable[int]) -> list[int]:
        """Those of the lists on which the actor has the permission, for at least one language."""
        return [
            one
            for one in mailing_list_ids
            if any(grant.allows(permission, one, grant.language) for grant in self.grants)
        ]


def require_anywhere(actor: Actor, permission: Permission) -> frozenset[int] | None:
    """The lists on which the actor has the permission, None for all. Raises NotPermitted where it is none."""
    allowed = actor.list_ids(permission)
    if allowed is not None and not allowed:
        raise NotPermitted(f"{actor.name} may not {permission} on any list; an owner can give the role that may")
    return allowed


def unix_user(name: str) -> Actor:
    """The actor of a command that this Unix user runs."""
    return Actor(name=f"unix user {name}", door=Door.COMMAND, grants=(Grant(role=Role.OWNER),))


SERVICE = Actor(name="the service", door=Door.SERVICE, grants=(Grant(role=Role.OWNER),))
"""The service itself, as when it pauses a campaign by its rules."""
