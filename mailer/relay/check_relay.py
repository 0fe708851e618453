"""Check that a relay answers, takes our login and letters of our size; nothing is sent."""

from __future__ import annotations

from dataclasses import replace

from mailer.domain.health_check import HealthCheck, fail, ok
from mailer.errors import RelayUnavailable
from mailer.relay.smtp_connection import Relay, connect

_TIMEOUT_S = 10


async def check_relay(relay: Relay, letter_octets: int = 0) -> HealthCheck:
    """Connect, and hang up. `letter_octets` is the size of the largest letter that is to be sent (RFC 1870)."""
    check = f"relay {relay}"
    try:
        connection = await connect(replace(relay, timeout_s=_TIMEOUT_S))
    except RelayUnavailable as error:
        return fail(check, str(error), "See [[relay]]: host, port, tls, username, password_file; is it running?")
    await connection.close()
    if (most := connection.most_octets) is not None and letter_octets > most:
        remedy = "Make attachments and pictures smaller, or ask who runs the relay for more."
        return fail(check, f"takes letters of {most} octets at most, and this one has {letter_octets}", remedy)
    security = {"none": "without TLS", "starttls": "with STARTTLS", "tls": "with TLS"}[relay.tls]
    login = f", and takes the login of {relay.username}" if relay.username else ""
    return ok(check, f"answers {security}{login}; nothing was sent")
