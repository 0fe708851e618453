"""What the tests of the relay room share: letters, and connections to the fake relay."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

from mailer.mail.message.letter import Letter
from mailer.relay.smtp_connection import Relay, RelayConnection, connect
from tests.support.fake_relay import FakeRelay

CONTENT = b"Subject: The apples are ripe\r\n\r\nCome to the harvest forum on Saturday.\r\n"
SENDER = "bounce+token@lists.example.org"
ROSA, EMMA = "rosa@example.org", "emma@example.org"


def letter_to(recipient: str, content: bytes = CONTENT) -> Letter:
    return Letter(SENDER, recipient, content)


def relay_at(fake: FakeRelay, **changes: object) -> Relay:
    """The fake, as settings would describe it."""
    given = {"host": "127.0.0.1", "port": fake.port, "tls": fake.tls, "helo": "lists.example.org", "timeout_s": 5}
    return Relay(**{**given, **changes})


@contextlib.asynccontextmanager
async def connected(fake: FakeRelay, **changes: object) -> AsyncIterator[RelayConnection]:
    """A connection to the fake, closed afterwards."""
    connection = await connect(relay_at(fake, **changes), tls_context=fake.trust)
    try:
        yield connection
    finally:
        await connection.close()


class RecordingTransport(asyncio.Transport):
    """A transport that leads nowhere and keeps what it is given."""

    def __init__(self):
        super().__init__()
        self.written, self.aborted = b"", False

    def set_protocol(self, protocol):
        self.protocol = protocol

    def write(self, data):
        self.written += data

    def is_closing(self):
        return self.aborted

    def abort(self):
        self.aborted = True
