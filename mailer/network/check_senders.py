"""Check the IP addresses that our mail is sent from: SPF coverage and PTR."""

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
    """An IP address that our mail is, or may be, sent from."""

    address: IpAddress
    label: str
    """ "this machine", or the name of the relay."""
    certain: bool
    """False for a relay elsewhere, which may send from other addresses than it listens on."""


async def check_senders(
    dns: Dns, domain: str, relay_hosts: Sequence[str], own: Sequence[IpAddress], stated: Sequence[IpAddress] = ()
) -> list[HealthCheck]:
    """Two checks for each address that mail of `domain` is sent from.

    These are the `stated` addresses where there are any; else the public ones of `own` for relays on loopback, and the
    addresses of the other relays.
    """
    senders = [SenderAddress(address, "as you say", True) for address in stated]
    checks: list[HealthCheck] = []
    for host in [] if stated else dict.fromkeys(relay_hosts):
        more, remarks = _own_addresses(host, own) if _is_local(host) else await _relay_addresses(dns, host)
        senders += [sender for sender in more if sender not in senders]
        checks += remarks
    policy = await _find_policy(dns, domain)
    checked = await asyncio.gather(*(_check_address(dns, domain, policy, sender) for sender in senders))
    return checks + [check for group in checked for check in group]


def _is_local(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _own_addresses(host: str, own: Sequence[IpAddress]) -> tuple[list[SenderAddress], list[HealthCheck]]:
    """The sender addresses of a relay on this machine: its public ones."""
    if senders := [SenderAddress(address, "this machine", True) for address in own if is_public(address)]:
        return senders, []
    message = f"the relay {host} is on this machine, which knows no public address of its own"
    return [], [warn("sender", message, "Say which address mail leaves from: mailer doctor --dns --address ADDRESS.")]


async def _relay_addresses(dns: Dns, host: str) -> tuple[list[SenderAddress], list[HealthCheck]]:
    try:
        addresses: Sequence[IpAddress] = [ip_address(host)]
    except ValueError:
        try:
            addresses = await dns.addresses(host)
        except DnsUnavailable as error:
            return [], [unreachable("sender", error)]
    senders = [SenderAddress(address, f"the relay {host}", False) for address in addresses if is_public(address)]
    if senders:
        return senders, []
    message = f"the relay {host} has no public address" if addresses else f"the relay {host} is not known to the DNS"
    return [], [warn("sender", message, "Say which address mail leaves from: mailer doctor --dns --address ADDRESS.")]


async def _find_policy(dns: Dns, domain: str) -> SpfPolicy | None:
    """The SPF policy; None where there is none or the DNS does not answer, which `check_domain` reports."""
    try:
        return (await look_up_spf(dns, domain)).policy
    except DnsUnavailable:
        return None


async def _check_address(dns: Dns, domain: str, policy: SpfPolicy | None, sender: SenderAddress) -> list[HealthCheck]:
    checks = [await _check_coverage(dns, domain, policy, sender)] if policy else []
    try:
        return [*checks, await _check_ptr(dns, sender)]
    except DnsUnavailable as error:
        return [*checks, unreachable(f"ptr {sender.address}", error)]


async def _check_coverage(dns: Dns, domain: str, policy: SpfPolicy, sender: SenderAddress) -> HealthCheck:
    check = f"spf {sender.address}"
    try:
        result = await evaluate_spf(dns, str(sender.address), f"postmaster@{domain}", domain)
    except DnsUnavailable as error:
        return unreachable(check, error)
    if result in {"pass", ANY_HOST}:
        return ok(check, f"SPF of {domain} covers it ({sender.label})")
    remedy = f"Add ip{sender.address.version}:{sender.address} to the record: {policy.text}"
    if sender.certain:
        return fail(check, f"SPF of {domain} does not cover it ({sender.label}): {result}", remedy)
    remedy = f"Ask who runs it what to include in the record, since it may send from elsewhere. Or: {remedy}"
    return warn(check, f"SPF of {domain} does not cover it ({sender.label}): {result}", remedy)


async def _check_ptr(dns: Dns, sender: SenderAddress) -> HealthCheck:
    """Check forward-confirmed reverse DNS: that a PTR name resolves to the address."""
    check = f"ptr {sender.address}"
    names = await dns.names(sender.address)
    confirmed = [name for name in names if sender.address in await dns.addresses(name)]
    if confirmed:
        return ok(check, f"{confirmed[0]} leads back to it ({sender.label})")
    message = f"its name {names[0]} does not lead back to it" if names else "it has no PTR record"
    report = fail if sender.certain else warn
    host = names[0] if names else "a host name of yours"
    remedy = (
        f"Ask the provider of the address to set its PTR to {host}, and let that name's A or AAAA record be "
        f"{sender.address}."
    )
    return report(check, f"{message} ({sender.label}); large providers refuse such mail", remedy)
