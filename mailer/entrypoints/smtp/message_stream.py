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
from mailer.domain.incoming_message import FLEETING, MOST_INLINE, Arrival
from mailer.mail.message.header_scan import comes_from_list_of, has_identity, header_end, times_received, trace_end
from mailer.store.spool import SpoolFile

_log = structlog.get_logger()

END = b"\r\n.\r\n"
MOST_HEADER = 64 * 1024
"""Octets."""
_MOST_RECEIVED = 30
_LONGEST_DIGEST = 64
_PATIENCE_OCTETS = 2**20
"""How much beyond our limit is read and dropped, so that a civil client hears 552 at its final dot."""

TOO_LARGE = "552 5.3.4 Too much mail data"
NO_ROOM = "452 4.3.1 No room for mail, try again later"
_HEADER_TOO_LARGE = "552 5.3.4 The header is too large"
_IN_CIRCLES = "554 5.4.6 The mail goes in circles"


async def pieces(reader: asyncio.StreamReader) -> AsyncIterator[bytes]:
    """The mail as it was before its dots were doubled, until its end: CRLF.CRLF and nothing else (RFC 5321, 4.1.1.4).

    IncompleteReadError where the stream ends first.
    """
    # The CRLF of the DATA command is the one before a dot in the first line.
    reader._buffer[:0] = b"\r\n"  # type: ignore[attr-defined]
    held, begun, ended = b"", False, False
    while not ended:
        try:
            piece = held + await reader.readuntil(END)
            ended = True
        except asyncio.LimitOverrunError as overrun:
            piece = held + await reader.read(overrun.consumed)
        # A dot after these may stand in the next piece.
        held = b"" if ended else b"\r\n" if piece.endswith(b"\r\n") else b"\r" if piece.endswith(b"\r") else b""
        piece = piece[: len(piece) - (len(held) or (len(END) - 2 if ended else 0))].replace(b"\r\n.", b"\r\n")
        yield piece if begun else piece[2:]
        begun = True


@dataclass(kw_only=True, slots=True)
class Stream:
    """A mail that is just coming in, and what is to be answered for it."""

    domain: str
    spool: Path
    most_octets: int
    sender: str
    recipients: tuple[str, ...]
    lies_there: bool = False
    """In a mailbox: it comes again to the octet as it was, with its trace fields, which tell it from all others."""
    refusal: str | None = None
    """What its client will hear at the final dot, instead of 250."""
    file: SpoolFile | None = None
    _octets: int = 0
    _text: bytearray = field(default_factory=bytearray)
    """What is kept in memory: all of it, or the header while that has not ended."""
    _digest: hashlib._Hash | None = None
    """None while the header has not ended."""
    _fleeting: str = ""
    """What its digest begins with."""

    async def take(self, reader: asyncio.StreamReader) -> bool:
        """Read it; False where it has no end in sight and the line should be cut."""
        async for piece in pieces(reader):
            await self.add(piece)
            if self._octets > self.most_octets + _PATIENCE_OCTETS:
                return False
        self.end()
        return True

    async def add(self, piece: bytes) -> None:
        """Some more of it; once it is refused, that is dropped."""
        self._octets += len(piece)
        if self._octets > self.most_octets:
            self.refuse(TOO_LARGE)
        if self.refusal is None:
            await self._keep(piece)

    def end(self) -> None:
        """That was all of it."""
        if self.refusal is None and self._digest is None:
            self._judge(len(self._text))

    @contextmanager
    def at_hand(self) -> Iterator[None]:
        """While it is read: where that is broken off, nothing of it stays."""
        try:
            yield
        except BaseException:
            self.refuse(TOO_LARGE)
            raise

    async def arrival(
        self, *, client: str | None = None, helo: str | None = None, mailbox: str | None = None
    ) -> Arrival:
        """The mail, whole, and where it came from; a file of its own is on the disk now.

        OSError where the disk does not take it.
        """
        if self.file is not None:
            await asyncio.to_thread(self.file.sync)
        return Arrival(
            sender=self.sender,
            recipients=self.recipients,
            raw=b"" if self.file else bytes(self._text),
            spooled=self.file.name if self.file else None,
            digest=(self._fleeting + self._digest.hexdigest())[:_LONGEST_DIGEST] if self._digest else None,
            client=client,
            helo=helo,
            mailbox=mailbox,
        )

    def refuse(self, reply: str) -> None:
        """Whatever else comes is dropped, and this is the answer; the first reason stands."""
        self.refusal = self.refusal or reply
        self._text.clear()
        if self.file is not None:
            discard(self.file)
            self.file = None

    async def _keep(self, piece: bytes) -> None:
        if self.file is not None and self._digest is not None:
            await self._spool(self.file, self._digest, piece)
            return
        looked_through = len(self._text)
        self._text += piece
        if self._digest is not None:
            self._digest.update(piece)
        elif (end := header_end(self._text, looked_through)) is not None:
            self._judge(end)
        elif len(self._text) > MOST_HEADER:
            self.refuse(_HEADER_TOO_LARGE)
        if len(self._text) > MOST_INLINE and self.refusal is None:
            await self._begin_file()

    async def _begin_file(self) -> None:
        try:
            self.file = await asyncio.to_thread(SpoolFile, self.spool)
            await asyncio.to_thread(self.file.write, bytes(self._text))
        except OSError as trouble:
            self._no_room(trouble)
        self._text.clear()

    async def _spool(self, file: SpoolFile, digest: hashlib._Hash, piece: bytes) -> None:
        try:
            await asyncio.to_thread(_both, file, digest, piece)
        except OSError as trouble:
            self._no_room(trouble)

    def _no_room(self, trouble: OSError) -> None:
        _log.error("the spool takes no mail", trouble=str(trouble))
        self.refuse(NO_ROOM)

    def _judge(self, end: int) -> None:
        """Refuse the mail for what its header says, or begin the digest of it."""
        header = self._text[:end]
        if end > MOST_HEADER:
            self.refuse(_HEADER_TOO_LARGE)
        elif not self._is_report() and (
            times_received(header) > _MOST_RECEIVED or comes_from_list_of(self.domain, header)
        ):
            self.refuse(_IN_CIRCLES)
        else:
            known = has_identity(header)
            self._fleeting = "" if known or self.lies_there else FLEETING
            envelope = "\0".join((self.sender, *sorted(self.recipients), "", ""))
            self._digest = hashlib.sha256(envelope.encode("utf-8", "surrogateescape"))
            self._digest.update(memoryview(self._text)[trace_end(header) if known or not self.lies_there else 0 :])

    def _is_report(self) -> bool:
        """Nothing we send answers these, so they cannot go in circles, whatever they quote."""
        locals_ = (recipient.rpartition("@")[0] for recipient in self.recipients)
        return not self.sender and all(parse_local_part(one).command is Command.RETURN_PATH for one in locals_)


def discard(file: SpoolFile) -> None:
    """Delete a file that is in vain; the loop does not wait for the disk."""
    asyncio.get_running_loop().run_in_executor(None, file.discard)


def _both(file: SpoolFile, digest: hashlib._Hash, piece: bytes) -> None:
    digest.update(piece)
    file.write(piece)
