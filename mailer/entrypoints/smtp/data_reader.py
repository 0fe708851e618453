"""Reads the message that follows DATA (RFC 5321 section 4.1.1.4)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from mailer.actions.inbound.message_stream import MessageStream
from mailer.entrypoints.smtp.aiosmtpd_private import put_back

END_OF_DATA = b"\r\n.\r\n"
_OVERRUN_OCTETS = 2**20
"""How much beyond our size limit is read and dropped, so that a well-behaved client gets 552 after its final dot."""


async def read_data(reader: asyncio.StreamReader, stream: MessageStream) -> bool:
    """Read the message into the stream; False if it goes on far beyond the size limit and the client should be cut off.

    Raises IncompleteReadError if the connection ends before the message does.
    """
    async for chunk in read_message_chunks(reader):
        await stream.add_chunk(chunk)
        if stream.octets > stream.most_octets + _OVERRUN_OCTETS:
            return False
    stream.finish()
    return True


async def read_message_chunks(reader: asyncio.StreamReader) -> AsyncIterator[bytes]:
    """The message with doubled dots removed, up to CRLF.CRLF; no other line end ends it, so nothing is smuggled.

    Raises IncompleteReadError if the connection ends before the message does.
    """
    # The CRLF of the DATA command is the one before a dot in the first line.
    put_back(reader, b"\r\n")
    carried_over, begun, ended = b"", False, False
    while not ended:
        try:
            chunk = carried_over + await reader.readuntil(END_OF_DATA)
            ended = True
        except asyncio.LimitOverrunError as overrun:
            chunk = carried_over + await reader.read(overrun.consumed)
        # The dot that belongs to this line end may come with the next chunk.
        carried_over = b"" if ended else b"\r\n" if chunk.endswith(b"\r\n") else b"\r" if chunk.endswith(b"\r") else b""
        length = len(chunk) - (len(carried_over) or (len(END_OF_DATA) - 2 if ended else 0))
        chunk = chunk[:length].replace(b"\r\n.", b"\r\n")
        yield chunk if begun else chunk[2:]
        begun = True
