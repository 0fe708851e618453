"""Check what the settings name: the secret, the keys, the database and the relays."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from pathlib import Path

from mailer.bootstrap import open_relays, read_keyring, read_signer, resource_folder
from mailer.domain.health_check import HealthCheck, fail, ok, warn
from mailer.domain.sample_settings import describe_sample_settings, is_loopback
from mailer.errors import MailerError
from mailer.mail.dkim.signing import RECOMMENDED_KEY_BITS, Signer
from mailer.relay.check_relay import check_relay
from mailer.settings.load import Settings
from mailer.store.migration import schema_is_current


async def check_service(settings: Settings) -> tuple[list[HealthCheck], list[Signer]]:
    """The checks, and the signers whose keys can be read. Nothing is sent, and nothing is changed."""
    signers: list[Signer] = []
    checks = [_check_service_table(settings), _check_secret(settings.service.secret_file)]
    for table in settings.dkim:
        check = f"key {table.selector}._domainkey.{table.domain}"
        try:
            signer = read_signer(table)
        except MailerError as error:
            checks.append(fail(check, str(error), "Make a key with `mailer dkim new`, or take the table out."))
        else:
            signers.append(signer)
            checks.append(_check_key(check, signer, table.key_file))
    checks.append(await asyncio.to_thread(_check_database, settings.database.url))
    return checks + await _check_relays(settings), signers


def _check_service_table(settings: Settings) -> HealthCheck:
    service, hosts = settings.service, [relay.host for relay in settings.relay]
    return check_site(name=service.name, domain=service.domain, url=service.url, owner=service.owner, relay_hosts=hosts)


def check_site(*, name: str, domain: str, url: str, owner: str, relay_hosts: Iterable[str]) -> HealthCheck:
    """Check [service] for samples; with a relay elsewhere, campaigns are held until it has none."""
    message = describe_sample_settings(name=name, domain=domain, url=url, owner=owner)
    if message is None:
        return ok("service", f"{name}, {domain} at {url}: none of it is a sample")
    remedy = "Set name, domain, url and owner of [service] in settings.toml before people get letters."
    if all(map(is_loopback, relay_hosts)):
        return warn("service", message, remedy)
    return fail("service", message, f"{remedy} Until then campaigns are held.")


def _check_secret(file: Path) -> HealthCheck:
    try:
        read_keyring(file)
    except MailerError as error:
        return fail("secret", str(error), "Put your copy of it back; a new one breaks the links in letters sent.")
    return _check_permissions("secret", file, f"{file} holds its keys")


def _check_key(check: str, signer: Signer, file: Path) -> HealthCheck:
    message = f"{file} is an RSA key of {signer.key.key_size} bits"
    if signer.key.key_size < RECOMMENDED_KEY_BITS:
        return warn(
            check, message, f"Make one of {RECOMMENDED_KEY_BITS} bits with `mailer dkim new` under another selector."
        )
    return _check_permissions(check, file, message)


def _check_permissions(check: str, file: Path, message: str) -> HealthCheck:
    """Check that only the owner of a file can read it."""
    if file.stat().st_mode & 0o077:
        return warn(check, f"{message}, but others on this machine can read it", f"chmod 600 {file}")
    return ok(check, message)


def _check_database(url: str) -> HealthCheck:
    check = "database"
    try:
        current = schema_is_current(url, resource_folder("migrations"))
    except MailerError as error:
        return fail(check, str(error), "See [database] url; a newer database needs the newer version of mailer.")
    if current is None:
        return ok(check, "it is empty; `mailer serve` or any command fills it")
    if not current:
        return fail(check, "its schema is older than this version's", "Run `mailer migrate`; it makes a copy first.")
    return ok(check, "its schema is this version's")


async def _check_relays(settings: Settings) -> list[HealthCheck]:
    try:
        relays = open_relays(settings)
    except MailerError as error:
        return [fail("relay", str(error), "See password_file of [[relay]].")]
    return list(await asyncio.gather(*map(check_relay, relays)))
