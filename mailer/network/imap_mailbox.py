"""OpenMailbox: reads an IMAP mailbox (RFC 9051, RFC 3501) in chunks, without marking anything as read."""

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
"""One more than MessageStream allows, so that a longer header is noticed."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Mailbox:
    """The address and login of a mailbox."""

    host: str
    port: int
    tls: Literal["none", "starttls", "tls"]
    username: str
    password: str = field(repr=False)
    folder: str = "INBOX"
    done_folder: str | None = None
    """The folder for messages that we have committed; None leaves them where they are."""
    every_s: float = 60

    @property
    def name(self) -> str:
        """Its URL without the password (RFC 5092): its key in the database and its name in the log."""
        return f"imap://{quote(self.username, safe='')}@{self.host}:{self.port}/{quote(self.folder)}"


@dataclass(frozen=True, kw_only=True, slots=True)
class MessageSummary:
    """What is known of a message before its text is read."""

    octets: int
    """Its length as the server states it."""
    received_at: datetime
    """INTERNALDATE, timezone-aware."""
    header: bytes
    """Its header, or the beginning of a very long one."""


class OpenMailbox:
    """A connection to a mailbox. Its methods block, so call them in a thread, one at a time.

    All raise MailboxUnavailable; unless that is `refused`, the connection cannot be used any more.
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
            """Higher than the UID of every message that was there when the mailbox was opened."""
            self.supports_idle = self._client.has_capability("IDLE")
            """Whether the server can announce new messages (RFC 2177)."""

    def search_uids(self, last_uid: int, since: date | None) -> list[int]:
        """The UIDs above `last_uid`, ascending; with `since` only of messages received on that day or later."""
        criteria: list[Any] = ["UID", f"{last_uid + 1}:*"]
        with _translate_errors("cannot be searched"):
            uids = self._client.search([*criteria, "SINCE", since] if since else criteria)
        # The star stands for the last message, even if its UID is lower.
        return sorted(uid for uid in uids if uid > last_uid)

    def fetch_summary(self, uid: int) -> MessageSummary | None:
        """The summary of a message; None if it is gone."""
        items = self._fetch(uid, "RFC822.SIZE", "INTERNALDATE", f"BODY.PEEK[HEADER]<0.{_HEADER_OCTETS}>")
        if items is None:
            return None
        with _translate_errors("sent a malformed answer"):
            return MessageSummary(
                octets=int(items[b"RFC822.SIZE"]), received_at=items[b"INTERNALDATE"], header=_body(items)
            )

    def fetch_chunk(self, uid: int, offset: int, octets: int) -> bytes:
        """Up to `octets` octets of a message from `offset` on; fewer only at its end."""
        items = self._fetch(uid, f"BODY.PEEK[]<{offset}.{octets}>")
        return _body(items) if items else b""

    def move(self, uid: int) -> None:
        """Move a message to the done folder."""
        folder = self._mailbox.done_folder
        with _translate_errors(f"does not let us move a mail to {folder}"):
            if self._client.has_capability("MOVE"):
                self._client.move([uid], folder)
                return
            self._client.copy([uid], folder)
            self._client.add_flags([uid], [b"\\Deleted"], silent=True)
            # Without UIDPLUS this message cannot be expunged alone, and we must not expunge what others marked.
            if self._client.has_capability("UIDPLUS"):
                self._client.uid_expunge([uid])

    def wait_for_changes(self, seconds: float) -> None:
        """Return when the server announces a change (IDLE, RFC 2177), or after this time."""
        with _translate_errors("closed the connection"):
            self._client.idle()
            self._client.idle_check(timeout=seconds)
            self._client.idle_done()

    def shut_down(self) -> None:
        """Make a method that waits for the server return at once; may be called from any thread."""
        with suppress(OSError):
            # Not the TLS socket's own method, which breaks a read in another thread.
            socket.socket.shutdown(self._client.socket(), socket.SHUT_RDWR)

    def close(self) -> None:
        """Close the connection."""
        self.shut_down()
        with suppress(OSError):
            self._client.shutdown()

    def _fetch(self, uid: int, *what: str) -> dict[bytes, Any] | None:
        with _translate_errors(f"does not give us mail {uid}"):
            return self._client.fetch([uid], list(what)).get(uid)


def _connect(mailbox: Mailbox) -> IMAPClient:
    # An optional dependency, needed only with a [[mailbox]].
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
    """The fetched text, under whatever name the server returns it."""
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
