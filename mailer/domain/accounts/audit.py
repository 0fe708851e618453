"""The audit log: what organisers and commands did, who, when, and what was before and after."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

SITE = "the site"
"""The subject of what is done to everything."""


class Act(StrEnum):
    """What was done. The values are kept for years: none is changed, or used again for something else."""

    ADD_CAMPAIGN = "add campaign"
    WRITE_CAMPAIGN = "write campaign"
    """One line for each person and sitting, not for each save."""
    ADD_EDITION = "add edition"
    REMOVE_EDITION = "remove edition"
    CHOOSE_EDITIONS = "choose editions"
    SEND_TEST = "send test"
    APPROVE_CAMPAIGN = "approve campaign"
    ACCEPT_WARNING = "accept warning"
    SCHEDULE_CAMPAIGN = "schedule campaign"
    UNSCHEDULE_CAMPAIGN = "unschedule campaign"
    PAUSE_CAMPAIGN = "pause campaign"
    RESUME_CAMPAIGN = "resume campaign"
    CORRECT_CAMPAIGN = "correct campaign"
    CANCEL_CAMPAIGN = "cancel campaign"
    ARCHIVE_CAMPAIGN = "archive campaign"
    RETRY_FAILED = "retry failed letters"
    SETTLE_UNCERTAIN = "settle uncertain letters"
    IMPORT_LETTERS = "import letters"
    DROP_LETTERS = "drop imported letters"
    ACCEPT_WEBMENTION = "accept Webmention"
    REJECT_WEBMENTION = "reject Webmention"

    ADD_LIST = "add list"
    CHANGE_LIST = "change list"
    ADD_TEMPLATE = "add template"
    """A new one, or a new version of one."""
    REMOVE_TEMPLATE = "remove template"
    ADD_MEDIA = "add media"

    START_IMPORT = "start import"
    """Written before the first person is; the line of what was imported may be missing after a crash."""
    END_IMPORT = "end import"
    UNDO_IMPORT = "undo import"
    """One line at the beginning, and one with the numbers at the end."""
    INVITE_PEOPLE = "invite people"
    EXPORT_PEOPLE = "export people"
    EXPORT_ALL = "export all"
    EXPORT_PERSON = "export person"
    EXPORT_RECIPIENTS = "export recipients"
    RESTORE_PERSON = "restore person"
    RESTORE_PEOPLE = "restore people"

    ADD_ORGANISER = "add organiser"
    CHANGE_ORGANISER = "change organiser"
    REMOVE_ORGANISER = "remove organiser"
    GIVE_ROLE = "give role"
    TAKE_ROLE = "take role"
    MAKE_SIGN_IN_LINK = "make sign-in link"
    SIGN_IN = "sign in"
    SIGN_OUT = "sign out"
    REVOKE_SESSION = "revoke session"

    BACK_UP = "back up"
    RESTORE_BACKUP = "restore backup"
    MIGRATE = "migrate"
    PURGE = "purge"


@dataclass(frozen=True, kw_only=True, slots=True)
class AuditLine:
    """One line of the audit log."""

    id: int
    at: datetime
    actor: str
    """An organiser's address, or `unix user ada`."""
    organiser_id: int | None
    door: str
    act: str
    """A value of Act, or one that a later version wrote."""
    mailing_list_id: int | None
    """The list it concerns; None for the whole site."""
    subject: str
    """What was changed, such as `campaign 7` or `subscriber 42`; never a reader's address."""
    before: dict[str, Any] | None
    after: dict[str, Any] | None
