"""The keeper asks whether what the settings name is there: the secret, the keys, the database, the relays."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

from mailer.app import open_relays, read_keyring, read_signer, resource
from mailer.domain.health_check import Finding, fail, ok, warn
from mailer.domain.placeholders import is_loopback, placeholders
from mailer.errors import MailerError, RelayUnavailable
from mailer.mail.dkim.signing import SOUND_BITS, Signer
from mailer.relay.smtp_connection import Relay, connect
from mailer.settings.load import Settings
from mailer.store.migration import schema_is_current

_RELAY_WITHIN_S = 10


async def check_service(settings: Settings) -> tuple[list[Finding], list[Signer]]:
    """Findings, and the signers whose keys can be read. Nothing is sent, and nothing is changed."""
    signers: list[Signer] = []
    findings = [_service(settings), _secret(settings.service.secret_file)]
    for given in settings.dkim:
        check = f"key {given.selector}._domainkey.{given.domain}"
        try:
            signer = read_signer(given)
        except MailerError as refusal:
            findings.append(fail(check, str(refusal), "Make a key with `mailer dkim new`, or take the table out."))
        else:
            signers.append(signer)
            findings.append(_key(check, signer, given.key_file))
    findings.append(await asyncio.to_thread(_database, settings.database.url))
    return findings + await _relays(settings), signers


def _service(settings: Settings) -> Finding:
    """Whether readers can be shown it: with a relay elsewhere no campaign goes out before."""
    service = settings.service
    told = placeholders(name=service.name, domain=service.domain, url=service.url, owner=service.owner)
    if told is None:
        return ok("service", f"{service.name}, {service.domain} at {service.url}: none of it is a sample")
    stays = all(is_loopback(relay.host) for relay in settings.relay)
    mend = "Set name, domain, url and owner of [service] in settings.toml before people get letters."
    return warn("service", told, mend) if stays else fail("service", told, f"{mend} Until then campaigns are held.")


def _secret(file: Path) -> Finding:
    try:
        read_keyring(file)
    except MailerError as trouble:
        return fail("secret", str(trouble), "Put your copy of it back; a new one breaks the links in letters sent.")
    return _kept("secret", file, f"{file} holds its keys")


def _key(check: str, signer: Signer, file: Path) -> Finding:
    told = f"{file} is an RSA key of {signer.key.key_size} bits"
    if signer.key.key_size < SOUND_BITS:
        return warn(check, told, f"Make one of {SOUND_BITS} bits with `mailer dkim new` under another selector.")
    return _kept(check, file, told)


def _kept(check: str, file: Path, told: str) -> Finding:
    """A secret is one only as long as nobody else can read it."""
    if file.stat().st_mode & 0o077:
        return warn(check, f"{told}, but others on this machine can read it", f"chmod 600 {file}")
    return ok(check, told)


def _database(url: str) -> Finding:
    check = "database"
    try:
        current = schema_is_current(url, resource("migrations"))
    except MailerError as trouble:
        return fail(check, str(trouble), "See [database] url; a newer database needs the newer version of mailer.")
    if current is None:
        return ok(check, "it is empty; `mailer serve` or any command fills it")
    if not current:
        return fail(check, "its schema is older than this version's", "Run `mailer migrate`; it makes a copy first.")
    return ok(check, "its schema is this version's")


async def _relays(settings: Settings) -> list[Finding]:
    try:
        relays = open_relays(settings)
    except MailerError as trouble:
        return [fail("relay", str(trouble), "See password_file of [[relay]].")]
    return list(await asyncio.gather(*map(_relay, relays)))


async def _relay(relay: Relay) -> Finding:
    check = f"relay {relay}"
    try:
        connection = await connect(replace(relay, timeout_s=_RELAY_WITHIN_S))
    except RelayUnavailable as trouble:
        return fail(check, str(trouble), "See [[relay]]: host, port, tls, username, password_file; is it running?")
    await connection.close()
    way = {"none": "without TLS", "starttls": "with STARTTLS", "tls": "with TLS"}[relay.tls]
    login = f", and takes the login of {relay.username}" if relay.username else ""
    return ok(check, f"answers {way}{login}; nothing was sent")
