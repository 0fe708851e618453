"""How findings are shown, and what they exit with; the DNS that they ask."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

import typer

from mailer.cli.cli_context import print_json

if TYPE_CHECKING:
    from mailer.domain.health_check import HealthCheck
    from mailer.network.dns import Dns
    from mailer.settings.load import Settings


def print_health_checks(checks: Sequence[HealthCheck], as_json: bool) -> None:
    """One line each, and one more where something is to be done; exit 1 where any fails."""
    if as_json:
        print_json([asdict(finding) for finding in checks])
    else:
        for finding in checks:
            typer.echo(f"{finding.status:<5} {finding.check}: {finding.message}")
            if finding.remedy:
                typer.echo(f"      {finding.remedy}")
    if any(finding.status == "fail" for finding in checks):
        raise typer.Exit(1)


def open_configured_dns(settings: Settings) -> Dns:
    """Those the settings name, or this machine's."""
    from mailer.network.dns import open_dns
    from mailer.settings.toml_tables import parse_host_port

    return open_dns([parse_host_port(server) for server in settings.dns.servers])
