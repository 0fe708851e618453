"""Prints health checks, and opens the DNS that they query."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import typer

from mailer.cli.cli_context import print_json

if TYPE_CHECKING:
    from mailer.domain.health_check import HealthCheck
    from mailer.network.dns import Dns
    from mailer.settings.load import Settings


def print_health_checks(checks: Sequence[HealthCheck], as_json: bool) -> None:
    """Print one line for each check, and one for its remedy; exit with 1 if any check failed."""
    if as_json:
        print_json([_as_json(check) for check in checks])
    else:
        for check in checks:
            typer.echo(f"{check.status:<5} {check.check}: {check.message}")
            if check.remedy:
                typer.echo(f"      {check.remedy}")
    if any(check.status == "fail" for check in checks):
        raise typer.Exit(1)


def _as_json(check: HealthCheck) -> dict[str, str]:
    return {"check": check.check, "health": check.status, "told": check.message, "mend": check.remedy}


def open_configured_dns(settings: Settings) -> Dns:
    """The name servers of the settings, or this machine's. Raises DnsUnavailable."""
    from mailer.network.dns import open_dns
    from mailer.settings.toml_tables import parse_host_port

    return open_dns([parse_host_port(server) for server in settings.dns.servers])
