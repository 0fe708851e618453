"""What SpamAssassin (the protocol of spamd) and rspamd (/checkv2) say of a letter."""

from __future__ import annotations

import asyncio
import json
import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import httptools

from mailer.errors import FetchFailed
from mailer.mail.message.letter import Letter
from mailer.network.http_exchange import exchange

TIMEOUT_S = 30
"""SpamAssassin asks the DNS, too."""
_MOST_OCTETS = 512 * 1024
_SPAM = re.compile(rb"^Spam:\s*(\w+)\s*;\s*(-?\d+(?:\.\d+)?)\s*/\s*(-?\d+(?:\.\d+)?)", re.IGNORECASE | re.MULTILINE)
_RULE = re.compile(r"^\*?\s*(-?\d+\.\d+)\s+([A-Z][A-Z0-9_]{2,})\s+(.*)$", re.MULTILINE)


@dataclass(frozen=True, kw_only=True, slots=True)
class SpamRule:
    """One rule that a spam filter applied."""

    name: str
    points: float
    description: str


@dataclass(frozen=True, kw_only=True, slots=True)
class SpamVerdict:
    """What a spam filter says of a letter."""

    filter: str
    """Its name, "SpamAssassin" or "rspamd"."""
    score: float
    limit: float
    """From this score on it takes a letter for spam."""
    rules: tuple[SpamRule, ...]
    """The gravest first."""

    @property
    def is_spam(self) -> bool:
        """Whether it takes the letter for spam."""
        return self.score >= self.limit


async def ask_spamassassin(host: str, port: int, letter: Letter, *, timeout_s: float = TIMEOUT_S) -> SpamVerdict:
    """What spamd says (SPAMC protocol 1.5, REPORT). Raises FetchFailed, which says why there is no answer."""
    who = f"SpamAssassin at {host}:{port}"
    request = b"REPORT SPAMC/1.5\r\nContent-length: %d\r\n\r\n" % len(letter.content) + letter.content
    try:
        async with asyncio.timeout(timeout_s):
            reader, writer = await asyncio.open_connection(host, port)
            try:
                writer.write(request)
                writer.write_eof()
                answer = await _read_all(reader, who)
            finally:
                writer.transport.abort()
    except TimeoutError:
        raise FetchFailed(f"{who} did not answer within {timeout_s:g} s") from None
    except OSError as error:
        raise FetchFailed(f"{who} cannot be reached: {error.strerror or error}") from None
    return parse_spamd_answer(answer, who)


async def _read_all(reader: asyncio.StreamReader, who: str) -> bytes:
    octets = b""
    while more := await reader.read(64 * 1024):
        octets += more
        if len(octets) > _MOST_OCTETS:
            raise FetchFailed(f"{who} answers too much")
    return octets


def parse_spamd_answer(answer: bytes, who: str) -> SpamVerdict:
    """The verdict in an answer to REPORT. Raises FetchFailed for any other answer."""
    head, _, body = answer.partition(b"\r\n\r\n")
    status = head.split(b"\r\n", 1)[0].split()
    found = _SPAM.search(head)
    if len(status) < 2 or not status[0].startswith(b"SPAMD/") or status[1] != b"0" or found is None:
        said = head.split(b"\r\n", 1)[0][:100].decode("ascii", "replace")
        raise FetchFailed(f"{who} does not answer as spamd does: {said!r}")
    table = body.decode("utf-8", "replace").partition("pts rule name")[2]
    rules = [SpamRule(name=name, points=float(points), description=text) for points, name, text in _RULE.findall(table)]
    return SpamVerdict(filter="SpamAssassin", score=float(found[2]), limit=float(found[3]), rules=_gravest_first(rules))


async def ask_rspamd(url: str, letter: Letter, *, timeout_s: float = TIMEOUT_S) -> SpamVerdict:
    """What rspamd says (POST /checkv2). Raises FetchFailed, which says why there is no answer."""
    parts = urlsplit(url)
    host, secure = parts.hostname or "", parts.scheme == "https"
    who = f"rspamd at {url}"
    request = (
        f"POST {parts.path}/checkv2 HTTP/1.1\r\nHost: {parts.netloc.rpartition('@')[2]}\r\n"
        f"From: {letter.return_path}\r\nRcpt: {letter.recipient}\r\nContent-Length: {len(letter.content)}\r\n"
        "User-Agent: mailer\r\nConnection: close\r\n\r\n"
    )
    try:
        async with asyncio.timeout(timeout_s):
            port = parts.port or (443 if secure else 80)
            reader, writer = await asyncio.open_connection(host, port, ssl=True if secure else None)
            octets = request.encode("ascii", "replace") + letter.content
            response = await exchange(reader, writer, octets, host=who, most_octets=_MOST_OCTETS)
    except TimeoutError:
        raise FetchFailed(f"{who} did not answer within {timeout_s:g} s") from None
    except (OSError, httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
        raise FetchFailed(f"{who} cannot be reached: {error}") from None
    if response.status != 200:
        raise FetchFailed(f"{who} answers {response.status}")
    return parse_rspamd_answer(response.body, who)


def parse_rspamd_answer(body: bytes, who: str) -> SpamVerdict:
    """The verdict in the JSON of /checkv2. Raises FetchFailed for anything else."""
    try:
        found: Any = json.loads(body)
        score, limit = float(found["score"]), float(found["required_score"])
        rules = [
            SpamRule(name=str(name), points=float(one["score"]), description=str(one.get("description") or ""))
            for name, one in dict(found.get("symbols") or {}).items()
        ]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise FetchFailed(f"{who} does not answer as /checkv2 does") from None
    return SpamVerdict(filter="rspamd", score=score, limit=limit, rules=_gravest_first(rules))


def _gravest_first(rules: list[SpamRule]) -> tuple[SpamRule, ...]:
    return tuple(sorted(rules, key=lambda one: (-one.points, one.name)))
