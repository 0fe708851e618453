"""One mail as it comes through the door: judged by its header, counted, and kept where it finds room."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import structlog

from mailer.domain.command_address import Command, parse_local_part
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

END_OF_DATA = b"\r\n.\r\n"
MOST_HEADER_OCTETS = 64 * 1024
"""Octets."""
_MOST_RECEIVED = 30
_LONGEST_DIGEST = 64
_OVERRUN_OCTETS = 2**20
"""How much beyond our limit is read and dropped, so that a civil client hears 552 at its final dot."""

TOO_LARGE = "552 5.3.4 Too much mail data"
NO_ROOM = "452 4.3.1 No room for mail, try again later"
_HEADER_TOO_LARGE = "552 5.3.4 The header is too large"
_MAIL_LOOP = "554 5.4.6 The mail goes in circles"


async def read_message_chunks(reader: asyncio.StreamReader) -> AsyncIterator[bytes]:
    """The mail as it was before its dots were doubled, until its end: CRLF.CRLF and nothing else (RFC 5321, 4.1.1.4).

    IncompleteReadError where the stream ends first.
    """
    # The CRLF of the DATA command is the one before a dot in the first line.
    reader._buffer[:0] = b"\r\n"  # type: ignore[attr-defined]
    carried_over, begun, ended = b"", False, False
    while not ended:
        try:
            chunk = carried_over + await reader.readuntil(END_OF_DATA)
            ended = True
        except asyncio.LimitOverrunError as overrun:
            chunk = carried_over + await reader.read(overrun.consumed)
        # A dot after these may stand in the next piece.
        carried_over = b"" if ended else b"\r\n" if chunk.endswith(b"\r\n") else b"\r" if chunk.endswith(b"\r") else b""
        chunk = chunk[: len(chunk) - (len(carried_over) or (len(END_OF_DATA) - 2 if ended else 0))].replace(
            b"\r\n.", b"\r\n"
        )
        yield chunk if begun else chunk[2:]
        begun = True


@dataclass(kw_only=True, slots=True)
class MessageStream:
    """A mail that is just coming in, and what is to be answered for it."""

    domain: str
    spool: Path
    most_octets: int
    sender: str
    recipients: tuple[str, ...]
    from_mailbox: bool = False
    """In a mailbox: it comes again to the octet as it was, with its trace fields, which tell it from all others."""
    refusal: str | None = None
    """What its client will hear at the final dot, instead of 250."""
    file: SpoolFile | None = None
    _octets: int = 0
    _text: bytearray = field(default_factory=bytearray)
    """What is kept in memory: all of it, or the header while that has not ended."""
    _digest: hashlib._Hash | None = None
    """None while the header has not ended."""
    _digest_prefix: str = ""
    """What its digest begins with."""

    async def read_from(self, reader: asyncio.StreamReader) -> bool:
        """Read it; False where it has no end in sight and the line should be cut."""
        async for chunk in read_message_chunks(reader):
            await self.add_chunk(chunk)
            if self._octets > self.most_octets + _OVERRUN_OCTETS:
                return False
        self.finish()
        return True

    async def add_chunk(self, chunk: bytes) -> None:
        """Some more of it; once it is refused, that is dropped."""
        self._octets += len(chunk)
        if self._octets > self.most_octets:
            self.refuse(TOO_LARGE)
        if self.refusal is None:
            await self._store_chunk(chunk)

    def finish(self) -> None:
        """That was all of it."""
        if self.refusal is None and self._digest is None:
            self._check_header(len(self._text))

    @contextmanager
    def discard_on_error(self) -> Iterator[None]:
        """While it is read: where that is broken off, nothing of it stays."""
        try:
            yield
        except BaseException:
            self.refuse(TOO_LARGE)
            raise

    async def build_message(
        self, *, client: str | None = None, helo: str | None = None, mailbox: str | None = None
    ) -> IncomingMessage:
        """The mail, whole, and where it came from; a file of its own is on the disk now.

        OSError where the disk does not take it.
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

    def refuse(self, reply: str) -> None:
        """Whatever else comes is dropped, and this is the answer; the first reason stands."""
        self.refusal = self.refusal or reply
        self._text.clear()
        if self.file is not None:
            discard_spool_file(self.file)
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
            self.refuse(_HEADER_TOO_LARGE)
        if len(self._text) > MAX_INLINE_OCTETS and self.refusal is None:
            await self._begin_file()

    async def _begin_file(self) -> None:
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
        _log.error("the spool takes no mail", trouble=str(error))
        self.refuse(NO_ROOM)

    def _check_header(self, end: int) -> None:
        """Refuse the mail for what its header says, or begin the digest of it."""
        header = self._text[:end]
        if end > MOST_HEADER_OCTETS:
            self.refuse(_HEADER_TOO_LARGE)
        elif not self._is_report() and (count_received(header) > _MOST_RECEIVED or has_list_id_of(self.domain, header)):
            self.refuse(_MAIL_LOOP)
        else:
            identified = has_message_id(header)
            self._digest_prefix = "" if identified or self.from_mailbox else NO_MESSAGE_ID
            envelope = "\0".join((self.sender, *sorted(self.recipients), "", ""))
            self._digest = hashlib.sha256(envelope.encode("utf-8", "surrogateescape"))
            self._digest.update(
                memoryview(self._text)[find_trace_end(header) if identified or not self.from_mailbox else 0 :]
            )

    def _is_report(self) -> bool:
        """Nothing we send answers these, so they cannot go in circles, whatever they quote."""
        locals_ = (recipient.rpartition("@")[0] for recipient in self.recipients)
        return not self.sender and all(parse_local_part(one).command is Command.RETURN_PATH for one in locals_)


def discard_spool_file(file: SpoolFile) -> None:
    """Delete a file that is in vain; the loop does not wait for the disk."""
    asyncio.get_running_loop().run_in_executor(None, file.discard)


def _hash_and_write(file: SpoolFile, digest: hashlib._Hash, chunk: bytes) -> None:
    digest.update(chunk)
    file.write(chunk)
