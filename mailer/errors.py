"""Every way the service fails, on one page: each error states a fact and knows no protocol."""

from __future__ import annotations

from datetime import datetime


class MailerError(Exception):
    """Something the service refuses or cannot do; the message is fit to be shown to people."""


# --- Setting up -------------------------------------------------------------------------------------------------


class SettingsRefused(MailerError):
    """settings.toml (or a MAILER_ variable) holds a key or a value we cannot work with."""


class SettingsUnfinished(MailerError):
    """The settings are still samples, or lead readers nowhere, and letters would leave this machine with them."""


class SecretUnreadable(MailerError):
    """The secret file is missing, unreadable or damaged."""


class DkimKeyRefused(MailerError):
    """A key_file of [[dkim]] holds no private key that we could sign with."""


class AlreadyExists(MailerError):
    """What was to be made exists already; nothing was overwritten."""


class BackupFailed(MailerError):
    """A backup could not be written, or what it holds could not be put into its place; nothing was changed."""


class BackupRefused(MailerError):
    """A backup is damaged, not whole, of a version we do not know, or none at all; says what and where."""


class ListenAddressTaken(MailerError):
    """Another program listens on the address one of our doors needs."""


class DatabaseOwned(MailerError):
    """Another `mailer serve` owns this database."""


class SchemaUnknown(MailerError):
    """The database's schema is not the one this version works with."""


class DatabaseUnavailable(MailerError):
    """The database cannot be reached, or refuses us."""


class DatabaseMoved(DatabaseUnavailable):
    """The files at a SQLite database's path are not the ones that are open: what is written there, nobody will find."""


class InboxFull(MailerError):
    """So much waits to be acted on that nothing more is taken in for now."""


class LeaseLost(DatabaseUnavailable):
    """A worker was not heard of for too long, and others have taken what it had claimed."""


# --- What people hand us ----------------------------------------------------------------------------------------


class AddressRefused(MailerError):
    """The text is not an address we could mail."""


class ListNameRefused(MailerError):
    """The name cannot be a mailing list's: too long, not plain, or it would shadow a command address."""


class ListFooterRefused(MailerError):
    """What a list's letters are to say at their end cannot stand there."""


class CampaignFileRefused(MailerError):
    """A campaign file cannot be used; says in which line and why."""

    def __init__(self, reason: str, line: int | None = None) -> None:
        self.reason, self.line = reason, line
        super().__init__(f"line {line}: {reason}" if line else reason)


class LetterRenderFailed(MailerError):
    """What we know of a person does not render in a campaign's text; says in which of its lines and why."""

    def __init__(self, reason: str, line: int | None = None) -> None:
        self.reason, self.line = reason, line
        super().__init__(f"line {line}: {reason}" if line else reason)


class TimeRefused(MailerError):
    """The hour does not exist on that clock, or is not a date and time; or a span of time is not one."""


class TableRefused(MailerError):
    """The file to import cannot be read as a table of people."""


class TokenRefused(MailerError):
    """The link was altered, or was made for another purpose."""


class NothingPending(MailerError):
    """The request this token confirms was confirmed, declined or forgotten already."""


# --- What is asked of us ----------------------------------------------------------------------------------------


class NotFound(MailerError):
    """There is no such mailing list, campaign or person."""


class WrongState(MailerError):
    """The campaign is in a state in which this cannot be done."""


# --- The world outside ------------------------------------------------------------------------------------------


class RelayUnavailable(MailerError):
    """The relay cannot be reached, or does not let us in; nothing was handed to it."""

    def __init__(self, message: str, *, refused: bool = False, too_many_connections: bool = False) -> None:
        self.refused = refused
        """Whether it answered that it does not want us: trying again soon is of no use, people must act."""
        self.too_many_connections = too_many_connections
        """Whether it answered that it takes no connection more for now: fewer may do."""
        super().__init__(message)


class MailboxUnavailable(MailerError):
    """An IMAP mailbox cannot be reached, or does not give us what we ask for; its mail stays there."""

    def __init__(self, message: str, *, refused: bool = False) -> None:
        self.refused = refused
        """Whether it answered, and its answer was no."""
        super().__init__(message)


class BudgetSpent(MailerError):
    """All letters that may go in this hour or day have gone."""

    def __init__(self, until: datetime) -> None:
        self.until = until
        super().__init__(f"its letters are spent until {until:%Y-%m-%d %H:%M} UTC")


class DnsUnavailable(MailerError):
    """The DNS did not answer a question; this says nothing about what the answer would have been."""


class SigningUnavailable(MailerError):
    """No process can be had that signs our letters; they wait."""


class WorkerFailed(MailerError):
    """A worker that sends broke off in the middle: what it had taken is taken back, and another one goes on."""


class FetchFailed(MailerError):
    """A page or file was not to be had from another server, or we do not ask that server."""


class ProviderCallRefused(MailerError):
    """A call is not proven to be the provider's, or it is too old."""


class ProviderCallInProgress(MailerError):
    """The same call came a moment ago, and is being acted on."""


class ProviderCallUnreadable(MailerError):
    """A call is not of the form that its provider's calls have."""
