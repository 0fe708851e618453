"""HttpsClient: fetches small files over HTTPS from one named host at a public address, without redirects."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import ssl
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import httptools

from mailer.errors import FetchFailed

Resolver = Callable[[str], Awaitable[Sequence[tuple[str, int]]]]
"""Resolves a host to addresses and ports, the best first; raises FetchFailed."""

_HTTPS = 443
_READ_OCTETS = 16 * 1024


async def resolve_public_host(host: str) -> Sequence[tuple[str, int]]:
    """Resolve a host to its addresses. Raises FetchFailed unless all are public: no DNS may lead into our network."""
    try:
        results = await asyncio.get_running_loop().getaddrinfo(host, _HTTPS, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise FetchFailed(f"{host} cannot be resolved: {error}") from None
    addresses = [str(address[0]) for *_, address in results]
    if not addresses or not all(map(_is_public, addresses)):
        raise FetchFailed(f"{host} is not at a public address")
    return [(address, _HTTPS) for address in addresses]


def _is_public(address: str) -> bool:
    parsed = ipaddress.ip_address(address.partition("%")[0])
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
        reader, writer = await self._connect(host)
        try:
            writer.write(
                f"GET {path} HTTP/1.1\r\nHost: {host}\r\nAccept: */*\r\nUser-Agent: mailer\r\n"
                "Connection: close\r\n\r\n".encode("ascii")
            )
            response = _ResponseReader()
            parser = httptools.HttpResponseParser(response)
            octets_read = 0
            while not response.complete:
                octets = await reader.read(_READ_OCTETS)
                octets_read += len(octets)
                if not octets or octets_read > self.most_octets:
                    raise FetchFailed(f"{host} {'answers too much' if octets else 'closed the connection too early'}")
                parser.feed_data(octets)
        finally:
            writer.transport.abort()
        if (status := parser.get_status_code()) != 200:
            raise FetchFailed(f"{host} answers {status}")
        return bytes(response.body)

    async def _connect(self, host: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        ssl_context = self.make_ssl_context()
        last_error: OSError | None = None
        for address, port in await self.resolve(host):
            try:
                return await asyncio.open_connection(address, port, ssl=ssl_context, server_hostname=host)
            except OSError as failed:
                last_error = failed
        raise last_error or FetchFailed(f"{host} has no address")


@dataclass(slots=True)
class _ResponseReader:
    """Collects what httptools parses."""

    body: bytearray = field(default_factory=bytearray)
    complete: bool = False

    def on_body(self, octets: bytes) -> None:
        self.body += octets

    def on_message_complete(self) -> None:
        self.complete = True
