"""MessageStream: takes one message in, chunk by chunk; checks its header, computes its digest, stores it."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Protocol

import structlog

from mailer.domain.command_address import Command, parse_local_part, parse_own_address
from mailer.domain.imports.legacy_list import LegacyList, find_own_address, legacy_domains
from mailer.domain.incoming_message import MAX_INLINE_OCTETS, NO_MESSAGE_ID, IncomingMessage
from mailer.mail.message.header_scan import (
    count_received,
    find_header_end,
    find_trace_end,
    has_list_id_of,
    has_message_id,
)
from mailer.store.spool import SpoolFile

_log = structlog.get_logger()

MOST_HEADER_OCTETS = 64 * 1024
_MOST_RECEIVED = 30
_LONGEST_DIGEST = 64


class MessageRefusal(StrEnum):
    """Why a message is not taken in."""

    TOO_LARGE = "the message is too large"
    HEADER_TOO_LARGE = "the header is too large"
    MAIL_LOOP = "the message loops"
    NO_ROOM = "the spool has no room"


class ReceiverProtocol(Protocol):
    """What entry points ask before and after they take a message in; MailReceiver is the real one."""

    async def refusal_reason(self) -> str | None:
        """Why no mail can be taken in for now, in words for the log; None if it can."""

    async def is_known_recipient(self, recipient: str) -> bool:
        """Whether mail to this address of our domain is processed."""

    async def receive(self, message: IncomingMessage) -> None:
        """Return when the message is committed; an error means that it may not be."""


@dataclass(frozen=True, kw_only=True, slots=True)
class IntakeRules:
    """Whose mail is taken in, how large it may be, and where large mail is stored."""

    domain: str
    """The domain whose mail is taken."""
    legacy_lists: tuple[LegacyList, ...] = ()
    """Lists that moved here, whose old addresses are known at other domains or at ours."""
    spool: Path
    """The folder for large messages; created when the first one comes."""
    most_octets: int = 10 * 2**20
    """Of one message, as transmitted."""
    most_recipients: int = 20

    def own_address(self, address: str) -> str | None:
        """The address of ours that a recipient's is, or stands for; None for a foreign one."""
        return parse_own_address(find_own_address(address, self.domain, self.legacy_lists) or address, self.domain)

    @property
    def domains(self) -> frozenset[str]:
        """All domains at which there are addresses of ours, in lower case."""
        return legacy_domains(self.legacy_lists) | {self.domain.lower()}

    def open_message_stream(
        self, sender: str, recipients: Iterable[str], *, from_mailbox: bool = False
    ) -> MessageStream:
        """A stream for the message with this envelope, within these limits."""
        return MessageStream(
            domain=self.domain,
            spool=self.spool,
            most_octets=self.most_octets,
            sender=sender,
            recipients=tuple(dict.fromkeys(recipients)),
            from_mailbox=from_mailbox,
        )


