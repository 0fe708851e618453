"""Reading the SPF record of a domain and everything that it includes (RFC 7208), to advise on it."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Literal

from mailer.errors import DnsUnavailable
from mailer.network.dns import Dns

MAX_LOOKUPS = 10
"""Receivers ignore a record that needs more DNS lookups (section 4.6.4)."""
_MAX_MAIL_SERVERS = 10
_GIVE_UP_AT = 30
"""After this many lookups nothing more is looked up."""
_MECHANISM = re.compile(
    r"([+?~-]?)(all|include|a|mx|ptr|ip4|ip6|exists)(?::([^/]+|[0-9a-fA-F:.]+))?((?:/\d+)?(?://\d+)?)", re.IGNORECASE
)
_MODIFIER = re.compile(r"([a-z][a-z0-9._-]*)=(.*)", re.IGNORECASE)
_RESULTS: dict[str, SpfResult] = {"+": "pass", "-": "fail", "~": "softfail", "?": "neutral"}

Network = IPv4Network | IPv6Network
SpfResult = Literal["pass", "fail", "softfail", "neutral"]


@dataclass(frozen=True, kw_only=True, slots=True)
class SpfMechanism:
    """One mechanism and what it refers to."""

    text: str
    qualifier: str
    networks: tuple[Network, ...] = ()
    included: SpfPolicy | None = None
    is_all: bool = False
    needs_mail: bool = False
    """Whether it is `exists`, `ptr` or a macro, whose networks are only known for a given mail."""


@dataclass(frozen=True, kw_only=True, slots=True)
class SpfPolicy:
    """The record of one domain."""

    domain: str
    text: str
    mechanisms: tuple[SpfMechanism, ...]
    redirect: SpfPolicy | None = None

    @property
    def default_result(self) -> SpfResult:
        """The result for addresses that no mechanism names."""
        for mechanism in self.mechanisms:
            if mechanism.is_all:
                return _RESULTS[mechanism.qualifier]
        return self.redirect.default_result if self.redirect else "neutral"


@dataclass(frozen=True, kw_only=True, slots=True)
class SpfReport:
    """The SPF records of a domain, and what is wrong with them."""

    records: tuple[str, ...]
    """More than one is an error."""
    policy: SpfPolicy | None
    """None unless there is exactly one record."""
    lookups: int
    """How many of MAX_LOOKUPS a receiver needs at most."""
    problems: tuple[str, ...]
    """In words, why receivers ignore the record (permerror)."""


async def look_up_spf(dns: Dns, domain: str, *, within_s: float = 30) -> SpfReport:
    """Read the SPF record of a domain and everything that it includes.

    Raises DnsUnavailable if a DNS query is not answered, or if all of them take longer than `within_s` seconds.
    """
    resolver = _SpfResolver(dns)
    try:
        async with asyncio.timeout(within_s):
            records = await resolver.records(domain)
            policy = await resolver.policy(domain, records[0], ()) if len(records) == 1 else None
    except TimeoutError:
        raise DnsUnavailable(f"what the SPF record of {domain} includes takes over {within_s:g} s to look up") from None
    if resolver.lookups > MAX_LOOKUPS:
        resolver.problems.append(f"it needs {resolver.lookups} DNS lookups, {MAX_LOOKUPS} is the most")
    return SpfReport(records=records, policy=policy, lookups=resolver.lookups, problems=tuple(resolver.problems))


@dataclass(slots=True)
class _SpfResolver:
    """Reads a record and everything that it includes, and counts the lookups."""

    dns: Dns
    lookups: int = 0
    problems: list[str] = field(default_factory=list)

    async def records(self, domain: str) -> tuple[str, ...]:
        texts = await self.dns.texts(domain)
        return tuple(text for text in texts if text.lower() == "v=spf1" or text.lower().startswith("v=spf1 "))

    async def policy(self, domain: str, text: str, above: tuple[str, ...]) -> SpfPolicy:
        mechanisms: list[SpfMechanism] = []
        redirect = None
        for word in text.split()[1:]:
            modifier = _MODIFIER.fullmatch(word)
            if modifier is None:
                mechanisms.append(await self._parse_mechanism(domain, word, (*above, domain)))
            elif modifier[1].lower() == "redirect":
                redirect = modifier[2]
        # A redirect is ignored beside `all` (section 6.1).
        followed = None
        if redirect and not any(mechanism.is_all for mechanism in mechanisms):
            self.lookups += 1
            followed = await self._follow(redirect, (*above, domain))
        return SpfPolicy(domain=domain, text=text, mechanisms=tuple(mechanisms), redirect=followed)

    async def _parse_mechanism(self, domain: str, word: str, above: tuple[str, ...]) -> SpfMechanism:
        found = _MECHANISM.fullmatch(word)
        if found is None:
            self.problems.append(f"{domain}: {word!r} is not known to SPF")
            return SpfMechanism(text=word, qualifier="?", needs_mail=True)
        qualifier, kind, value = found[1] or "+", found[2].lower(), found[3]
        if kind == "all":
            return SpfMechanism(text=word, qualifier=qualifier, is_all=True)
        if kind in {"ip4", "ip6"}:
            return SpfMechanism(text=word, qualifier=qualifier, networks=self._parse_network(domain, word, kind))
        self.lookups += 1
        if self.lookups > _GIVE_UP_AT or kind in {"exists", "ptr"} or "%" in (value or ""):
            return SpfMechanism(text=word, qualifier=qualifier, needs_mail=True)
        if kind == "include":
            included = await self._follow(value or "", above)
            return SpfMechanism(text=word, qualifier=qualifier, included=included, needs_mail=included is None)
        hosts = [value or domain] if kind == "a" else await self._mail_servers(value or domain)
        four, _, six = found[4].partition("//")
        lengths = {4: int(four.strip("/") or 32), 6: int(six or 128)}
        if lengths[4] > 32 or lengths[6] > 128:
            self.problems.append(f"{domain}: {word!r} is no network")
            return SpfMechanism(text=word, qualifier=qualifier)
        return SpfMechanism(text=word, qualifier=qualifier, networks=await self._resolve_networks(hosts, lengths))

    async def _follow(self, domain: str, above: tuple[str, ...]) -> SpfPolicy | None:
        """The policy of a domain that the last one in `above` includes or redirects to; None if it has none."""
        if domain.lower() in above:
            self.problems.append(f"{above[-1]} includes {domain} in a circle")
            return None
        if not domain or "%" in domain:
            return None
        records = await self.records(domain)
        if len(records) != 1:
            self.problems.append(f"{above[-1]} includes {domain}, which has {len(records) or 'no'} SPF records")
            return None
        return await self.policy(domain.lower(), records[0], above)

    async def _mail_servers(self, domain: str) -> Sequence[str]:
        hosts = [host for host in await self.dns.mail_servers(domain) if host]
        if len(hosts) > _MAX_MAIL_SERVERS:
            self.problems.append(f"{domain} has {len(hosts)} mail servers, {_MAX_MAIL_SERVERS} is the most")
        return hosts[:_MAX_MAIL_SERVERS]

    async def _resolve_networks(self, hosts: Sequence[str], lengths: dict[int, int]) -> tuple[Network, ...]:
        addresses = [address for host in hosts for address in await self.dns.addresses(host)]
        return tuple(ip_network(f"{address}/{lengths[address.version]}", strict=False) for address in addresses)

    def _parse_network(self, domain: str, word: str, kind: str) -> tuple[Network, ...]:
        try:
            network = ip_network(word.partition(":")[2], strict=False)
        except ValueError:
            network = None
        if network is None or network.version != int(kind[2]):
            self.problems.append(f"{domain}: {word!r} is no network")
            return ()
        return (network,)
