"""The client of a request: the peer, or the address that a trusted proxy names in X-Forwarded-For."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Sequence

from starlette.types import ASGIApp, Receive, Scope, Send

from mailer.entrypoints.smtp.connection_limits import Network, is_in_networks, parse_networks

_LOOPBACK = ("127.0.0.1", "::1")
_BRACKETED = re.compile(r"\[([^\]]*)\](?::\d{1,5})?")
_V4_WITH_PORT = re.compile(r"([0-9.]+):\d{1,5}")


class ForwardedFor:
    """ASGI middleware that takes the client's address from X-Forwarded-For, if a trusted proxy wrote it.

    No other field is read. Most proxies that write X-Forwarded-For pass `Forwarded` (RFC 7239), X-Real-IP and similar
    fields on unchanged, so any client could forge them. X-Forwarded-Proto and -Host are not needed: every link comes
    from the settings.
    """

    def __init__(self, app: ASGIApp, trusted_proxies: Sequence[str]) -> None:
        self.app = app
        # Behind a CDN there is usually a proxy on this machine as well, which is trusted without being named.
        self.trusted = parse_networks((*trusted_proxies, *_LOOPBACK)) if trusted_proxies else ()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Replace the peer in the scope by the client."""
        if scope["type"] == "http" and scope.get("client"):
            peer, port = scope["client"]
            forwarded_for = [value.decode("latin-1") for name, value in scope["headers"] if name == b"x-forwarded-for"]
            scope = {**scope, "client": (client_address(peer, forwarded_for, self.trusted), port)}
        await self.app(scope, receive, send)


def client_address(peer: str, forwarded_for: Iterable[str], trusted: tuple[Network, ...]) -> str:
    """The right-most address that is not a trusted proxy's, from the peer leftwards through X-Forwarded-For.

    Each proxy appends the address that called it, so what stands left of an untrusted address may be forged. If a
    trusted proxy names no valid address, the client is that proxy. If all are trusted, it is the left-most: a request
    from our own network.
    """
    client = _parse_element(peer) or peer
    elements = [element.strip() for field in forwarded_for for element in field.split(",")]
    for element in reversed([element for element in elements if element]):
        if not is_in_networks(client, trusted) or (before := _parse_element(element)) is None:
            break
        client = before
    return client


def _parse_element(element: str) -> str | None:
    """The IP address in one element of X-Forwarded-For, without brackets, port, quotes and zone; None if invalid."""
    element = element.strip().strip('"')
    match = _BRACKETED.fullmatch(element) or _V4_WITH_PORT.fullmatch(element)
    try:
        address = ipaddress.ip_address((match[1] if match else element).partition("%")[0])
    except ValueError:
        return None
    return str(getattr(address, "ipv4_mapped", None) or address)
