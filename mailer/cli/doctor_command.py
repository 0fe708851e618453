"""`mailer doctor`: one line for each thing that could keep letters from arriving."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
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
        at_hand = load_settings()
    except SettingsRefused as refusal:
        print_health_checks([fail("settings", str(refusal), "Nothing else can be checked before.")], as_json)
        return
    with report_errors():
        findings = [ok("settings", f"{settings_file()} holds nothing we do not know")]
        findings += check_files(at_hand, settings_file())
        print_health_checks(findings + asyncio.run(_run_checks(at_hand, dns, addresses)), as_json)


async def _run_checks(at_hand: Settings, with_dns: bool, addresses: Sequence[IpAddress]) -> list[HealthCheck]:
    from mailer.actions.maintenance.check_service import check_service

    findings, signers = await check_service(at_hand)
    findings += await _check_database(at_hand)
    return findings + (await _check_dns(at_hand, signers, addresses) if with_dns else [])


async def _check_database(at_hand: Settings) -> list[HealthCheck]:
    """What the database tells, where it can be read."""
    from datetime import UTC, datetime

    from mailer.actions.maintenance.check_campaigns import check_campaigns
    from mailer.actions.maintenance.check_deliveries import check_deliveries
    from mailer.actions.maintenance.check_mail import check_mail
    from mailer.bootstrap import resource_folder
    from mailer.errors import MailerError
    from mailer.store.database import Database
    from mailer.store.migration import schema_is_current

    try:
        if not await asyncio.to_thread(schema_is_current, at_hand.database.url, resource_folder("migrations")):
            return []
        database = Database(at_hand.database.url)
        try:
            now = datetime.now(UTC)
            findings = await check_mail(database, now) + await check_campaigns(database)
            return findings + await check_deliveries(database, now)
        finally:
            await database.close()
    except MailerError:  # told already
        return []


async def _check_dns(at_hand: Settings, signers: list[Signer], addresses: Sequence[IpAddress]) -> list[HealthCheck]:
    from mailer.actions.maintenance.check_domain import check_domain
    from mailer.actions.maintenance.check_keys import check_keys
    from mailer.actions.maintenance.check_senders import check_senders
    from mailer.domain.health_check import fail
    from mailer.errors import DnsUnavailable
    from mailer.network.public_address import own_addresses

    try:
        dns = open_configured_dns(at_hand)
    except DnsUnavailable as error:
        return [fail("dns", str(error))]
    domain, hosts = at_hand.service.domain, [relay.host for relay in at_hand.relay]
    async with asyncio.TaskGroup() as group:
        parts = [
            group.create_task(check_domain(dns, domain, signers)),
            group.create_task(check_senders(dns, domain, hosts, own_addresses(), addresses)),
            group.create_task(check_keys(dns, signers)),
        ]
    return [finding for part in parts for finding in part.result()]


def _parse_addresses(given: list[str]) -> list[IpAddress]:
    from ipaddress import ip_address

    try:
        return [ip_address(one) for one in given]
    except ValueError as refusal:
        raise typer.BadParameter(str(refusal), param_hint="--address") from None
