"""Roles of organisers, the permissions that each holds, and for which lists."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Role(StrEnum):
    """What an organiser is on a list, or on the whole site. Each role but translator includes those below it."""

    OWNER = "owner"
    """Everything on the list; on the whole site also lists, relays, the audit log and the roles of others."""
    SENDER = "sender"
    """An editor who may also send: schedule, pause, resume, correct, cancel."""
    EDITOR = "editor"
    """Writes campaigns, and sees, imports and changes people."""
    TRANSLATOR = "translator"
    """Writes the editions of one language, and sees no person."""
    VIEWER = "viewer"
    """Reads campaigns, numbers and reports; sees no addresses."""


class Permission(StrEnum):
    """What an action asks for."""

    READ = "read"
    """Campaigns, their numbers, lists."""
    TRANSLATE = "translate"
    """Change a campaign's text in one language."""
    WRITE = "write"
    """Make campaigns, and change their texts in all languages; send test letters."""
    SEE_PEOPLE = "see people"
    """Names and addresses of readers."""
    CHANGE_PEOPLE = "change people"
    """Import, add, restore and export people."""
    SEND = "send"
    """Decide when a campaign goes, and pause, resume, correct and cancel it."""
    MANAGE_LIST = "manage list"
    """The list's settings, and who is an organiser on it."""
    MANAGE_SITE = "manage site"
    """Lists themselves, relays, the audit log and suppressions of all lists, backups, roles for the whole site."""


_VIEWER = {Permission.READ}
_TRANSLATOR = _VIEWER | {Permission.TRANSLATE}
_EDITOR = _TRANSLATOR | {Permission.WRITE, Permission.SEE_PEOPLE, Permission.CHANGE_PEOPLE}
_SENDER = _EDITOR | {Permission.SEND}
PERMISSIONS: dict[Role, frozenset[Permission]] = {
    Role.OWNER: frozenset(_SENDER | {Permission.MANAGE_LIST}),
    Role.SENDER: frozenset(_SENDER),
    Role.EDITOR: frozenset(_EDITOR),
    Role.TRANSLATOR: frozenset(_TRANSLATOR),
    Role.VIEWER: frozenset(_VIEWER),
}
"""What each role may do on its list; only an owner of the whole site has MANAGE_SITE, too."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Grant:
    """One role of an organiser."""

    role: Role
    mailing_list_id: int | None = None
    """The list it is for; None for the whole site."""
    language: str | None = None
    """The language of a translator; None for every other role."""

    def allows(self, permission: Permission, mailing_list_id: int | None, language: str | None) -> bool:
        """Whether this grant holds the permission: on that list, or with None for the whole site.

        `language` is the edition's, where the permission is TRANSLATE; it binds translators only.
        """
        if self.mailing_list_id not in (None, mailing_list_id):
            return False
        if permission == Permission.MANAGE_SITE:
            return self.role == Role.OWNER and self.mailing_list_id is None
        if permission == Permission.TRANSLATE and self.role == Role.TRANSLATOR and self.language != language:
            return False
        return permission in PERMISSIONS[self.role]
