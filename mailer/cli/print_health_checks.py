"""How findings are shown, and what they exit with; the DNS that they ask."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

import typer

from mailer.cli.cli_context import show_json

if TYPE_CHECKING:
    from mailer.domain.health_check import Finding
    from mailer.network.dns import Dns
    from mailer.settings.load import Settings


def show_findings(findings: Sequence[Finding], as_json: bool) -> None:
    """One line each, and one more where something is to be done; exit 1 where any fails."""
    if as_json:
        show_json([asdict(finding) for finding in findings])
    else:
        for finding in findings:
            typer.echo(f"{finding.health:<5} {finding.check}: {finding.told}")
            if finding.mend:
                typer.echo(f"      {finding.mend}")
    if any(finding.health == "fail" for finding in findings):
        raise typer.Exit(1)


def dns_of(settings: Settings) -> Dns:
    """Those the settings name, or this machine's."""
    from mailer.network.dns import open_dns
    from mailer.settings.toml_tables import host_and_port

    return open_dns([host_and_port(server) for server in settings.dns.servers])
