"""`mailer dkim ...`: make keys, and check that the DNS publishes them."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mailer.cli.cli_context import AsJson, current_settings, print_json, print_message, report_errors, write_new
from mailer.cli.print_health_checks import print_health_checks

if TYPE_CHECKING:
    from mailer.mail.dkim.signing import Signer

keys = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Sign letters: make keys, check their DNS.")


@keys.command("new")
def new(
    domain: Annotated[str | None, typer.Option(help="The domain that signs; by default the service's.")] = None,
    selector: Annotated[str, typer.Option(help="The key's name under that domain; each key has its own.")] = "mailer",
    bits: Annotated[
        int, typer.Option(min=1024, max=4096, help="The key's length; 2048 is what receivers like.")
    ] = 2048,
    as_json: AsJson = False,
) -> None:
    """Make a key beside settings.toml, and print the DNS record that publishes it."""
    from mailer.errors import SettingsRefused
    from mailer.mail.dkim.dns_record import format_key_record, format_zone_line
    from mailer.settings.load import settings_file
    from mailer.settings.toml_tables import DkimSettings

    with report_errors():
        domain = domain or current_settings().service.domain
        file = settings_file().parent / f"dkim-{domain}-{selector}.pem"
        try:
            DkimSettings(domain=domain, selector=selector, key_file=file)
        except ValueError:
            raise SettingsRefused(f"{selector}._domainkey.{domain} is no lower-case DNS name (A-labels)") from None
        signer = _new_signer(domain, selector, file, bits)
    text = format_key_record(signer)
    if as_json:
        print_json({"name": signer.record_name, "type": "TXT", "value": text, "key_file": str(file)})
    else:
        typer.echo(format_zone_line(signer.record_name, text))
    print_message(f"Wrote {file}. Publish the record above in the DNS, and add to settings.toml, at its end:\n")
    print_message(f'[[dkim]]\ndomain = "{domain}"\nselector = "{selector}"\nkey_file = "{file.name}"\n')
    print_message("Once `mailer dkim check` says ok, start `mailer serve` anew: settings are read at start.")


def _new_signer(domain: str, selector: str, file: Path, bits: int) -> Signer:
    """Write a new key file. Raises AlreadyExists or SettingsRefused."""
    from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    from mailer.errors import AlreadyExists, SettingsRefused
    from mailer.mail.dkim.signing import load_signer

    if file.exists():
        raise AlreadyExists(f"{file}: already there; nothing was written")
    pem = generate_private_key(65537, bits).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    try:
        write_new(file, pem.decode(), 0o600)
    except OSError as error:
        raise SettingsRefused(f"{file}: cannot be written ({error.strerror})") from None
    return load_signer(domain, selector, pem)


@keys.command("check")
def check(as_json: AsJson = False) -> None:
    """Ask the DNS for each configured key, and say whether it is the one we sign with."""
    from mailer.bootstrap import read_signer
    from mailer.cli.print_health_checks import open_configured_dns
    from mailer.errors import SettingsRefused
    from mailer.network.check_keys import check_keys

    with report_errors():
        settings = current_settings()
        if not settings.dkim:
            raise SettingsRefused(
                "settings.toml has no [[dkim]] table; `mailer dkim new` makes a key and says what to add"
            )
        signers = [read_signer(table) for table in settings.dkim]
        checks = asyncio.run(check_keys(open_configured_dns(settings), signers))
    print_health_checks(checks, as_json)
