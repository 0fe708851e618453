"""HttpsClient: fetches small files over HTTPS from one named host at a public address, without redirects."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import ssl
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

import httptools

from mailer.errors import FetchFailed
from mailer.network.http_exchange import exchange

Resolver = Callable[[str], Awaitable[Sequence[tuple[str, int]]]]
"""Resolves a host to addresses and ports, the best first; raises FetchFailed."""

_HTTPS = 443
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
_GLOBAL_UNICAST = ipaddress.IPv6Network("2000::/3")
"""All IPv6 addresses that are given out for hosts of the internet (RFC 4291)."""


async def resolve_public_host(host: str) -> Sequence[tuple[str, int]]:
    """Resolve a host to its addresses. Raises FetchFailed unless all are public: no DNS may lead into our network."""
    try:
        results = await asyncio.get_running_loop().getaddrinfo(host, _HTTPS, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise FetchFailed(f"{host} cannot be resolved: {error}") from None
    addresses = [str(address[0]) for *_, address in results]
    if not addresses or not all(map(is_public_address, addresses)):
        raise FetchFailed(f"{host} is not at a public address")
    return [(address, _HTTPS) for address in addresses]


def is_public_address(address: str) -> bool:
    """Whether a server at this IP address is one of the internet: not ours, and no group.

    An IPv6 address that a gateway takes for an IPv4 address is as public as that one (RFC 6052, RFC 3056).
    """
    parsed = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(parsed, ipaddress.IPv6Address):
        if parsed in _NAT64:
            parsed = ipaddress.IPv4Address(parsed.packed[-4:])
        elif parsed.sixtofour is not None:
            parsed = parsed.sixtofour
        elif parsed not in _GLOBAL_UNICAST:
            return False
    return parsed.is_global and not parsed.is_multicast


@dataclass(frozen=True, kw_only=True, slots=True)
class HttpsClient:
    """A client with its limits."""

    resolve: Resolver = resolve_public_host
    make_ssl_context: Callable[[], ssl.SSLContext] = ssl.create_default_context
    """Makes the TLS context, and so decides which certificates are trusted."""
    timeout_s: float = 10
    """For the whole request."""
    most_octets: int = 64 * 1024
    """Of the response, header included."""

    async def get(self, url: str, host: str) -> bytes:
        """The body of `url`, which must be on `host`. Raises FetchFailed unless the response is a complete 200."""
        parts = urlsplit(url)
        if parts.scheme != "https" or parts.netloc != host:
            raise FetchFailed(f"{url[:200]!r} is not at https://{host}")
        path = parts.path + (f"?{parts.query}" if parts.query else "")
        try:
            async with asyncio.timeout(self.timeout_s):
                return await self._get(host, path or "/")
        except TimeoutError:
            raise FetchFailed(f"{host} did not answer within {self.timeout_s:g} s") from None
        except (OSError, httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            raise FetchFailed(f"{host} cannot be reached: {error}") from None

    async def _get(self, host: str, path: str) -> bytes:
        request = (
            f"GET {path} HTTP/1.1\r\nHost: {host}\r\nAccept: */*\r\nUser-Agent: mailer\r\nConnection: close\r\n\r\n"
        )
        reader, writer = await self._connect(host)
        response = await exchange(reader, writer, request.encode("ascii"), host=host, most_octets=self.most_octets)
        if response.status != 200:
            raise FetchFailed(f"{host} answers {response.status}")
        return response.body

    async def _connect(self, host: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        ssl_context = self.make_ssl_context()
        last_error: OSError | None = None
        for address, port in await self.resolve(host):
            try:
                return await asyncio.open_connection(address, port, ssl=ssl_context, server_hostname=host)
            except OSError as failed:
                last_error = failed
        raise last_error or FetchFailed(f"{host} has no address")
