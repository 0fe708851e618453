"""A connection to the relay that carries our mail out: opened, then one letter after another."""

from __future__ import annotations

import asyncio
import math
import os
import ssl
from dataclasses import dataclass, field
from functools import cache
from typing import Literal, cast

import aiosmtplib

from mailer.domain.delivery import RelayOutcome, Verdict
from mailer.domain.rate_limits import Limits
from mailer.errors import RelayUnavailable
from mailer.mail.message.letter import Letter
from mailer.relay.session_limit import is_connection_limit
from mailer.relay.smtp_protocol import SmtpProtocol, one_line
from mailer.relay.smtp_transaction import (
    ReplyTimeouts,
    ServerExtensions,
    dot_stuff,
    envelope_commands,
    parse_extensions,
    quit_session,
    run_transaction,
    unsendable_reason,
)

QUIT_TIMEOUT_S = 2.0
"""How long the reply to QUIT is waited for."""
NEXT_LETTER_TIMEOUT_S = 20.0
"""How long a line that has carried letters may be silent before the next: giving up costs a new connection, no more."""
_PROMPT_CLOSE_S = 1.0
"""A line that ends so soon after a letter was not ended for being idle."""


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


async def connect(relay: Relay, *, tls_context: ssl.SSLContext | None = None) -> RelayConnection:
    """A connection ready for letters: TLS as asked, EHLO said, logged in where there is a user name.

    Certificates are verified, by `trust` or else by what this machine trusts. Whatever fails is RelayUnavailable, with
    host, port and what was said; `refused` where it said 5xx, lacks what we need, or shows no certificate to trust.
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
        tls_context=None if relay.tls == "none" else tls_context or _default_tls_context(),
    )
    try:
        await smtp.connect()
        if smtp.is_ehlo_or_helo_needed:
            await smtp.ehlo()
    except (aiosmtplib.SMTPException, OSError, UnicodeError) as trouble:
        smtp.close()
        raise _connect_error(relay, trouble) from trouble
    except BaseException:
        smtp.close()
        raise
    if smtp.transport is None or smtp.transport.is_closing():
        raise RelayUnavailable(f"the relay {relay} hung up as soon as we had come in")
    # From here on the library is out of it: its protocol knows one command and one reply at a time.
    wire = SmtpProtocol(cast("asyncio.Transport", smtp.transport))
    return RelayConnection(relay, wire, parse_extensions(smtp.esmtp_extensions))


class RelayConnection:
    """An open connection; carries one letter at a time. Made by `connect`."""

    def __init__(self, relay: Relay, protocol: SmtpProtocol, extensions: ServerExtensions) -> None:
        self.relay = relay
        self.letters = 0
        """How many it was given."""
        self.is_exhausted = False
        """Whether the relay wants no more letters here: it said so, or broke off where the next one was to begin."""
        self._protocol = protocol
        self._extensions = extensions
        self._transaction_open = False
        self._accepted_at = -math.inf
        """When, on the loop's clock, the last letter was, and none was begun since."""

    @property
    def ended_after_letter(self) -> bool:
        """Whether the relay ended the line as soon as it had accepted a letter."""
        return abs(self._protocol.lost_at - self._accepted_at) < _PROMPT_CLOSE_S

    @property
    def usable(self) -> bool:
        """Whether another letter can be tried here, as far as we have heard from the relay."""
        return self._protocol.usable

    async def send(self, letter: Letter) -> RelayOutcome:
        """Give one letter to the relay and say what became of it.

        RelayUnavailable: the line was lost before (the relay closed an idle connection); nothing was written, so it
        counts as no try and another connection may take the letter. ValueError: the envelope or the content could be
        misread as commands; nothing was written, the connection stays good. In all other cases there is an Outcome:
        what the relay said it cannot take is REFUSED without asking; lost or silent before the content was given it is
        UNTRIED, afterwards UNKNOWN, all with code None; after the latter two the connection is no longer `usable`.
        Cancelling it breaks the line, wherever the letter is by then.
        """
        wire, offer = self._protocol, self._extensions
        commands = envelope_commands(letter, size=offer.size, reset=self._transaction_open)
        content = letter.content + b".\r\n" if letter.is_wire_ready else dot_stuff(letter.content)
        if (reason := unsendable_reason(letter, offer)) is not None:
            return RelayOutcome(Verdict.REFUSED, None, reason)
        if wire.busy:
            raise RuntimeError("this connection is busy with another letter")
        used = self.letters > 0
        try:
            talk = wire.run_dialogue(run_transaction(commands, content, offer, self._reply_timeouts(), reused=used))
        except ConnectionError as lost:
            raise RelayUnavailable(f"the line to the relay {self.relay} was lost: {lost}") from None
        self.letters, self._accepted_at = self.letters + 1, -math.inf
        try:
            outcome, self._transaction_open, unfit, self.is_exhausted = await talk
        except asyncio.CancelledError:
            wire.abort("we gave up")
            raise
        if unfit is not None:
            wire.abort(unfit)
        if outcome.verdict is Verdict.ACCEPTED:
            self._accepted_at = asyncio.get_running_loop().time()
        return outcome

    def _reply_timeouts(self) -> ReplyTimeouts:
        reply_s, dot_s = self.relay.timeout_s, self.relay.content_timeout_s
        first_s = min(reply_s, NEXT_LETTER_TIMEOUT_S) if self.letters else reply_s
        return ReplyTimeouts(first_s=first_s, reply_s=reply_s, content_s=dot_s)

    async def close(self) -> None:
        """Say QUIT and hang up; waits two seconds at most, and a relay that is gone already is no error.

        A letter still on its way is cut off: its `send` returns UNTRIED or UNKNOWN.
        """
        try:
            if self.usable and not self._protocol.busy:
                await self._protocol.run_dialogue(quit_session(min(QUIT_TIMEOUT_S, self.relay.timeout_s)))
        finally:
            self._protocol.abort("we hung up")
        await self.wait_closed()

    async def wait_closed(self) -> None:
        """Return when the line is closed, by whomever; so an idle connection can be watched."""
        await self._protocol.closed.wait()


@cache
def _default_tls_context() -> ssl.SSLContext:
    return ssl.create_default_context()


def _connect_error(relay: Relay, trouble: Exception) -> RelayUnavailable:
    crowded = False
    if isinstance(answer := trouble.__cause__ or trouble, aiosmtplib.SMTPResponseException):
        crowded = is_connection_limit(answer.code, answer.message)
    told = f"the relay {relay} {_describe_error(trouble, relay)}"
    return RelayUnavailable(told, refused=_is_permanent(trouble) and not crowded, too_many_connections=crowded)


def _is_permanent(trouble: Exception) -> bool:
    match trouble.__cause__ or trouble:
        case aiosmtplib.SMTPResponseException() as refusal:
            return refusal.code >= 500
        case ssl.SSLCertVerificationError():
            return True
        case other:
            # The library's bare error, none of its kinds: the relay lacks what we need (STARTTLS, AUTH).
            return type(other) is aiosmtplib.SMTPException


def _describe_error(trouble: Exception, relay: Relay) -> str:
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
