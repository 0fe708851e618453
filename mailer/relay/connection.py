"""A connection to the relay that carries our mail out: opened, then one letter after another."""

from __future__ import annotations

import asyncio
import contextlib
import os
import ssl
from dataclasses import dataclass, field
from functools import cache
from typing import Literal, cast

import aiosmtplib

from mailer.domain.delivery import Outcome, Verdict
from mailer.domain.limits import Limits
from mailer.errors import RelayUnavailable
from mailer.mail.letter import Letter
from mailer.relay.transaction import Step, agrees, envelope_commands, judge, stuffed
from mailer.relay.wire import Reply, Wire, one_line

FAREWELL_S = 2.0
"""How long the reply to QUIT is waited for."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Relay:
    """A server that carries our mail out, and how we come to it."""

    host: str
    port: int
    tls: Literal["none", "starttls", "tls"]
    helo: str
    """Our own name, for EHLO."""
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    timeout_s: float = 60
    """For connecting, and for every reply but the one to the content."""
    content_timeout_s: float = 600
    """For the reply to the content; RFC 5321 section 4.5.3.2.6: giving up early makes second copies."""
    connections: int = 50
    letters_per_connection: int | None = None
    """Hang up and come again after so many; None stays."""
    weight: float = 1.0
    """Its share of the letters beside other relays that have room."""
    limits: Limits = field(default_factory=Limits)

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


async def connect(relay: Relay, *, trust: ssl.SSLContext | None = None) -> RelayConnection:
    """A connection ready for letters: TLS as asked, EHLO said, logged in where there is a user name.

    Certificates are verified, by `trust` or else by what this machine trusts. Whatever fails is RelayUnavailable, with
    host, port and what was said.
    """
    smtp = aiosmtplib.SMTP(
        hostname=relay.host,
        port=relay.port,
        username=relay.username,
        password=relay.password,
        local_hostname=relay.helo,
        timeout=relay.timeout_s,
        use_tls=relay.tls == "tls",
        start_tls=relay.tls == "starttls",
        tls_context=None if relay.tls == "none" else trust or _machine_trust(),
    )
    try:
        await smtp.connect()
        if smtp.is_ehlo_or_helo_needed:
            await smtp.ehlo()
    except (aiosmtplib.SMTPException, OSError, UnicodeError) as trouble:
        smtp.close()
        raise RelayUnavailable(f"the relay {relay} {_told(trouble, relay)}") from trouble
    except asyncio.CancelledError:
        smtp.close()
        raise
    if smtp.transport is None or smtp.transport.is_closing():
        raise RelayUnavailable(f"the relay {relay} hung up as soon as we had come in")
    # From here on the library is out of it: its protocol knows one command and one reply at a time.
    wire = Wire(cast("asyncio.Transport", smtp.transport))
    return RelayConnection(relay, wire, extensions=frozenset(smtp.esmtp_extensions))


class RelayConnection:
    """An open connection; carries one letter at a time. Made by `connect`."""

    def __init__(self, relay: Relay, wire: Wire, *, extensions: frozenset[str]) -> None:
        self.relay = relay
        self._wire = wire
        self._pipelining = "pipelining" in extensions
        self._size = "size" in extensions
        self._transaction_open = False

    @property
    def usable(self) -> bool:
        """Whether another letter can be tried here, as far as we have heard from the relay."""
        return self._wire.usable

    async def send(self, letter: Letter) -> Outcome:
        """Give one letter to the relay and say what became of it.

        RelayUnavailable: the line was lost before (the relay closed an idle connection); nothing was written, so it
        counts as no try and another connection may take the letter. ValueError: the envelope or the content could be
        misread as commands; nothing was written, the connection stays good. In all other cases there is an Outcome:
        lost or silent before the content was given it is DEFERRED, afterwards UNKNOWN, both with code None, and the
        connection is no longer `usable`. Cancelling it breaks the line, wherever the letter is by then.
        """
        commands = envelope_commands(letter, size=self._size, reset=self._transaction_open)
        content = stuffed(letter.content)
        if not self.usable:
            raise RelayUnavailable(f"the line to the relay {self.relay} was lost: {self._wire.lost}")
        if self._wire.owed:
            raise RuntimeError("this connection is busy with another letter")
        try:
            return await self._offer(commands) or await self._give(content)
        except asyncio.CancelledError:
            self._wire.lose("we gave up")
            raise

    async def close(self) -> None:
        """Say QUIT and hang up; waits two seconds at most, and a relay that is gone already is no error.

        A letter still on its way is cut off: its `send` returns DEFERRED or UNKNOWN.
        """
        try:
            with contextlib.suppress(ConnectionError):
                if not self._wire.owed:
                    self._wire.ask(b"QUIT\r\n", replies=1)
                    await self._wire.reply(min(FAREWELL_S, self.relay.timeout_s))
        finally:
            self._wire.lose("we hung up")
        await self.until_closed()

    async def until_closed(self) -> None:
        """Return when the line is closed, by whomever; so an idle connection can be watched."""
        await self._wire.closed.wait()

    async def _offer(self, commands: dict[Step, bytes]) -> Outcome | None:
        """The outcome where the letter is not wanted; None where the relay waits for its content."""
        replies = await self._ask_in_turn(commands)
        agreed = {step for step, reply in replies.items() if agrees(step, reply)}
        self._transaction_open = Step.SENDER in agreed
        missed = next((step for step in commands if step not in agreed), None)
        if missed is None:
            return None
        if missed is Step.RESET:
            self._wire.lose("the relay would not begin anew")
        elif Step.DATA in agreed:
            # It waits for a content although it takes nobody: a lone dot ends that (RFC 2920 section 3.1).
            await self._ask_in_turn({Step.DOT: b".\r\n"})
            self._transaction_open = False
        return judge(missed, replies[missed]) if missed in replies else self._lost(Verdict.DEFERRED)

    async def _give(self, content: bytes) -> Outcome:
        if not self.usable:
            return self._lost(Verdict.DEFERRED)
        self._transaction_open = False
        replies = await self._ask_in_turn({Step.DOT: content}, self.relay.content_timeout_s)
        return judge(Step.DOT, replies[Step.DOT]) if replies else self._lost(Verdict.UNKNOWN)

    async def _ask_in_turn(self, commands: dict[Step, bytes], timeout_s: float | None = None) -> dict[Step, Reply]:
        """The replies by step, up to where the line was lost or (one by one) a step was refused."""
        replies: dict[Step, Reply] = {}
        groups = [commands] if self._pipelining else [{step: command} for step, command in commands.items()]
        with contextlib.suppress(ConnectionError):
            for group in groups:
                self._wire.ask(b"".join(group.values()), replies=len(group))
                for step in group:
                    replies[step] = reply = await self._wire.reply(timeout_s or self.relay.timeout_s)
                    if not agrees(step, reply) and reply.code < 400:
                        self._wire.lose(f"the relay answered {step} with {reply.code}")
                if not agrees(step, reply):
                    break
        return replies

    def _lost(self, verdict: Verdict) -> Outcome:
        return Outcome(verdict, None, self._wire.lost or "the connection is closed")


@cache
def _machine_trust() -> ssl.SSLContext:
    return ssl.create_default_context()


def _told(trouble: Exception, relay: Relay) -> str:
    """What went wrong, as the rest of a sentence about the relay."""
    match trouble.__cause__ or trouble:
        case aiosmtplib.SMTPAuthenticationError() as refusal:
            return one_line(f"did not accept our user name and password: {refusal.code} {refusal.message}")
        case aiosmtplib.SMTPResponseException() as refusal:
            return one_line(f"does not let us in: {refusal.code} {refusal.message}")
        case TimeoutError():
            return f"did not answer within {relay.timeout_s:g} s"
        case ssl.SSLCertVerificationError() as distrust:
            return f"shows a certificate that we do not trust: {distrust.verify_message}"
        case ssl.SSLError() as failure:
            return f"could not agree with us on TLS: {failure.reason}"
        case OSError(errno=int(number)) if number > 0:
            return f"cannot be reached: {os.strerror(number)}"
        case other:
            return one_line(f"cannot be used: {other}")
