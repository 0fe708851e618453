"""The keeper asks whether receivers will know the addresses that our mail leaves from: SPF, PTR."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import ip_address

from mailer.domain.health_check import HealthCheck, fail, ok, unreachable, warn
from mailer.errors import DnsUnavailable
from mailer.network.dns import Dns, IpAddress
from mailer.network.public_address import is_public
from mailer.network.spf_record import SpfPolicy, look_up_spf
from mailer.network.spf_verify import ANY_HOST, evaluate_spf


@dataclass(frozen=True, slots=True)
class SenderAddress:
    """An address that our mail leaves from, or may leave from."""

    address: IpAddress
    label: str
    """ "this machine", or the relay's name."""
    certain: bool
    """False for a provider's relay: what it listens on need not be what it sends from."""


async def check_senders(
    dns: Dns, domain: str, relay_hosts: Sequence[str], own: Sequence[IpAddress], stated: Sequence[IpAddress] = ()
) -> list[HealthCheck]:
    """Findings on each address that mail of `domain` leaves from.

    That is `told` where the keeper knows; else `own`, as far as public, for relays on loopback, and the addresses of
    the other relays.
    """
    ways = [SenderAddress(address, "as you say", True) for address in stated]
    findings: list[HealthCheck] = []
    for host in [] if stated else dict.fromkeys(relay_hosts):
        more, remarks = _own_addresses(host, own) if _is_local(host) else await _relay_addresses(dns, host)
        ways += [way for way in more if way not in ways]
        findings += remarks
    policy = await _find_policy(dns, domain)
    checked = await asyncio.gather(*(_check_address(dns, domain, policy, way) for way in ways))
    return findings + [finding for one in checked for finding in one]


def _is_local(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _own_addresses(host: str, own: Sequence[IpAddress]) -> tuple[list[SenderAddress], list[HealthCheck]]:
    """A relay beside us leaves from this machine's address."""
    if ways := [SenderAddress(address, "this machine", True) for address in own if is_public(address)]:
        return ways, []
    told = f"the relay {host} is beside us, and this machine knows no public address of its own"
    return [], [warn("sender", told, "Say which address mail leaves from: mailer doctor --dns --address ADDRESS.")]


async def _relay_addresses(dns: Dns, host: str) -> tuple[list[SenderAddress], list[HealthCheck]]:
    try:
        addresses: Sequence[IpAddress] = [ip_address(host)]
    except ValueError:
        try:
            addresses = await dns.addresses(host)
        except DnsUnavailable as trouble:
            return [], [unreachable("sender", trouble)]
    ways = [SenderAddress(address, f"the relay {host}", False) for address in addresses if is_public(address)]
    if ways:
        return ways, []
    told = f"the relay {host} has no public address" if addresses else f"the relay {host} is not known to the DNS"
    return [], [warn("sender", told, "Say which address mail leaves from: mailer doctor --dns --address ADDRESS.")]


async def _find_policy(dns: Dns, domain: str) -> SpfPolicy | None:
    """None where there is no good record, or none to be had now: whoever looks at the domain says so."""
    try:
        return (await look_up_spf(dns, domain)).policy
    except DnsUnavailable:
        return None


async def _check_address(dns: Dns, domain: str, policy: SpfPolicy | None, way: SenderAddress) -> list[HealthCheck]:
    findings = [await _check_coverage(dns, domain, policy, way)] if policy else []
    try:
        return [*findings, await _check_ptr(dns, way)]
    except DnsUnavailable as trouble:
        return [*findings, unreachable(f"ptr {way.address}", trouble)]


async def _check_coverage(dns: Dns, domain: str, policy: SpfPolicy, way: SenderAddress) -> HealthCheck:
    check = f"spf {way.address}"
    try:
        result = await evaluate_spf(dns, str(way.address), f"postmaster@{domain}", domain)
    except DnsUnavailable as error:
        return unreachable(check, error)
    if result in {"pass", ANY_HOST}:
        return ok(check, f"SPF of {domain} covers it ({way.label})")
    mend = f"Add ip{way.address.version}:{way.address} to the record: {policy.text}"
    if way.certain:
        return fail(check, f"SPF of {domain} does not cover it ({way.label}): {result}", mend)
    mend = f"Ask who runs it what to include in the record, since it may send from elsewhere. Or: {mend}"
    return warn(check, f"SPF of {domain} does not cover it ({way.label}): {result}", mend)


async def _check_ptr(dns: Dns, way: SenderAddress) -> HealthCheck:
    """Forward-confirmed reverse DNS: its name leads back to it."""
    check = f"ptr {way.address}"
    names = await dns.names(way.address)
    confirmed = [name for name in names if way.address in await dns.addresses(name)]
    if confirmed:
        return ok(check, f"{confirmed[0]} leads back to it ({way.label})")
    told = f"its name {names[0]} does not lead back to it" if names else "it has no PTR record"
    bad = fail if way.certain else warn
    host = names[0] if names else "a host name of yours"
    mend = (
        f"Have who gave you the address set its PTR to {host}, and let that name's A or AAAA record be {way.address}."
    )
    return bad(check, f"{told} ({way.label}); large providers refuse such mail", mend)
