"""Relay, and RelayConnection: a connection to a relay that sends one letter after another."""

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
"""How long to wait for the reply to QUIT."""
NEXT_LETTER_TIMEOUT_S = 20.0
"""How long a reused connection may take for the first reply to a letter; giving up costs only a new connection."""
_PROMPT_CLOSE_S = 1.0
"""A connection that ends so soon after a letter was not ended for being idle."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Relay:
    """A mail server that takes our letters, and how to connect to it."""

    host: str
    port: int
    tls: Literal["none", "starttls", "tls"]
    helo: str
    """Our own host name, for EHLO."""
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    timeout_s: float = 60
    """For connecting, and for every reply except the one to the content."""
    content_timeout_s: float = 600
    """For the reply to the content. Giving up early makes duplicates (RFC 5321 section 4.5.3.2.6)."""
    connections: int = 50
    letters_per_connection: int | None = None
    """Reconnect after so many letters; None: learn from the relay."""
    weight: float = 1.0
    """Its share of the letters, relative to other relays."""
    limits: Limits = field(default_factory=Limits)

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


async def connect(relay: Relay, *, tls_context: ssl.SSLContext | None = None) -> RelayConnection:
    """Open a connection that is ready for letters: TLS as configured, EHLO, and login if there is a user name.

    Certificates are verified by `tls_context`, or else by this machine's trust store. Raises RelayUnavailable with
    host, port and reason; `refused` after a 5xx reply, without a needed extension, or with an untrusted certificate.
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
    except (aiosmtplib.SMTPException, OSError, UnicodeError) as error:
        smtp.close()
        raise _connect_error(relay, error) from error
    except BaseException:
        smtp.close()
        raise
    if smtp.transport is None or smtp.transport.is_closing():
        raise RelayUnavailable(f"the relay {relay} closed the connection as soon as it was open")
    # The library is not used from here on: its protocol cannot pipeline commands.
    protocol = SmtpProtocol(cast("asyncio.Transport", smtp.transport))
    return RelayConnection(relay, protocol, parse_extensions(smtp.esmtp_extensions))


