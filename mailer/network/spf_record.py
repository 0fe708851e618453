"""SPF (RFC 7208): which addresses may send for a domain, read from its records as far as that needs no mail."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Literal

from mailer.errors import DnsUnavailable
from mailer.network.dns import Dns, IpAddress

MAX_LOOKUPS = 10
"""Section 4.6.4: a record that needs more is an error to receivers."""
_MAX_MAIL_SERVERS = 10
_GIVE_UP_AT = 30
"""Lookups after which we stop counting."""
_TERM = re.compile(
    r"([+?~-]?)(all|include|a|mx|ptr|ip4|ip6|exists)(?::([^/]+|[0-9a-fA-F:.]+))?((?:/\d+)?(?://\d+)?)", re.IGNORECASE
)
_MODIFIER = re.compile(r"([a-z][a-z0-9._-]*)=(.*)", re.IGNORECASE)
_RESULTS: dict[str, SpfResult] = {"+": "pass", "-": "fail", "~": "softfail", "?": "neutral"}

Network = IPv4Network | IPv6Network
SpfResult = Literal["pass", "fail", "softfail", "neutral", "unknown"]
"""`unknown`: it depends on something that only a mail on its way shows."""


@dataclass(frozen=True, kw_only=True, slots=True)
class SpfMechanism:
    """One mechanism with what it was resolved to."""

    text: str
    qualifier: str
    networks: tuple[Network, ...] = ()
    included: SpfPolicy | None = None
    is_all: bool = False
    needs_mail: bool = False
    """`exists`, `ptr` or a macro: it cannot be evaluated without a mail."""


@dataclass(frozen=True, kw_only=True, slots=True)
class SpfPolicy:
    """One domain's record."""

    domain: str
    text: str
    mechanisms: tuple[SpfMechanism, ...]
    redirect: SpfPolicy | None = None

    @property
    def default_result(self) -> SpfResult:
        """What becomes of addresses that are not covered."""
        for term in self.mechanisms:
            if term.is_all:
                return _RESULTS[term.qualifier]
        return self.redirect.default_result if self.redirect else "neutral"


@dataclass(frozen=True, kw_only=True, slots=True)
class SpfReport:
    """What was found for a domain."""

    records: tuple[str, ...]
    """Its SPF records; more than one is an error."""
    policy: SpfPolicy | None
    lookups: int
    """How many of MOST_LOOKUPS a receiver needs at worst."""
    problems: tuple[str, ...]
    """What makes receivers ignore the record (permerror), in words."""


async def look_up_spf(dns: Dns, domain: str, *, within_s: float = 30) -> SpfReport:
    """Read a domain's SPF record and all that it includes.

    DnsUnavailable where a question is not answered, or all of them take longer than `within_s` seconds.
    """
    walk = _SpfResolver(dns)
    try:
        async with asyncio.timeout(within_s):
            records = await walk.records(domain)
            policy = await walk.policy(domain, records[0], ()) if len(records) == 1 else None
    except TimeoutError:
        raise DnsUnavailable(f"what the SPF record of {domain} includes takes over {within_s:g} s to look up") from None
    if walk.lookups > MAX_LOOKUPS:
        walk.problems.append(f"it needs {walk.lookups} DNS lookups, {MAX_LOOKUPS} is the most")
    return SpfReport(records=records, policy=policy, lookups=walk.lookups, problems=tuple(walk.problems))


def evaluate_spf(policy: SpfPolicy, address: IpAddress) -> SpfResult:
    """What a receiver makes of mail from this address."""
    untold: set[str] = set()
    for term in policy.mechanisms:
        matches = _matches(term, address)
        if matches is None:
            untold.add(term.qualifier)
        elif matches:
            return _unless_unknown(untold, _RESULTS[term.qualifier])
    return _unless_unknown(untold, evaluate_spf(policy.redirect, address) if policy.redirect else "neutral")


def _unless_unknown(untold: set[str], result: SpfResult) -> SpfResult:
    return result if all(_RESULTS[qualifier] == result for qualifier in untold) else "unknown"


def _matches(term: SpfMechanism, address: IpAddress) -> bool | None:
    """None where only a mail can tell."""
    if term.needs_mail:
        return None
    if term.included is not None:
        inner = evaluate_spf(term.included, address)
        return None if inner == "unknown" else inner == "pass"
    return term.is_all or any(address in network for network in term.networks)


@dataclass(slots=True)
class _SpfResolver:
    """Through a record and all that it includes, counting."""

    dns: Dns
    lookups: int = 0
    problems: list[str] = field(default_factory=list)

    async def records(self, domain: str) -> tuple[str, ...]:
        texts = await self.dns.texts(domain)
        return tuple(text for text in texts if text.lower() == "v=spf1" or text.lower().startswith("v=spf1 "))

    async def policy(self, domain: str, text: str, above: tuple[str, ...]) -> SpfPolicy:
        terms: list[SpfMechanism] = []
        redirect = None
        for word in text.split()[1:]:
            modifier = _MODIFIER.fullmatch(word)
            if modifier is None:
                terms.append(await self._term(domain, word, (*above, domain)))
            elif modifier[1].lower() == "redirect":
                redirect = modifier[2]
        # Section 6.1: `all` makes a redirect void.
        followed = None
        if redirect and not any(term.is_all for term in terms):
            self.lookups += 1
            followed = await self._follow(redirect, (*above, domain))
        return SpfPolicy(domain=domain, text=text, mechanisms=tuple(terms), redirect=followed)

    async def _term(self, domain: str, word: str, above: tuple[str, ...]) -> SpfMechanism:
        found = _TERM.fullmatch(word)
        if found is None:
            self.problems.append(f"{domain}: {word!r} is not known to SPF")
            return SpfMechanism(text=word, qualifier="?", needs_mail=True)
        qualifier, kind, value = found[1] or "+", found[2].lower(), found[3]
        if kind == "all":
            return SpfMechanism(text=word, qualifier=qualifier, is_all=True)
        if kind in {"ip4", "ip6"}:
            return SpfMechanism(text=word, qualifier=qualifier, networks=self._network(domain, word, kind))
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
        return SpfMechanism(text=word, qualifier=qualifier, networks=await self._networks(hosts, lengths))

    async def _follow(self, domain: str, above: tuple[str, ...]) -> SpfPolicy | None:
        """The policy of a domain that the one last `above` refers to; None where there is none to be had."""
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

    async def _networks(self, hosts: Sequence[str], lengths: dict[int, int]) -> tuple[Network, ...]:
        addresses = [address for host in hosts for address in await self.dns.addresses(host)]
        return tuple(ip_network(f"{address}/{lengths[address.version]}", strict=False) for address in addresses)

    def _network(self, domain: str, word: str, kind: str) -> tuple[Network, ...]:
        try:
            network = ip_network(word.partition(":")[2], strict=False)
        except ValueError:
            network = None
        if network is None or network.version != int(kind[2]):
            self.problems.append(f"{domain}: {word!r} is no network")
            return ()
        return (network,)