@dataclass(kw_only=True, slots=True)
class MessageStream:
    """A message that is being received: add its chunks, call `finish`, then `build_message` unless it is refused."""

    domain: str
    spool: Path
    most_octets: int
    sender: str
    recipients: tuple[str, ...]
    from_mailbox: bool = False
    """It is read from a mailbox: a second read gives the same octets, trace fields included, so all are digested."""
    refusal: MessageRefusal | None = None
    file: SpoolFile | None = None
    octets: int = 0
    """Received so far, whether stored or dropped."""
    _text: bytearray = field(default_factory=bytearray)
    """What is held in memory: the whole message, or its header until that ends."""
    _digest: hashlib._Hash | None = None
    """None until the header has ended."""
    _digest_prefix: str = ""

    async def add_chunk(self, chunk: bytes) -> None:
        """Add the next octets of the message; they are dropped if it is refused."""
        self.octets += len(chunk)
        if self.octets > self.most_octets:
            self.refuse(MessageRefusal.TOO_LARGE)
        if self.refusal is None:
            await self._store_chunk(chunk)

    def finish(self) -> None:
        """Check the header if the message ended within it."""
        if self.refusal is None and self._digest is None:
            self._check_header(len(self._text))

    @contextmanager
    def discard_on_error(self) -> Iterator[None]:
        """Drop what was stored if the block raises."""
        try:
            yield
        except BaseException:
            self.refuse(MessageRefusal.TOO_LARGE)
            raise

    async def build_message(
        self, *, client: str | None = None, helo: str | None = None, mailbox: str | None = None
    ) -> IncomingMessage:
        """The whole message and where it came from; its file, if it has one, is synced to the disk.

        Raises OSError if the disk fails.
        """
        if self.file is not None:
            await asyncio.to_thread(self.file.sync)
        return IncomingMessage(
            sender=self.sender,
            recipients=self.recipients,
            raw=b"" if self.file else bytes(self._text),
            spool_name=self.file.name if self.file else None,
            digest=(self._digest_prefix + self._digest.hexdigest())[:_LONGEST_DIGEST] if self._digest else None,
            client=client,
            helo=helo,
            mailbox=mailbox,
        )

    def refuse(self, refusal: MessageRefusal) -> None:
        """Drop what was stored and what follows. The first refusal counts."""
        self.refusal = self.refusal or refusal
        self._text.clear()
        if self.file is not None:
            _discard_in_background(self.file)
            self.file = None

    async def _store_chunk(self, chunk: bytes) -> None:
        if self.file is not None and self._digest is not None:
            await self._spool(self.file, self._digest, chunk)
            return
        searched = len(self._text)
        self._text += chunk
        if self._digest is not None:
            self._digest.update(chunk)
        elif (end := find_header_end(self._text, searched)) is not None:
            self._check_header(end)
        elif len(self._text) > MOST_HEADER_OCTETS:
            self.refuse(MessageRefusal.HEADER_TOO_LARGE)
        if len(self._text) > MAX_INLINE_OCTETS and self.refusal is None:
            await self._create_file()

    async def _create_file(self) -> None:
        try:
            self.file = await asyncio.to_thread(SpoolFile, self.spool)
            await asyncio.to_thread(self.file.write, bytes(self._text))
        except OSError as error:
            self._refuse_no_room(error)
        self._text.clear()

    async def _spool(self, file: SpoolFile, digest: hashlib._Hash, chunk: bytes) -> None:
        try:
            await asyncio.to_thread(_hash_and_write, file, digest, chunk)
        except OSError as error:
            self._refuse_no_room(error)

    def _refuse_no_room(self, error: OSError) -> None:
        _log.error("failed to write to the spool", error=str(error))
        self.refuse(MessageRefusal.NO_ROOM)

    def _check_header(self, end: int) -> None:
        """Refuse the message because of its header, or start its digest."""
        header = self._text[:end]
        if end > MOST_HEADER_OCTETS:
            self.refuse(MessageRefusal.HEADER_TOO_LARGE)
        elif not self._is_report() and (count_received(header) > _MOST_RECEIVED or has_list_id_of(self.domain, header)):
            self.refuse(MessageRefusal.MAIL_LOOP)
        else:
            identified = has_message_id(header)
            self._digest_prefix = "" if identified or self.from_mailbox else NO_MESSAGE_ID
            envelope = "\0".join((self.sender, *sorted(self.recipients), "", ""))
            self._digest = hashlib.sha256(envelope.encode("utf-8", "surrogateescape"))
            start = find_trace_end(header) if identified or not self.from_mailbox else 0
            self._digest.update(memoryview(self._text)[start:])

    def _is_report(self) -> bool:
        """Whether it goes to return paths only: nothing answers these, so such a message cannot loop."""
        locals_ = (recipient.rpartition("@")[0] for recipient in self.recipients)
        return not self.sender and all(parse_local_part(one).command is Command.RETURN_PATH for one in locals_)


def _discard_in_background(file: SpoolFile) -> None:
    asyncio.get_running_loop().run_in_executor(None, file.discard)


def _hash_and_write(file: SpoolFile, digest: hashlib._Hash, chunk: bytes) -> None:
    digest.update(chunk)
    file.write(chunk)
