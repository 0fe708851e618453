"""Looking up DNS records within seconds; a missing answer is an error, and is remembered for a while."""

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
"""Fits one packet nearly everywhere; a longer answer is fetched over TCP."""
_CACHE_SIZE = 4096
"""How many answers are cached, including empty ones."""
_MAX_DOMAIN_TIMEOUTS, _MAX_ALL_TIMEOUTS = 2, 6
"""After how many timeouts in a row a domain, or the DNS as a whole, counts as unresponsive."""
_ALL_DOMAINS = ""
_MAX_CACHE_S = 300
"""No answer is cached longer, whatever its time to live, so that a corrected or new record is seen soon."""


class _AnswerCache(dns.resolver.LRUCache):
    """Answers until they expire, for five minutes at most."""

    def put(self, key: dns.resolver.CacheKey, value: dns.resolver.Answer) -> None:
        value.expiration = min(value.expiration, time.time() + _MAX_CACHE_S)
        super().put(key, value)


class UnresponsiveDomains:
    """Domains that did not answer twice in a row; after six timeouts in a row all domains count as such."""

    def __init__(self, for_s: float) -> None:
        self._for_s = for_s
        self._timeouts: Counter[str] = Counter()
        self._until: dict[str, float] = {}

    def is_unresponsive(self, name: str, now: float) -> bool:
        """Whether a query for the name would only time out; `now` in seconds on any clock."""
        return now < max(self._until.get(_last_two_labels(name), now), self._until.get(_ALL_DOMAINS, now))

    def record_timeout(self, name: str, now: float) -> None:
        """Note that a query for the name timed out."""
        if len(self._timeouts) >= _CACHE_SIZE:
            self._timeouts.clear()
            self._until.clear()
        for domain, limit in ((_last_two_labels(name), _MAX_DOMAIN_TIMEOUTS), (_ALL_DOMAINS, _MAX_ALL_TIMEOUTS)):
            self._timeouts[domain] += 1
            if self._timeouts[domain] >= limit:
                self._until[domain] = now + self._for_s

    def record_answer(self, name: str) -> None:
        """Note that a query for the name was answered."""
        del self._timeouts[_last_two_labels(name)], self._timeouts[_ALL_DOMAINS]


def _last_two_labels(name: str) -> str:
    """The last two labels of a name: its subdomains have the same servers, or servers that these delegate to."""
    return ".".join(name.rstrip(".").lower().rsplit(".", 2)[-2:])


class Dns:
    """Looks up records: an empty answer if there are none, DnsUnavailable (naming the query) if there is no answer.

    Answers are sorted, since servers shuffle them. They are cached for their time to live, five minutes at most. An
    unresponsive domain is not asked again for `silence_s`, so that its owner cannot delay us with each of their mails.
    """

    def __init__(self, resolver: dns.asyncresolver.Resolver, *, silence_s: float = 0) -> None:
        self._resolver = resolver
        self._unresponsive = UnresponsiveDomains(silence_s)

    async def texts(self, name: str) -> tuple[str, ...]:
        """The TXT records, the strings of each joined (RFC 7208 section 3.3), with other octets than ASCII replaced."""
        records = await self._ask(name, "TXT")
        return tuple(sorted(b"".join(record.strings).decode("ascii", "replace") for record in records))

    async def addresses(self, name: str, only: Literal[4, 6] | None = None) -> tuple[IpAddress, ...]:
        """The addresses in the A records, then those in the AAAA records; or only those of one IP version."""
        four = await self._ask(name, "A") if only != 6 else ()
        six = await self._ask(name, "AAAA") if only != 4 else ()
        return (
            *sorted(IPv4Address(record.address) for record in four),
            *sorted(IPv6Address(record.address) for record in six),
        )

    async def mail_servers(self, name: str) -> tuple[str, ...]:
        """The hosts in the MX records, most preferred first, without the final dot; "" for a null MX (RFC 7505)."""
        records = sorted(await self._ask(name, "MX"), key=lambda record: (record.preference, str(record.exchange)))
        return tuple(record.exchange.to_text(omit_final_dot=True).lower().removesuffix(".") for record in records)

    async def names(self, address: IpAddress) -> tuple[str, ...]:
        """The host names in the PTR records of an address, without the final dot."""
        records = await self._ask(dns.reversename.from_address(str(address)).to_text(), "PTR")
        return tuple(sorted(record.target.to_text(omit_final_dot=True).lower() for record in records))

    async def _ask(self, name: str, kind: str) -> Sequence[Any]:
        now = asyncio.get_running_loop().time
        if self._unresponsive.is_unresponsive(name, now()):
            raise DnsUnavailable(f"no answer for {name} {kind}: it did not answer a moment ago")
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
        except (dns.exception.DNSException, OSError) as error:
            raise DnsUnavailable(f"{name} {kind} cannot be looked up: {error}") from None


def open_dns(servers: Sequence[tuple[str, int]] = (), *, within_s: float = 6, silence_s: float = 0) -> Dns:
    """A `Dns` that uses these servers (address, port), or else those that this machine is configured with.

    Each query is given up after `within_s` seconds; an unresponsive domain is not asked again for `silence_s` seconds.
    Raises DnsUnavailable if no servers are given and none are configured.
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
