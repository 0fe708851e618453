"""Whether links answer: asked of public addresses only, a few at a time, redirects followed and told."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import urlsplit

import httptools

from mailer.errors import FetchFailed
from mailer.network.http_exchange import HttpResponse
from mailer.network.page_request import PageClient, PortResolver, redirect_target, resolve_public

MOST_REDIRECTS = 5
_GONE = frozenset({404, 410})
_NOT_FOR_PROGRAMS = frozenset({401, 403, 405, 406, 429, 451, 999})
"""What servers say to programs although people are shown the page."""


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
            if (onward := redirect_target(at, response)) is None:
                return _result(url, at, response.status)
            at = onward
        return LinkResult(url=url, state=LinkState.UNCLEAR, message=f"redirects more than {MOST_REDIRECTS} times")

    async def _ask(self, method: str, url: str) -> HttpResponse | None:
        """The response, without its body; None if the DNS does not know the host."""
        asking = PageClient(
            purpose="checks the links of a letter",
            resolve=self.resolve,
            make_ssl_context=self.make_ssl_context,
            most_octets=self.most_octets,
        )
        return await asking.ask(method, url, with_body=False)


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


def _describe(error: Exception) -> str:
    return str(getattr(error, "strerror", None) or error)[:200] or type(error).__name__
