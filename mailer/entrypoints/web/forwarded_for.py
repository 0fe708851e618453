"""Who is at the other end of a request: the address of the peer, or the one that a trusted proxy forwards for."""

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
    """ASGI middleware: the client of a request is whom our proxies name in X-Forwarded-For, and nobody else's word.

    No other field is read. `Forwarded` (RFC 7239), X-Real-IP and their kin are handed on untouched by most proxies that
    write X-Forwarded-For, so that anybody could write into them; X-Forwarded-Proto and -Host change nothing, for
    every link comes from the settings.
    """

    def __init__(self, app: ASGIApp, trusted_proxies: Sequence[str]) -> None:
        self.app = app
        # Whoever names a CDN has a proxy on this machine as well, as a rule, which must not be shut out by that.
        self.trusted = parse_networks((*trusted_proxies, *_LOOPBACK)) if trusted_proxies else ()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Put the client's address into the scope."""
        if scope["type"] == "http" and scope.get("client"):
            peer, port = scope["client"]
            forwarded_for = [value.decode("latin-1") for name, value in scope["headers"] if name == b"x-forwarded-for"]
            scope = {**scope, "client": (client_address(peer, forwarded_for, self.trusted), port)}
        await self.app(scope, receive, send)


def client_address(peer: str, forwarded_for: Iterable[str], trusted: tuple[Network, ...]) -> str:
    """The right-most address that is not a trusted proxy's, from the peer leftwards through X-Forwarded-For.

    Each proxy appends the address that it was called from, so what stands left of that one may be invented. Where a
    trusted proxy names nobody, or what it says is no address, the client is that proxy; where all are trusted, it
    is the left-most: a request from within.
    """
    client = _parse_element(peer) or peer
    elements = [element.strip() for field in forwarded_for for element in field.split(",")]
    for element in reversed([element for element in elements if element]):
        if not is_in_networks(client, trusted) or (before := _parse_element(element)) is None:
            break
        client = before
    return client


def _parse_element(element: str) -> str | None:
    """The address in one element of X-Forwarded-For, without brackets, port, quotes or zone; None if there is none."""
    element = element.strip().strip('"')
    found = _BRACKETED.fullmatch(element) or _V4_WITH_PORT.fullmatch(element)
    try:
        address = ipaddress.ip_address((found[1] if found else element).partition("%")[0])
    except ValueError:
        return None
    return str(getattr(address, "ipv4_mapped", None) or address)