class RelayConnection:
    """An open connection that sends one letter at a time. Made by `connect`."""

    def __init__(self, relay: Relay, protocol: SmtpProtocol, extensions: ServerExtensions) -> None:
        self.relay = relay
        self.letters = 0
        """How many letters were begun on it."""
        self.is_exhausted = False
        """Whether the relay takes no more letters here: it said so, or closed before the next one began."""
        self._protocol = protocol
        self._extensions = extensions
        self._transaction_open = False
        self._accepted_at = -math.inf
        """In the loop's time: when the last letter was accepted, if none was begun since."""

    @property
    def ended_after_letter(self) -> bool:
        """Whether the relay closed the connection right after it accepted a letter."""
        return abs(self._protocol.lost_at - self._accepted_at) < _PROMPT_CLOSE_S

    @property
    def most_octets(self) -> int | None:
        """The size of the largest letter it takes (RFC 1870); None where it says none."""
        return self._extensions.max_octets

    @property
    def usable(self) -> bool:
        """Whether another letter can be tried, as far as we know."""
        return self._protocol.usable

    async def send(self, letter: Letter) -> RelayOutcome:
        """Send one letter and return its outcome.

        - A letter that the relay's extensions rule out is REFUSED without asking, with code None.
        - A connection that is lost or silent before the content was written: UNTRIED; afterwards: UNKNOWN. Both have
          code None, and the connection is not `usable` any more.
        - Otherwise the relay's reply decides.

        Raises RelayUnavailable if the connection was lost before anything was written: another one may take the
        letter, and this does not count as a try. Raises ValueError if envelope or content could be misread as
        commands; nothing was written, and the connection stays usable. Cancelling closes the connection.
        """
        protocol, extensions = self._protocol, self._extensions
        commands = envelope_commands(letter, size=extensions.size, reset=self._transaction_open)
        content = letter.content + b".\r\n" if letter.is_wire_ready else dot_stuff(letter.content)
        if (reason := unsendable_reason(letter, extensions)) is not None:
            return RelayOutcome(Verdict.REFUSED, None, reason)
        if protocol.busy:
            raise RuntimeError("this connection is busy with another letter")
        reused = self.letters > 0
        try:
            transaction = run_transaction(commands, content, extensions, self._reply_timeouts(), reused=reused)
            result = protocol.run_dialogue(transaction)
        except ConnectionError as error:
            raise RelayUnavailable(f"the connection to the relay {self.relay} was lost: {error}") from None
        self.letters, self._accepted_at = self.letters + 1, -math.inf
        try:
            outcome, self._transaction_open, close_reason, self.is_exhausted = await result
        except asyncio.CancelledError:
            protocol.abort("we gave up")
            raise
        if close_reason is not None:
            protocol.abort(close_reason)
        if outcome.verdict is Verdict.ACCEPTED:
            self._accepted_at = asyncio.get_running_loop().time()
        return outcome

    def _reply_timeouts(self) -> ReplyTimeouts:
        reply_s, content_s = self.relay.timeout_s, self.relay.content_timeout_s
        first_s = min(reply_s, NEXT_LETTER_TIMEOUT_S) if self.letters else reply_s
        return ReplyTimeouts(first_s=first_s, reply_s=reply_s, content_s=content_s)

    async def close(self) -> None:
        """Send QUIT and close; waits two seconds at most, and raises nothing if the relay is gone already.

        A letter that is being sent is cut off: its `send` returns UNTRIED or UNKNOWN.
        """
        try:
            if self.usable and not self._protocol.busy:
                await self._protocol.run_dialogue(quit_session(min(QUIT_TIMEOUT_S, self.relay.timeout_s)))
        finally:
            self._protocol.abort("we hung up")
        await self.wait_closed()

    async def wait_closed(self) -> None:
        """Wait until the connection is closed, by either side."""
        await self._protocol.closed.wait()


@cache
def _default_tls_context() -> ssl.SSLContext:
    return ssl.create_default_context()


def _connect_error(relay: Relay, error: Exception) -> RelayUnavailable:
    too_many = False
    if isinstance(reply := error.__cause__ or error, aiosmtplib.SMTPResponseException):
        too_many = is_connection_limit(reply.code, reply.message)
    text = f"the relay {relay} {_describe_error(error, relay)}"
    return RelayUnavailable(text, refused=_is_permanent(error) and not too_many, too_many_connections=too_many)


def _is_permanent(error: Exception) -> bool:
    match error.__cause__ or error:
        case aiosmtplib.SMTPResponseException() as refusal:
            return refusal.code >= 500
        case ssl.SSLCertVerificationError():
            return True
        case other:
            # The library's base class itself: the relay lacks an extension that we need (STARTTLS, AUTH).
            return type(other) is aiosmtplib.SMTPException


def _describe_error(error: Exception, relay: Relay) -> str:
    """What went wrong, as the predicate of a sentence about the relay."""
    match error.__cause__ or error:
        case aiosmtplib.SMTPAuthenticationError() as refusal:
            return one_line(f"did not accept our user name and password: {refusal.code} {refusal.message}")
        case aiosmtplib.SMTPResponseException() as refusal:
            return one_line(f"does not let us in: {refusal.code} {refusal.message}")
        case TimeoutError():
            return f"did not answer within {relay.timeout_s:g} s"
        case ssl.SSLCertVerificationError() as untrusted:
            return f"shows a certificate that we do not trust: {untrusted.verify_message}"
        case ssl.SSLError() as failure:
            return f"could not agree with us on TLS: {failure.reason}"
        case OSError(errno=int(number)) if number > 0:
            return f"cannot be reached: {os.strerror(number)}"
        case other:
            return one_line(f"cannot be used: {other}")
