"""PageClient: asks a server of the internet for a page, http or https, without following redirects."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from urllib.parse import SplitResult, urljoin, urlsplit, urlunsplit

from mailer.errors import FetchFailed
from mailer.network.http_exchange import HttpResponse, exchange
from mailer.network.https_fetch import is_public_address

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_PORTS = {"https": 443, "http": 80}

PortResolver = Callable[[str, int], Awaitable[Sequence[tuple[str, int]]]]
"""Resolves a host and a port to addresses and ports, none where the DNS knows no such host; raises FetchFailed."""


async def resolve_public(host: str, port: int) -> Sequence[tuple[str, int]]:
    """The addresses of a host; none if there is no such host.

    Raises FetchFailed unless all are public: no link may lead into our network.
    """
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except socket.gaierror as error:
        if error.errno in {socket.EAI_NONAME, getattr(socket, "EAI_NODATA", socket.EAI_NONAME)}:
            return []
        raise FetchFailed(f"leads to {host}, which cannot be looked up now") from None
    except (OSError, UnicodeError):
        raise FetchFailed(f"leads to {host}, which cannot be looked up now") from None
    addresses = list(dict.fromkeys(str(address[0]) for *_, address in found))
    if not all(map(is_public_address, addresses)):
        raise FetchFailed(f"leads to {host}, which is not at a public address")
    return [(address, port) for address in addresses]


@dataclass(frozen=True, kw_only=True, slots=True)
class PageClient:
    """How pages are asked for, with limits."""

    purpose: str
    """What for, in a few ASCII words: servers are told."""
    resolve: PortResolver = resolve_public
    make_ssl_context: Callable[[], ssl.SSLContext] = ssl.create_default_context
    most_octets: int = 64 * 1024
    """Of one response, header included."""

    async def ask(self, method: str, url: str, *, with_body: bool) -> HttpResponse | None:
        """The response; None if the DNS does not know the host.

        Raises FetchFailed, whose message is the predicate of a sentence about the link, and OSError or an error of
        httptools for a server that cannot be reached or does not speak HTTP.
        """
        parts, port = _split(url)
        if not parts.hostname or not port or parts.username is not None:
            raise FetchFailed(_no_address(url))
        host = _ascii_host(parts.hostname)
        if not (addresses := await self.resolve(host, port)):
            return None
        reader, writer = await self._connect(host, addresses, secure=parts.scheme == "https")
        request = (
            f"{method} {_request_target(parts)} HTTP/1.1\r\nHost: {_host_field(host, parts)}\r\nAccept: */*\r\n"
            f"User-Agent: mailer ({self.purpose})\r\nConnection: close\r\n\r\n"
        )
        return await exchange(
            reader, writer, request.encode("ascii"), host=host, most_octets=self.most_octets, with_body=with_body
        )

    async def _connect(
        self, host: str, addresses: Sequence[tuple[str, int]], *, secure: bool
    ) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        context, name = (self.make_ssl_context(), host) if secure else (None, None)
        last_error: OSError | None = None
        # The addresses that were looked at are connected to: a second answer of the DNS changes nothing.
        for address, port in addresses:
            try:
                return await asyncio.open_connection(address, port, ssl=context, server_hostname=name)
            except OSError as failed:
                last_error = failed
        raise last_error or FetchFailed(f"{host} has no address")


def redirect_target(url: str, response: HttpResponse) -> str | None:
    """Where the response to a request for `url` leads on to; None if it does not. Raises FetchFailed for no URL."""
    location = response.headers.get("location", "").encode("latin-1", "replace").decode("utf-8", "replace")
    if response.status not in _REDIRECTS or not location:
        return None
    try:
        return urljoin(url, location)
    except ValueError:
        raise FetchFailed(_no_address(location)) from None


def _split(url: str) -> tuple[SplitResult, int]:
    """The parts of a URL, and its port. Raises FetchFailed for what is none, such as `http://[`."""
    try:
        parts = urlsplit(url)
        return parts, parts.port or _PORTS.get(parts.scheme, 0)
    except ValueError:
        raise FetchFailed(_no_address(url)) from None


def _no_address(url: str) -> str:
    return f"leads to {url[:200]!r}, which is no address of a page"


def _ascii_host(host: str) -> str:
    try:
        return host.encode("idna").decode("ascii")
    except UnicodeError:
        raise FetchFailed(f"leads to {host!r}, which is no host name") from None


def _host_field(host: str, parts: SplitResult) -> str:
    name = f"[{host}]" if ":" in host else host
    return f"{name}:{parts.port}" if parts.port not in {None, _PORTS[parts.scheme]} else name


def _request_target(parts: SplitResult) -> str:
    """Path and query in ASCII, without anything that could end the line."""
    target = urlunsplit(("", "", parts.path or "/", parts.query, ""))
    return "".join(
        one if "!" <= one <= "~" else "".join(f"%{octet:02X}" for octet in one.encode("utf-8", "replace"))
        for one in target
    )
