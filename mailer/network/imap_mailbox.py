"""An IMAP mailbox (RFC 9051, RFC 3501): new mails are read piece by piece, and nothing in it is changed unasked."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import quote

from mailer.errors import MailboxUnavailable

if TYPE_CHECKING:
    from imapclient import IMAPClient

_CONNECT_TIMEOUT_S, _ANSWER_TIMEOUT_S = 10, 60
_HEADER_OCTETS = 64 * 1024 + 1
"""One more than the door allows, so that what is longer shows."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Mailbox:
    """Where a mailbox is, and how to get in."""

    host: str
    port: int
    tls: Literal["none", "starttls", "tls"]
    username: str
    password: str = field(repr=False)
    folder: str = "INBOX"
    done_folder: str | None = None
    """Where mails are moved to once we have them; None leaves them where they are."""
    every_s: float = 60

    @property
    def name(self) -> str:
        """By which it is remembered, and named in the log (RFC 5092)."""
        return f"imap://{quote(self.username, safe='')}@{self.host}:{self.port}/{quote(self.folder)}"


@dataclass(frozen=True, kw_only=True, slots=True)
class MessageSummary:
    """What a mail in the mailbox looks like from outside."""

    octets: int
    """Its length, as the server counts."""
    received_at: datetime
    """When the mailbox got it; aware."""
    header: bytes
    """Its header section, or the beginning of a very long one."""


class OpenMailbox:
    """A connection to a mailbox. Its methods wait for the server, so call them in a thread, one at a time.

    All raise MailboxUnavailable; where that is not `refused`, the connection is of no more use.
    """

    def __init__(self, mailbox: Mailbox) -> None:
        self._mailbox = mailbox
        with _translate_errors("cannot be opened"):
            self._client = _connect(mailbox)
            try:
                self._client.login(mailbox.username, mailbox.password)
                self._client.normalise_times = False
                if mailbox.done_folder and not self._client.folder_exists(mailbox.done_folder):
                    self._client.create_folder(mailbox.done_folder)
                status = self._client.select_folder(mailbox.folder, readonly=mailbox.done_folder is None)
            except BaseException:
                self.close()
                raise
            self.uid_validity = int(status[b"UIDVALIDITY"])
            self.uid_next = int(status.get(b"UIDNEXT", 1))
            """Above the UIDs of all mails there were when it was opened."""
            self.supports_idle = self._client.has_capability("IDLE")
            """Whether the server can tell us of new mail."""

    def search_uids(self, last_uid: int, since: date | None) -> list[int]:
        """The UIDs above this one, ascending; only of mails that came on this day or later, if one is given."""
        criteria: list[Any] = ["UID", f"{last_uid + 1}:*"]
        with _translate_errors("cannot be searched"):
            found = self._client.search([*criteria, "SINCE", since] if since else criteria)
        # The star is the last mail, even if its number is lower.
        return sorted(uid for uid in found if uid > last_uid)

    def fetch_summary(self, uid: int) -> MessageSummary | None:
        """None where it is gone."""
        items = self._fetch(uid, "RFC822.SIZE", "INTERNALDATE", f"BODY.PEEK[HEADER]<0.{_HEADER_OCTETS}>")
        if items is None:
            return None
        with _translate_errors("answers oddly"):
            return MessageSummary(
                octets=int(items[b"RFC822.SIZE"]), received_at=items[b"INTERNALDATE"], header=_body(items)
            )

    def fetch_chunk(self, uid: int, offset: int, octets: int) -> bytes:
        """So many octets of a mail, from there; fewer at its end. It is not marked as read."""
        items = self._fetch(uid, f"BODY.PEEK[]<{offset}.{octets}>")
        return _body(items) if items else b""

    def move(self, uid: int) -> None:
        """To the done folder."""
        folder = self._mailbox.done_folder
        with _translate_errors(f"does not let us move a mail to {folder}"):
            if self._client.has_capability("MOVE"):
                self._client.move([uid], folder)
                return
            self._client.copy([uid], folder)
            self._client.add_flags([uid], [b"\\Deleted"], silent=True)
            # Without UIDPLUS there is no taking away this mail alone; what others marked is not ours to remove.
            if self._client.has_capability("UIDPLUS"):
                self._client.uid_expunge([uid])

    def wait_for_changes(self, seconds: float) -> None:
        """Until the server says that something has changed (RFC 2177), or so long."""
        with _translate_errors("broke off"):
            self._client.idle()
            self._client.idle_check(timeout=seconds)
            self._client.idle_done()

    def shut_down(self) -> None:
        """End whatever waits for the server, from any thread and at once."""
        with suppress(OSError):
            # Not the method of a TLS socket, which pulls the rug from under who is reading.
            socket.socket.shutdown(self._client.socket(), socket.SHUT_RDWR)

    def close(self) -> None:
        """Hang up."""
        self.shut_down()
        with suppress(OSError):
            self._client.shutdown()

    def _fetch(self, uid: int, *what: str) -> dict[bytes, Any] | None:
        with _translate_errors(f"does not give us mail {uid}"):
            return self._client.fetch([uid], list(what)).get(uid)


def _connect(mailbox: Mailbox) -> IMAPClient:
    # An optional part: only who has a mailbox needs it.
    from imapclient import IMAPClient, SocketTimeout

    context = ssl.create_default_context() if mailbox.tls != "none" else None
    waits = SocketTimeout(_CONNECT_TIMEOUT_S, _ANSWER_TIMEOUT_S)
    client = IMAPClient(mailbox.host, mailbox.port, ssl=mailbox.tls == "tls", ssl_context=context, timeout=waits)
    if mailbox.tls == "starttls":
        try:
            client.starttls(context)
        except BaseException:
            client.shutdown()
            raise
    return client


def _body(items: dict[bytes, Any]) -> bytes:
    """The text asked for, by whatever name the server gives it."""
    return next((value or b"" for name, value in items.items() if name.startswith(b"BODY[")), b"")


@contextmanager
def _translate_errors(what: str) -> Iterator[None]:
    from imapclient.exceptions import IMAPClientAbortError, IMAPClientError, ProtocolError

    try:
        yield
    except (IMAPClientError, OSError, ValueError, KeyError) as error:
        gone = isinstance(error, OSError | IMAPClientAbortError | ProtocolError)
        detail = error.args[0] if error.args else ""
        reason = detail.decode(errors="replace") if isinstance(detail, bytes) else str(error)
        raise MailboxUnavailable(
            f"the mailbox {what}: {reason[:300] or type(error).__name__}", refused=not gone
        ) from error
