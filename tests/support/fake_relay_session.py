"""One connection to the fake relay: the server's half of SMTP (RFC 5321), told what to do by orders."""

from __future__ import annotations

import asyncio
import base64
import datetime
import ipaddress
import re
import ssl
import tempfile
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

if TYPE_CHECKING:
    from tests.support.fake_relay import FakeRelay

_PATH = re.compile(r"<([^>]*)>")


@dataclass(frozen=True)
class ReceivedLetter:
    """A letter the relay took, as it came."""

    sender: str
    recipient: str
    content: bytes
    """Dots unstuffed."""
    connection: int
    """Which connection brought it; the first is 1."""
    reply: str | None
    """What was said to it; None where the line was dropped instead."""


@dataclass(frozen=True)
class Hold:
    """Silence at a stage: `reached` is set by the relay, `released` by the test."""

    reached: asyncio.Event = field(default_factory=asyncio.Event)
    released: asyncio.Event = field(default_factory=asyncio.Event)


@dataclass
class Order:
    """What to do at a stage: say something, be silent (Hold), or break the line (None)."""

    stage: str
    address: str | None
    nth: int | None
    do: str | Hold | None
    matches: int = 0


class ConnectionDropped(Exception):
    """The line is to be broken now."""


class Session:
    """One connection. Replies leave when there is nothing more to read, as with real servers that pipeline."""

    def __init__(
        self, relay: FakeRelay, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, crowded: bool = False
    ) -> None:
        self.greeting = "421 4.3.2 too many connections" if crowded else "220 fake.example.org ready"
        self.taken = 0
        self.relay, self.reader, self.writer, self.number = relay, reader, writer, relay.connections
        self.buffer, self.out = b"", b""
        self.sender: str | None = None
        self.recipient: str | None = None
        self.authenticated, self.secure = relay.login is None, relay.tls == "tls"

    async def run(self) -> None:
        verbs = {"EHLO", "STARTTLS", "AUTH", "MAIL", "RCPT", "DATA", "RSET", "QUIT"}
        try:
            await self.say("greeting", self.greeting)
            while True:
                early = bool(self.buffer)
                line = (await self.read_to(b"\r\n")).decode("utf-8")
                self.relay.commands.append((self.number, line))
                self.relay.pipelined += [line] * early
                verb = line.split(" ")[0].upper()
                if self.buffer and not self.relay.pipelining:
                    self.out += b"503 5.5.0 pipelining was not offered\r\n"
                elif verb in verbs:
                    await getattr(self, verb.lower())(line)
                else:
                    self.out += b"500 5.5.2 what?\r\n"
        except (ConnectionDropped, OSError):
            self.flush()
        finally:
            self.writer.close()

    async def read_to(self, end: bytes) -> bytes:
        """What comes before `end`."""
        while end not in self.buffer:
            self.flush()
            more = await self.reader.read(1 << 16)
            if not more:
                raise ConnectionDropped
            self.buffer += more
        found, _, self.buffer = self.buffer.partition(end)
        return found

    def flush(self) -> None:
        self.writer.write(self.out)
        self.out = b""

    async def say(self, stage: str, reply: str, address: str = "") -> str:
        """Reply so, unless told otherwise; the reply is returned."""
        order = self.relay.session_end(self.number, self.taken, stage) or self.relay.order(stage, address)
        if order is not None and order.do is None:
            raise ConnectionDropped
        if order is not None and isinstance(order.do, Hold):
            self.flush()
            order.do.reached.set()
            await order.do.released.wait()
        elif order is not None:
            reply = str(order.do)
        self.out += reply.encode() + b"\r\n" if reply else b""
        if reply[:1] in {"4", "5"}:
            self.relay.refused.append((stage, address, reply))
        if reply.startswith("421"):
            raise ConnectionDropped(reply)
        return reply

    async def ehlo(self, _: str) -> None:
        offered = ["fake.example.org", *self.relay.offers]
        offered += ["PIPELINING"] * self.relay.pipelining
        offered += ["STARTTLS"] * (self.relay.tls == "starttls" and not self.secure)
        offered += [f"AUTH {self.relay.auth}"] * (self.relay.login is not None)
        await self.say("ehlo", "\r\n".join([*(f"250-{one}" for one in offered), "250 ENHANCEDSTATUSCODES"]))

    async def starttls(self, _: str) -> None:
        if (await self.say("starttls", "220 2.0.0 go ahead")).startswith("2"):
            self.flush()
            await self.writer.start_tls(certificate()[0])
            self.secure = True

    async def auth(self, line: str) -> None:
        _, way, first = line.split(" ")
        if way not in self.relay.auth.split():
            await self.say("auth", "504 5.5.4 not that way")
            return
        user, password = await getattr(self, f"login_{way.lower()}")(base64.b64decode(first).decode())
        good = (user, password) == self.relay.login
        reply = await self.say("auth", "235 2.7.0 welcome" if good else "535 5.7.8 wrong name or password", user)
        self.authenticated = reply.startswith("2")

    async def login_plain(self, first: str) -> list[str]:
        """RFC 4616."""
        return first.split("\0")[1:]

    async def login_login(self, first: str) -> list[str]:
        """The name came with the command, the password is asked for."""
        self.out += b"334 UGFzc3dvcmQ6\r\n"
        return [first, base64.b64decode(await self.read_to(b"\r\n")).decode()]

    async def mail(self, line: str) -> None:
        sender = _PATH.search(line)[1]
        reply = "250 2.1.0 fine" if self.sender is None else "503 5.5.1 nested MAIL"
        if (await self.say("mail", reply if self.authenticated else "530 5.7.0 who are you?", sender)).startswith("2"):
            self.sender = sender

    async def rcpt(self, line: str) -> None:
        recipient = _PATH.search(line)[1]
        reply = "250 2.1.5 fine" if self.sender is not None else "503 5.5.1 MAIL first"
        if (await self.say("rcpt", reply, recipient)).startswith("2"):
            self.recipient = recipient

    async def data(self, _: str) -> None:
        reply = "354 go ahead" if self.recipient is not None else "503 5.5.1 RCPT first"
        if (await self.say("data", reply, self.recipient or "")).startswith("3"):
            await self.content()

    async def content(self) -> None:
        self.buffer = b"\r\n" + self.buffer
        raw = await self.read_to(b"\r\n.\r\n") + b"\r\n"
        content = raw.replace(b"\r\n.", b"\r\n").removeprefix(b"\r\n")
        sender, recipient, self.sender, self.recipient = self.sender or "", self.recipient, None, None
        if recipient is None:
            await self.say("dot", "554 5.5.1 nobody to send it to")
            return
        try:
            reply = await self.say("dot", "250 2.0.0 taken", recipient)
        except ConnectionDropped as dropped:
            if not dropped.args:
                self.relay.take(ReceivedLetter(sender, recipient, content, self.number, None))
            raise
        if reply.startswith("2"):
            self.taken += 1
            self.relay.take(ReceivedLetter(sender, recipient, content, self.number, reply))
        await self.say("answered", "", recipient)

    async def rset(self, _: str) -> None:
        self.sender = self.recipient = None
        await self.say("rset", "250 2.0.0 forgotten")

    async def quit(self, _: str) -> None:
        await self.say("quit", "221 2.0.0 goodbye")
        raise ConnectionDropped


@cache
def certificate() -> tuple[ssl.SSLContext, str]:
    """A server's context with a throw-away certificate for 127.0.0.1, and that certificate as PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "fake relay")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = certificate.public_bytes(serialization.Encoding.PEM)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with tempfile.NamedTemporaryFile() as file:
        file.write(pem + private)
        file.flush()
        context.load_cert_chain(file.name)
    return context, pem.decode()
