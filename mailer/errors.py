"""Every error of the service. An error states a fact and knows no protocol; each door maps its `kind` to a code."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

from mailer.error_kind import ErrorKind


class MailerError(Exception):
    """Something the service refuses or cannot do. The message is fit to be shown to people."""

    kind: ClassVar[ErrorKind] = ErrorKind.FAILED

    def __init_subclass__(cls, *, kind: ErrorKind | None = None) -> None:
        """Take the kind that the class statement names; without one the class has its parent's."""
        if kind is not None:
            cls.kind = kind


# --- Setting up -------------------------------------------------------------------------------------------------


class SettingsRefused(MailerError, kind=ErrorKind.MISCONFIGURED):
    """settings.toml (or a MAILER_ variable) holds a key or a value that cannot be used."""


class SettingsUnfinished(MailerError, kind=ErrorKind.MISCONFIGURED):
    """[service] still holds samples or an address that only this machine reaches, and letters would leave with it."""


class SecretUnreadable(MailerError, kind=ErrorKind.MISCONFIGURED):
    """The secret file is missing, unreadable or damaged."""


class DkimKeyRefused(MailerError, kind=ErrorKind.MISCONFIGURED):
    """A key_file of [[dkim]] holds no private key that can sign."""


class AlreadyExists(MailerError, kind=ErrorKind.CONFLICT):
    """What was to be made exists already; nothing was overwritten."""


class ExportFailed(MailerError):
    """An export could not be written, as on a full disk; no part of it is left."""


class BackupFailed(MailerError):
    """A backup could not be written, or its content could not be put into its place; nothing was changed."""


class BackupRefused(MailerError, kind=ErrorKind.UNPROCESSABLE):
    """A backup file is damaged, incomplete, of an unknown version, or no backup; the message says what and where."""


class ListenAddressTaken(MailerError, kind=ErrorKind.MISCONFIGURED):
    """Another program listens on an address that the settings name for one of our doors."""


class DatabaseOwned(MailerError, kind=ErrorKind.MISCONFIGURED):
    """Another `mailer serve` owns this database."""


class SchemaUnknown(MailerError, kind=ErrorKind.MISCONFIGURED):
    """The database's schema is not the one this version works with."""


class DatabaseUnavailable(MailerError, kind=ErrorKind.UNAVAILABLE):
    """The database cannot be reached, or refuses the connection."""


class DatabaseMoved(DatabaseUnavailable, kind=ErrorKind.MISCONFIGURED):
    """The files at a SQLite database's path are not the open ones: what is written to the open ones would be lost."""


class InboxFull(MailerError, kind=ErrorKind.UNAVAILABLE):
    """So many incoming mails wait to be processed that no more are accepted for now."""


class LeaseLost(DatabaseUnavailable):
    """A worker did not renew its lease in time, and other workers have taken what it had claimed."""


# --- What people hand us ----------------------------------------------------------------------------------------


class AddressRefused(MailerError, kind=ErrorKind.UNPROCESSABLE):
    """The text is not an address that mail can be sent to."""


class ListNameRefused(MailerError, kind=ErrorKind.INVALID):
    """The name cannot be a mailing list's: it is too long, not plain, or would shadow a command address."""


class ListLimitRefused(MailerError, kind=ErrorKind.INVALID):
    """The number cannot be a list's limit for bounces."""


class ListFooterRefused(MailerError, kind=ErrorKind.INVALID):
    """The postal address or the reason for the end of a list's letters is too long or not printable."""


class _RefusedAtLine(MailerError, kind=ErrorKind.UNPROCESSABLE):
    """A text cannot be used; the message says in which line, where that is known, and why."""

    def __init__(self, reason: str, line: int | None = None) -> None:
        self.reason, self.line = reason, line
        super().__init__(f"line {line}: {reason}" if line else reason)


class CampaignFileRefused(_RefusedAtLine):
    """A campaign file cannot be used."""


class LetterRenderFailed(_RefusedAtLine):
    """A person's data does not render in a campaign's text."""


class TemplateRefused(_RefusedAtLine):
    """An organiser's template is unsafe, fails, does not end in time, or lacks what every letter must have."""


class MediaRefused(MailerError, kind=ErrorKind.UNPROCESSABLE):
    """A picture or an attachment is of a kind that letters cannot have, damaged, or too large."""


class ListDesignRefused(MailerError, kind=ErrorKind.INVALID):
    """The colour, logo, archive or segment cannot be a list's."""


