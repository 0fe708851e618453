"""`mailer doctor`: check everything that letters need in order to arrive."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from mailer.cli.cli_context import AsJson, report_errors
from mailer.cli.print_health_checks import open_configured_dns, print_health_checks

if TYPE_CHECKING:
    from mailer.domain.health_check import HealthCheck
    from mailer.mail.dkim.signing import Signer
    from mailer.network.dns import IpAddress
    from mailer.settings.load import Settings


def doctor(
    dns: Annotated[bool, typer.Option("--dns", help="Also look up SPF, DKIM, DMARC, MX and PTR.")] = False,
    address: Annotated[
        list[str] | None, typer.Option(help="The address mail leaves from, where this machine cannot know it.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Check settings, secret, database and relays, and with --dns what receivers look up; sends nothing."""
    from mailer.actions.maintenance.check_file_permissions import check_files
    from mailer.domain.health_check import fail, ok
    from mailer.errors import SettingsRefused
    from mailer.settings.load import load_settings, settings_file

    addresses = _parse_addresses(address or [])
    try:
        settings = load_settings()
    except SettingsRefused as refusal:
        print_health_checks([fail("settings", str(refusal), "Nothing else can be checked before.")], as_json)
        return
    with report_errors():
        checks = [ok("settings", f"{settings_file()} holds nothing we do not know")]
        checks += check_files(settings, settings_file())
        print_health_checks(checks + asyncio.run(_run_checks(settings, dns, addresses)), as_json)


async def _run_checks(settings: Settings, with_dns: bool, addresses: Sequence[IpAddress]) -> list[HealthCheck]:
    from mailer.actions.maintenance.check_database import check_database
    from mailer.actions.maintenance.check_service import check_service

    checks, signers = await check_service(settings)
    checks += await check_database(settings, datetime.now(UTC))
    return checks + (await _check_dns(settings, signers, addresses) if with_dns else [])


async def _check_dns(settings: Settings, signers: list[Signer], addresses: Sequence[IpAddress]) -> list[HealthCheck]:
    from mailer.domain.health_check import fail
    from mailer.errors import DnsUnavailable
    from mailer.network.check_domain import check_domain
    from mailer.network.check_keys import check_keys
    from mailer.network.check_senders import check_senders
    from mailer.network.public_address import own_addresses

    try:
        dns = open_configured_dns(settings)
    except DnsUnavailable as error:
        return [fail("dns", str(error))]
    domain, hosts = settings.service.domain, [relay.host for relay in settings.relay]
    async with asyncio.TaskGroup() as group:
        parts = [
            group.create_task(check_domain(dns, domain, signers)),
            group.create_task(check_senders(dns, domain, hosts, own_addresses(), addresses)),
            group.create_task(check_keys(dns, signers)),
        ]
    return [check for part in parts for check in part.result()]


def _parse_addresses(texts: list[str]) -> list[IpAddress]:
    from ipaddress import ip_address

    try:
        return [ip_address(one) for one in texts]
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--address") from None
