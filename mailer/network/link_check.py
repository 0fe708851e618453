"""Whether links answer: asked of public addresses only, a few at a time, redirects followed and told."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import SplitResult, urljoin, urlsplit, urlunsplit

import httptools

from mailer.errors import FetchFailed
from mailer.network.http_exchange import HttpResponse, exchange
from mailer.network.https_fetch import is_public_address

MOST_REDIRECTS = 5
_PORTS = {"https": 443, "http": 80}
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_GONE = frozenset({404, 410})
_NOT_FOR_PROGRAMS = frozenset({401, 403, 405, 406, 429, 451, 999})
"""What servers say to programs although people are shown the page."""

PortResolver = Callable[[str, int], Awaitable[Sequence[tuple[str, int]]]]
"""Resolves a host and a port to addresses and ports, none where the DNS knows no such host; raises FetchFailed."""


class LinkState(StrEnum):
    """What became of a link."""

    ANSWERS = "answers"
    MOVED = "moved"
    """It answers, but elsewhere."""
    GONE = "gone"
    """There is no such page, or no such host."""
    UNCLEAR = "unclear"
    """It did not answer us; it may answer people."""


@dataclass(frozen=True, kw_only=True, slots=True)
class LinkResult:
    """What one link answered."""

    url: str
    state: LinkState
    message: str
    """What it answered, in words: the predicate of a sentence about the link."""


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
class LinkClient:
    """Asks servers for pages, with its limits."""

    resolve: PortResolver = resolve_public
    make_ssl_context: Callable[[], ssl.SSLContext] = ssl.create_default_context
    timeout_s: float = 10
    """For one link, redirects included."""
    at_once: int = 4
    most_octets: int = 64 * 1024
    """Of one response's header."""

    async def check_many(self, urls: Sequence[str]) -> list[LinkResult]:
        """What each link answers, in their order; raises nothing for what a server does."""
        turns = asyncio.Semaphore(self.at_once)

        async def check_in_turn(url: str) -> LinkResult:
            async with turns:
                return await self.check(url)

        return list(await asyncio.gather(*map(check_in_turn, urls)))

    async def check(self, url: str) -> LinkResult:
        """What one link, http or https, answers."""
        try:
            async with asyncio.timeout(self.timeout_s):
                return await self._follow(url)
        except TimeoutError:
            problem, state = f"did not answer within {self.timeout_s:g} s", LinkState.UNCLEAR
        except FetchFailed as error:
            problem, state = str(error), LinkState.UNCLEAR
        except ssl.SSLCertVerificationError as error:
            problem, state = f"shows a certificate that is not trusted: {error.verify_message}", LinkState.UNCLEAR
        except (OSError, httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            problem, state = f"cannot be reached: {_describe(error)}", LinkState.UNCLEAR
        return LinkResult(url=url, state=state, message=problem)

    async def _follow(self, url: str) -> LinkResult:
        at = url
        for _ in range(MOST_REDIRECTS + 1):
            response = await self._ask("HEAD", at)
            if response is not None and (response.status >= 400 or response.status == 204):
                response = await self._ask("GET", at)  # many servers answer HEAD wrongly
            if response is None:
                host = urlsplit(at).hostname
                message = f"leads to {host}, which the DNS does not know"
                return LinkResult(url=url, state=LinkState.GONE, message=message)
            location = response.headers.get("location", "")
            if response.status not in _REDIRECTS or not location:
                return _result(url, at, response.status)
            at = urljoin(at, location.encode("latin-1", "replace").decode("utf-8", "replace"))
        return LinkResult(url=url, state=LinkState.UNCLEAR, message=f"redirects more than {MOST_REDIRECTS} times")

    async def _ask(self, method: str, url: str) -> HttpResponse | None:
        """The response, without its body; None if the DNS does not know the host."""
        parts = urlsplit(url)
        try:
            port = parts.port or _PORTS.get(parts.scheme, 0)
        except ValueError:
            port = 0
        if not parts.hostname or not port or parts.username is not None:
            raise FetchFailed(f"leads to {url[:200]!r}, which is no address of a page")
        host = _ascii_host(parts.hostname)
        if not (addresses := await self.resolve(host, port)):
            return None
        reader, writer = await self._connect(host, addresses, secure=parts.scheme == "https")
        request = (
            f"{method} {_request_target(parts)} HTTP/1.1\r\nHost: {_host_field(host, parts)}\r\nAccept: */*\r\n"
            "User-Agent: mailer (checks the links of a letter)\r\nConnection: close\r\n\r\n"
        )
        return await exchange(
            reader, writer, request.encode("ascii"), host=host, most_octets=self.most_octets, with_body=False
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


def _result(url: str, at: str, status: int) -> LinkResult:
    where = "" if at == url else f" after a redirect to {at[:200]}"
    if status in _GONE:
        return LinkResult(url=url, state=LinkState.GONE, message=f"answers {status}: there is no such page{where}")
    if status in _NOT_FOR_PROGRAMS:
        message = f"answers {status} to a program{where}; people may see the page"
        return LinkResult(url=url, state=LinkState.UNCLEAR, message=message)
    if status >= 400:
        return LinkResult(url=url, state=LinkState.UNCLEAR, message=f"answers {status}{where}")
    if where:
        return LinkResult(url=url, state=LinkState.MOVED, message=f"answers {status}{where}")
    return LinkResult(url=url, state=LinkState.ANSWERS, message=f"answers {status}")


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


def _describe(error: Exception) -> str:
    return str(getattr(error, "strerror", None) or error)[:200] or type(error).__name__
