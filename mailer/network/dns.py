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


_REMEMBERED = 4096
"""Answers, the empty ones too."""
_SILENT_DOMAIN, _SILENT_ALL, _ALL = 2, 6, ""
_LONGEST_REMEMBERED_S = 300
"""Whatever a record says: so that what was mended is seen, and what does not exist may come to be."""


class _Memory(dns.resolver.LRUCache):
    """Answers until they expire, but none for long."""

    def put(self, key: dns.resolver.CacheKey, value: dns.resolver.Answer) -> None:
        value.expiration = min(value.expiration, time.time() + _LONGEST_REMEMBERED_S)
        super().put(key, value)


class Silent:
    """Which domains did not answer twice in a row; after a few of them it is the DNS servers that do not."""

    def __init__(self, for_s: float) -> None:
        self._for_s = for_s
        self._missed: Counter[str] = Counter()
        self._until: dict[str, float] = {}

    def is_silent(self, name: str, now: float) -> bool:
        """Whether to ask about a name is to wait in vain; `now` in seconds on any clock."""
        return now < max(self._until.get(_domain(name), now), self._until.get(_ALL, now))

    def was_silent(self, name: str, now: float) -> None:
        """It did not answer."""
        if len(self._missed) >= _REMEMBERED:
            self._missed.clear()
            self._until.clear()
        for which, most in ((_domain(name), _SILENT_DOMAIN), (_ALL, _SILENT_ALL)):
            self._missed[which] += 1
            if self._missed[which] >= most:
                self._until[which] = now + self._for_s

    def spoke(self, name: str) -> None:
        """It did."""
        del self._missed[_domain(name)], self._missed[_ALL]


def _domain(name: str) -> str:
    """The last two labels: those below have the same servers, or servers that these name."""
    return ".".join(name.rstrip(".").lower().rsplit(".", 2)[-2:])


class Dns:
    """Asks a resolver: what does not exist is an empty answer, no answer is DnsUnavailable, naming the question.

    Servers shuffle their answers; ours are sorted. Answers are remembered for their time to live, five minutes at most.
    So is silence, for `silence_s`: who owns a domain that never answers must not keep us waiting at each of his mails.
    """

    def __init__(self, resolver: dns.asyncresolver.Resolver, *, silence_s: float = 0) -> None:
        self._resolver = resolver
        self._silent = Silent(silence_s)

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
        if self._silent.is_silent(name, now()):
            raise DnsUnavailable(f"no answer for {name} {kind}: it was silent a moment ago")
        try:
            answer = list(await self._resolver.resolve(f"{name.rstrip('.')}.", kind, search=False))
            self._silent.spoke(name)
            return answer
        except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
            self._silent.spoke(name)
            return []
        except dns.resolver.LifetimeTimeout:
            self._silent.was_silent(name, now())
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
    resolver.cache = _Memory(_REMEMBERED)
    resolver.use_edns(0, 0, _EDNS_OCTETS)
    resolver.lifetime, resolver.timeout = within_s, within_s / 3
    return Dns(resolver, silence_s=silence_s)
