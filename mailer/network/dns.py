"""Questions to the DNS: answered within seconds, or told to be unanswered."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv6Address
from typing import Any, Literal

import dns.asyncresolver
import dns.exception
import dns.name
import dns.nameserver
import dns.resolver
import dns.reversename

from mailer.errors import DnsUnavailable

IpAddress = IPv4Address | IPv6Address

_EDNS_OCTETS = 1232
"""Fits one packet nearly everywhere; a longer answer is asked for again by TCP."""


_CACHE_SIZE = 4096
"""Answers, the empty ones too."""
_MAX_DOMAIN_TIMEOUTS, _MAX_ALL_TIMEOUTS, _ALL_DOMAINS = 2, 6, ""
_MAX_CACHE_S = 300
"""Whatever a record says: so that what was mended is seen, and what does not exist may come to be."""


class _AnswerCache(dns.resolver.LRUCache):
    """Answers until they expire, but none for long."""

    def put(self, key: dns.resolver.CacheKey, value: dns.resolver.Answer) -> None:
        value.expiration = min(value.expiration, time.time() + _MAX_CACHE_S)
        super().put(key, value)


class UnresponsiveDomains:
    """Which domains did not answer twice in a row; after a few of them it is the DNS servers that do not."""

    def __init__(self, for_s: float) -> None:
        self._for_s = for_s
        self._timeouts: Counter[str] = Counter()
        self._until: dict[str, float] = {}

    def is_unresponsive(self, name: str, now: float) -> bool:
        """Whether to ask about a name is to wait in vain; `now` in seconds on any clock."""
        return now < max(self._until.get(_last_two_labels(name), now), self._until.get(_ALL_DOMAINS, now))

    def record_timeout(self, name: str, now: float) -> None:
        """It did not answer."""
        if len(self._timeouts) >= _CACHE_SIZE:
            self._timeouts.clear()
            self._until.clear()
        for which, most in ((_last_two_labels(name), _MAX_DOMAIN_TIMEOUTS), (_ALL_DOMAINS, _MAX_ALL_TIMEOUTS)):
            self._timeouts[which] += 1
            if self._timeouts[which] >= most:
                self._until[which] = now + self._for_s

    def record_answer(self, name: str) -> None:
        """It did."""
        del self._timeouts[_last_two_labels(name)], self._timeouts[_ALL_DOMAINS]


def _last_two_labels(name: str) -> str:
    """The last two labels: those below have the same servers, or servers that these name."""
    return ".".join(name.rstrip(".").lower().rsplit(".", 2)[-2:])


class Dns:
    """Asks a resolver: what does not exist is an empty answer, no answer is DnsUnavailable, naming the question.

    Servers shuffle their answers; ours are sorted. Answers are remembered for their time to live, five minutes at most.
    So is silence, for `silence_s`: who owns a domain that never answers must not keep us waiting at each of his mails.
    """

    def __init__(self, resolver: dns.asyncresolver.Resolver, *, silence_s: float = 0) -> None:
        self._resolver = resolver
        self._unresponsive = UnresponsiveDomains(silence_s)

    async def texts(self, name: str) -> tuple[str, ...]:
        """The TXT records; the strings of each are joined (RFC 7208 section 3.3), octets beyond ASCII replaced."""
        records = await self._ask(name, "TXT")
        return tuple(sorted(b"".join(record.strings).decode("ascii", "replace") for record in records))

    async def addresses(self, name: str, only: Literal[4, 6] | None = None) -> tuple[IpAddress, ...]:
        """The A records, then the AAAA records; or only those of one version."""
        four = await self._ask(name, "A") if only != 6 else ()
        six = await self._ask(name, "AAAA") if only != 4 else ()
        return (
            *sorted(IPv4Address(record.address) for record in four),
            *sorted(IPv6Address(record.address) for record in six),
        )

    async def mail_servers(self, name: str) -> tuple[str, ...]:
        """The hosts of the MX records, best first, without the last dot; "" is a null MX (RFC 7505)."""
        records = sorted(await self._ask(name, "MX"), key=lambda record: (record.preference, str(record.exchange)))
        return tuple(record.exchange.to_text(omit_final_dot=True).lower().removesuffix(".") for record in records)

    async def names(self, address: IpAddress) -> tuple[str, ...]:
        """The PTR records of an address: host names without the last dot."""
        records = await self._ask(dns.reversename.from_address(str(address)).to_text(), "PTR")
        return tuple(sorted(record.target.to_text(omit_final_dot=True).lower() for record in records))

    async def _ask(self, name: str, kind: str) -> Sequence[Any]:
        now = asyncio.get_running_loop().time
        if self._unresponsive.is_unresponsive(name, now()):
            raise DnsUnavailable(f"no answer for {name} {kind}: it was silent a moment ago")
        try:
            answer = list(await self._resolver.resolve(f"{name.rstrip('.')}.", kind, search=False))
            self._unresponsive.record_answer(name)
            return answer
        except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
            self._unresponsive.record_answer(name)
            return []
        except dns.resolver.LifetimeTimeout:
            self._unresponsive.record_timeout(name, now())
            raise DnsUnavailable(f"no answer for {name} {kind} within {self._resolver.lifetime:g} s") from None
        except dns.resolver.NoNameservers:
            raise DnsUnavailable(f"the DNS servers failed to answer {name} {kind}") from None
        except (dns.exception.DNSException, OSError) as trouble:
            raise DnsUnavailable(f"{name} {kind} cannot be asked for: {trouble}") from None


def open_dns(servers: Sequence[tuple[str, int]] = (), *, within_s: float = 6, silence_s: float = 0) -> Dns:
    """Ask these servers (address, port), or this machine's; each question is given up after `within_s` seconds, and
    what was silent is not asked again for `silence_s`.

    DnsUnavailable where none is given and this machine knows none.
    """
    try:
        resolver = dns.asyncresolver.Resolver(configure=not servers)
    except dns.resolver.NoResolverConfiguration:
        raise DnsUnavailable("this machine has no DNS servers configured; name some in settings.toml, [dns]") from None
    if servers:
        resolver.nameservers = [dns.nameserver.Do53Nameserver(host, port) for host, port in servers]
    resolver.cache = _AnswerCache(_CACHE_SIZE)
    resolver.use_edns(0, 0, _EDNS_OCTETS)
    resolver.lifetime, resolver.timeout = within_s, within_s / 3
    return Dns(resolver, silence_s=silence_s)