class TimeRefused(MailerError, kind=ErrorKind.INVALID):
    """The text is not a date and time, a time zone or a duration; or the hour does not exist in its time zone."""


class TableRefused(MailerError, kind=ErrorKind.UNPROCESSABLE):
    """The file to import, or one of its rows, cannot be read as people."""


class TokenRefused(MailerError, kind=ErrorKind.REFUSED):
    """The token was altered, or was made for another purpose."""


class NothingPending(MailerError, kind=ErrorKind.GONE):
    """The request that this token confirms was confirmed, declined or erased already, or is too old."""


# --- What is asked of us ----------------------------------------------------------------------------------------


class NotFound(MailerError, kind=ErrorKind.NOT_FOUND):
    """There is no such mailing list, campaign or person."""


class WrongState(MailerError, kind=ErrorKind.CONFLICT):
    """The campaign, its texts or the site are in a state in which this cannot be done."""


class NotPermitted(MailerError, kind=ErrorKind.FORBIDDEN):
    """The roles of whoever asks do not allow this; the message says what would."""


class CheckFailed(MailerError, kind=ErrorKind.CONFLICT):
    """A check before the launch found what blocks it; the message names the first, and how many there are."""


class DraftChanged(MailerError, kind=ErrorKind.CONFLICT):
    """Somebody else saved this draft meanwhile; both texts are kept."""

    def __init__(self, version: int, changed_by: str) -> None:
        self.version, self.changed_by = version, changed_by
        super().__init__(f"{changed_by} saved this text meanwhile, as version {version}; nothing was overwritten")


class OrganiserRefused(MailerError, kind=ErrorKind.INVALID):
    """An organiser's role, language or time zone cannot be that, or the last owner of the site would be lost."""


class SignInRefused(MailerError, kind=ErrorKind.REFUSED):
    """A typed code is wrong, or too much was asked for or typed within an hour."""


class SignInSpent(MailerError, kind=ErrorKind.GONE):
    """A link to sign in was used, is too old, or was replaced by a newer one."""


class WrongBrowser(MailerError, kind=ErrorKind.REFUSED):
    """A letter's link was opened in another browser than the one that asked for the letter."""


class RelayUnavailable(MailerError, kind=ErrorKind.UNAVAILABLE):
    """The relay cannot be reached, or refuses the connection or login; nothing was handed to it."""

    def __init__(self, message: str, *, refused: bool = False, too_many_connections: bool = False) -> None:
        self.refused = refused
        """Whether it refused us for good: trying again soon does not help, the administrator must act."""
        self.too_many_connections = too_many_connections
        """Whether it accepts no further connection for now; fewer connections may work."""
        super().__init__(message)


class MailboxUnavailable(MailerError, kind=ErrorKind.UNAVAILABLE):
    """An IMAP mailbox cannot be reached or read; its mail stays there."""

    def __init__(self, message: str, *, refused: bool = False) -> None:
        self.refused = refused
        """Whether the server answered, and its answer was NO."""
        super().__init__(message)


class BudgetSpent(MailerError, kind=ErrorKind.UNAVAILABLE):
    """All letters of this hour's or day's budget have been sent."""

    def __init__(self, until: datetime) -> None:
        self.until = until
        super().__init__(f"its letters are spent until {until:%Y-%m-%d %H:%M} UTC")


class DnsUnavailable(MailerError, kind=ErrorKind.UNAVAILABLE):
    """The DNS did not answer a query; this says nothing about what the answer would have been."""


class SigningUnavailable(MailerError, kind=ErrorKind.UNAVAILABLE):
    """No DKIM signing process could be started; the letters wait."""


class WorkerFailed(MailerError):
    """A task or process of ours stopped in the middle of its work; what a send worker had claimed, another takes."""


class FetchFailed(MailerError, kind=ErrorKind.UNAVAILABLE):
    """A page or file could not be fetched from another server, or that server is one we do not ask."""


class WebmentionRefused(MailerError, kind=ErrorKind.UNPROCESSABLE):
    """A Webmention's source or target is no page that it can be about, or the source does not link to the target."""


class ProviderCallRefused(MailerError, kind=ErrorKind.REFUSED):
    """A provider call's signature does not verify, or the call is too old."""


class ProviderCallInProgress(MailerError, kind=ErrorKind.UNAVAILABLE):
    """The same provider call came a moment ago and is still being processed; the provider should repeat it."""


class ProviderCallUnreadable(MailerError, kind=ErrorKind.UNPROCESSABLE):
    """A provider call does not have the format that this provider's calls have."""
