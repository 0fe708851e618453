"""One connection to the sink: SMTP as a relay speaks it, pipelined or not (RFC 5321, RFC 2920)."""

from __future__ import annotations

import asyncio
import re
import socket
import struct
import sys
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from tests.support.crash_sink import Sink

_RECIPIENT = re.compile(rb"TO:\s*<([^<>]*)>", re.IGNORECASE)
_STAGES = {b"EHLO": "ehlo", b"HELO": "ehlo", b"AUTH": "auth", b"MAIL": "mail", b"RCPT": "rcpt", b"DATA": "data"}
_ANSWERS = {
    "greeting": b"220 sink",
    "ehlo": b"250-sink\r\n250-PIPELINING\r\n250 AUTH PLAIN LOGIN",
    "auth": b"235 2.7.0 welcome",
    "mail": b"250 2.1.0 ok",
    "rcpt": b"250 2.1.5 ok",
    "data": b"354 go on",
    "dot": b"250 2.0.0 taken",
}


class Session(asyncio.Protocol):
    """One connection."""

    def __init__(self, sink: Sink) -> None:
        self.sink = sink
        sink.connections += 1
        self.number = sink.connections
        self.rest, self.recipient, self.has_sender = b"", b"", False
        self.letters = 0
        self.expected_stage = "greeting"
        """The stage of what comes next, where that is not a command."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Greet."""
        self.transport = cast("asyncio.Transport", transport)
        self.sink.sessions.add(self)
        self.process_input()

    def connection_lost(self, exc: Exception | None) -> None:
        """Whoever hangs up is forgotten."""
        self.sink.sessions.discard(self)

    def data_received(self, data: bytes) -> None:
        """Hear more."""
        self.rest += data
        self.process_input()

    def process_input(self) -> None:
        """Answer each whole command, and each content at its dot, as far as we may."""
        while not self.transport.is_closing():
            if self.expected_stage == "greeting":
                head, found, rest = b"", b"-", self.rest
            else:
                end = b"\r\n.\r\n" if self.expected_stage == "dot" else b"\r\n"
                head, found, rest = self.rest.partition(end)
            if not found:
                return
            stage = self.expected_stage or _STAGES.get(head[:4].upper(), "")
            what, reply = self.sink.ordered_fault(stage, self.letters)
            if what == "stall":
                return
            self.rest = rest
            self.answer(stage, head, what, reply)

    def answer(self, stage: str, head: bytes, what: str, reply: bytes) -> None:
        """To one command or content."""
        self.expected_stage = ""
        if what == "drop":
            self.abort()
        elif what == "say":
            self.transport.write(reply + b"\r\n")
            if reply.startswith(b"421"):
                self.transport.close()
        elif stage == "dot":
            self.take(head)
        else:
            self.answer_normally(stage, head)

    def answer_normally(self, stage: str, head: bytes) -> None:
        """Answer a command as a good relay does."""
        verb, reply = head[:4].upper(), _ANSWERS.get(stage, b"250 ok")
        if verb in {b"MAIL", b"RSET"}:
            self.recipient, self.has_sender = b"", verb == b"MAIL"
        elif stage == "rcpt" and self.has_sender and (found := _RECIPIENT.search(head)):
            self.recipient = found[1]
        elif stage in {"rcpt", "data"} and not self.recipient:
            reply = b"503 5.5.1 not without what was refused"
        elif verb == b"QUIT":
            reply = b"221 2.0.0 bye"
        self.expected_stage = "dot" if reply.startswith(b"354") else ""
        self.transport.write(reply + b"\r\n")
        if verb == b"QUIT":
            self.transport.close()

    def take(self, content: bytes) -> None:
        """Take a letter, unless somebody is to be killed over it."""
        sink = self.sink
        port = self.transport.get_extra_info("peername")[1]
        if sink.kill_if_ordered("before", port):
            self.abort()
            return
        sink.take(self.recipient, content, self.number)
        self.letters += 1
        self.recipient, self.has_sender = b"", False
        sink.kill_if_ordered("after", port)
        if sink.wait_s:
            asyncio.get_running_loop().call_later(sink.wait_s, self.confirm_letter, port)
        else:
            self.confirm_letter(port)

    def confirm_letter(self, port: int) -> None:
        """To the dot."""
        if not self.transport.is_closing():
            self.transport.write(_ANSWERS["dot"] + b"\r\n")
            self.sink.kill_if_ordered("answered", port)

    def abort(self) -> None:
        """Break the line, without a goodbye: not even TCP's."""
        line = self.transport.get_extra_info("socket")
        line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.transport.abort()


def print_line(line: str) -> None:
    """To whom we work for."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()
