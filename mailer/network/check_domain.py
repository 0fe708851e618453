"""Check the DNS records of our domain that receivers look up: SPF, DMARC and its alignment, MX."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Sequence
from typing import Any

from mailer.domain.health_check import HealthCheck, fail, ok, unreachable, warn
from mailer.errors import DnsUnavailable
from mailer.mail.dkim.dns_record import format_zone_line
from mailer.mail.dkim.signing import Signer, signer_for
from mailer.mail.dkim.tag_list import parse_tag_list
from mailer.network.dmarc_record import find_dmarc
from mailer.network.dns import Dns
from mailer.network.spf_record import MAX_LOOKUPS, SpfPolicy, look_up_spf

_MAX_NETWORKS_SHOWN = 6
"""The most networks that are named one by one."""


async def check_domain(dns: Dns, domain: str, signers: Sequence[Signer]) -> list[HealthCheck]:
    """The checks of the domain of our addresses, which is that of From and of the return path."""
    checks: list[tuple[str, Coroutine[Any, Any, list[HealthCheck]]]] = [
        ("spf", _check_spf(dns, domain)),
        ("dmarc", _check_dmarc(dns, domain, signers)),
        ("mx", _check_mx(dns, domain)),
    ]
    return [
        result
        for group in await asyncio.gather(*(_or_unanswered(f"{name} {domain}", check) for name, check in checks))
        for result in group
    ]


async def _or_unanswered(check: str, checking: Coroutine[Any, Any, list[HealthCheck]]) -> list[HealthCheck]:
    try:
        return await checking
    except DnsUnavailable as error:
        return [unreachable(check, error)]


async def _check_spf(dns: Dns, domain: str) -> list[HealthCheck]:
    check = f"spf {domain}"
    found = await look_up_spf(dns, domain)
    if not found.records:
        remedy = (
            f"Publish: {format_zone_line(domain, 'v=spf1 mx -all')} "
            "(mx: mail leaves from the host that takes it; else write ip4:ADDRESS, or the include your relay names)"
        )
        return [fail(check, "there is no SPF record", remedy)]
    if found.policy is None:
        remedy = f"Make one of them: {' | '.join(found.records)}"
        return [fail(check, f"there are {len(found.records)} SPF records, which counts as an error", remedy)]
    if found.problems:
        return [
            fail(check, f"receivers ignore the record: {'; '.join(found.problems)}", f"Correct it: {found.policy.text}")
        ]
    message = f"{found.lookups} of {MAX_LOOKUPS} lookups; covers {_describe_networks(found.policy)}"
    if found.policy.default_result == "pass":
        return [fail(check, "+all lets everybody send in our name", f"End the record in -all: {found.policy.text}")]
    if found.policy.default_result == "neutral":
        return [warn(check, f"{message}; says nothing of other addresses", "End the record in -all or ~all.")]
    return [ok(check, message)]


def _describe_networks(policy: SpfPolicy) -> str:
    names = list(_list_networks(policy))
    more = f" and {len(names) - _MAX_NETWORKS_SHOWN} more" if len(names) > _MAX_NETWORKS_SHOWN else ""
    return ", ".join(names[:_MAX_NETWORKS_SHOWN]) + more if names else "no address"


def _list_networks(policy: SpfPolicy) -> list[str]:
    names: list[str] = []
    for term in policy.mechanisms:
        if term.qualifier == "+":
            names += [str(network) for network in term.networks]
            names += _list_networks(term.included) if term.included else []
            names += [f"whatever {term.text} means"] if term.needs_mail else []
    return names + (_list_networks(policy.redirect) if policy.redirect else [])


async def _check_dmarc(dns: Dns, domain: str, signers: Sequence[Signer]) -> list[HealthCheck]:
    check = f"dmarc {domain}"
    found = await find_dmarc(dns, domain)
    if len(found.texts) != 1:
        message = f"there are {len(found.texts)} DMARC records" if found.texts else "there is no DMARC record"
        example = format_zone_line(f"_dmarc.{domain}", f"v=DMARC1; p=none; rua=mailto:postmaster@{domain}")
        return [
            fail(check, f"{message}; large providers want one of who sends to many", f"Publish: {example}"),
            _check_alignment(domain, signers, {}),
        ]
    tags = parse_tag_list(found.texts[0])
    policy = tags.get("p", "") if found.domain == domain else tags.get("sp", tags.get("p", ""))
    message = f"p={policy}" + (f", by the record of {found.domain}" if found.domain != domain else "")
    if policy not in {"none", "quarantine", "reject"}:
        result = fail(check, f"the record names no policy we know: {found.texts[0]}", "Set p=none at least.")
    else:
        result = ok(check, message)
    return [result, _check_alignment(domain, signers, tags)]


def _check_alignment(domain: str, signers: Sequence[Signer], tags: dict[str, str]) -> HealthCheck:
    """Check DKIM alignment. SPF is aligned where the relay keeps the return path, which has the same domain as From."""
    check = f"alignment {domain}"
    signer = signer_for(signers, domain)
    if signer is None:
        remedy = "Make a key with `mailer dkim new`, unless the relay signs for this domain."
        return warn(check, f"no [[dkim]] signs for {domain}: a forwarded letter has nothing that speaks for it", remedy)
    if signer.domain != domain and tags.get("adkim", "r").lower() == "s":
        message = f"letters are signed by {signer.domain}, but adkim=s asks for {domain} itself"
        return fail(check, message, f'Make a key with `mailer dkim new --domain {domain}`, or drop "adkim=s".')
    return ok(check, f"From and return path are @{domain}, signed by d={signer.domain}")


async def _check_mx(dns: Dns, domain: str) -> list[HealthCheck]:
    check = f"mx {domain}"
    hosts = await dns.mail_servers(domain)
    example = f"Publish: {domain}. IN MX 10 the.host.that.takes.our.mail."
    if not hosts:
        if await dns.addresses(domain):
            return [warn(check, "there is no MX record; mail goes to the domain's own address", example)]
        return [fail(check, "there is no MX record: joining by mail, replies and bounces cannot arrive", example)]
    if "" in hosts:
        return [fail(check, "a null MX says that we take no mail", example)]
    without_address = [host for host in hosts if not await dns.addresses(host)]
    if without_address:
        return [
            fail(
                check,
                f"{', '.join(without_address)} has no address",
                "Give that host an A record, or drop it from the MX.",
            )
        ]
    return [ok(check, f"mail goes to {', '.join(hosts)}")]
