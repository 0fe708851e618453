"""SourceClient: fetches the page that says it links to one of ours, from public addresses only, within limits."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

import httptools

from mailer.errors import FetchFailed
from mailer.network.page_request import PageClient, PortResolver, redirect_target, resolve_public

MOST_REDIRECTS = 5
_TRANSIENT = frozenset({408, 425, 429})


class SourceState(StrEnum):
    """What became of a request for a source."""

    FOUND = "found"
    GONE = "gone"
    """There is no such page, or it is not for us."""
    UNAVAILABLE = "unavailable"
    """It could not be had now."""


@dataclass(frozen=True, kw_only=True, slots=True)
class FetchedSource:
    """A source page, or why there is none."""

    state: SourceState
    url: str = ""
    """Where it was found, after redirects."""
    content_type: str = ""
    content: bytes = b""
    reason: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class SourceClient:
    """How sources are fetched, with limits."""

    resolve: PortResolver = resolve_public
    make_ssl_context: Callable[[], ssl.SSLContext] = ssl.create_default_context
    timeout_s: float = 10
    """For one source, redirects included."""
    most_octets: int = 1024 * 1024
    """Of one response, header included."""

    async def fetch(self, url: str) -> FetchedSource:
        """The page at `url`, redirects followed; raises nothing for what a server does."""
        try:
            async with asyncio.timeout(self.timeout_s):
                return await self._follow(url)
        except TimeoutError:
            reason = f"did not answer within {self.timeout_s:g} s"
        except FetchFailed as error:
            reason = str(error)
        except (OSError, httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            reason = f"cannot be reached: {error}"[:200]
        return FetchedSource(state=SourceState.UNAVAILABLE, reason=reason)

    async def _follow(self, url: str) -> FetchedSource:
        client = PageClient(
            purpose="checks a Webmention",
            resolve=self.resolve,
            make_ssl_context=self.make_ssl_context,
            most_octets=self.most_octets,
        )
        at = url
        for _ in range(MOST_REDIRECTS + 1):
            response = await client.ask("GET", at, with_body=True)
            if response is None:
                return FetchedSource(state=SourceState.UNAVAILABLE, reason="leads to a host that the DNS does not know")
            if (onward := redirect_target(at, response)) is not None:
                at = onward
                continue
            if response.status == 200:
                kind = response.headers.get("content-type", "")
                return FetchedSource(state=SourceState.FOUND, url=at, content_type=kind, content=response.body)
            is_over = 400 <= response.status < 500 and response.status not in _TRANSIENT
            state = SourceState.GONE if is_over else SourceState.UNAVAILABLE
            return FetchedSource(state=state, reason=f"answers {response.status}")
        return FetchedSource(state=SourceState.UNAVAILABLE, reason=f"redirects more than {MOST_REDIRECTS} times")
