"""Builds an App from settings: relays, DKIM signers, secrets, mailboxes."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from mailer.app import App
from mailer.domain.imports.legacy_conflicts import refuse_conflicts
from mailer.domain.imports.legacy_list import LINK_PREFIXES, LegacyList, LegacySoftware
from mailer.domain.keyring import Keyring, parse_keyring
from mailer.domain.rate_limits import DomainLimits, Limits, Ramp
from mailer.domain.site import Site
from mailer.errors import DkimKeyRefused, DnsUnavailable, SecretUnreadable, SettingsRefused
from mailer.mail.compose.templates import Templates
from mailer.mail.dkim.signing import Signer, load_signer, signer_for
from mailer.network.dns import Dns, open_dns
from mailer.network.imap_mailbox import Mailbox
from mailer.network.load_provider import load_provider
from mailer.network.signing_pool import SigningPool
from mailer.relay.lane_scheduler import DEFAULT_CONCURRENCY
from mailer.relay.smtp_connection import Relay
from mailer.settings.legacy_table import LegacySettings
from mailer.settings.load import Settings
from mailer.settings.mailbox_tables import MailboxSettings
from mailer.settings.toml_tables import DkimSettings, DomainSettings, RelaySettings, parse_host_port
from mailer.store.database import Database
from mailer.store.queue.worker_presence import WorkerPresence

_PACKAGE = Path(__file__).parent
_DNS_TIMEOUT_S = 2
"""Seconds to wait for the answer to one query about a mail's sender."""
_DNS_RETRY_AFTER_S = 60
"""Seconds for which a name server that did not answer is not asked again."""


def open_app(settings: Settings, *, processes: int = 1, for_sending: bool = False) -> App:
    """Build the App that these settings describe.

    `processes` is how many processes on this machine share the relays' connections and the cores. `for_sending` adds
    a pool of signing processes. Raises SecretUnreadable or DkimKeyRefused if a secret or a key cannot be read, and
    SettingsRefused where lists that moved here are in each other's way.
    """
    service, signers = settings.service, tuple(map(read_signer, settings.dkim))
    site = Site(
        name=service.name,
        domain=service.domain,
        url=service.url,
        owner=service.owner,
        keyring=read_keyring(service.secret_file),
        signed=signer_for(signers, service.domain) is not None,
    )
    database = Database(settings.database.url)
    return App(
        database=database,
        presence=WorkerPresence(database.engine),
        lease=timedelta(seconds=settings.sending.lease_s),
        site=site,
        templates=Templates(resource_folder("templates"), _PACKAGE / "locale"),
        console_templates=Templates(resource_folder("templates"), _PACKAGE / "locale" / "console"),
        domain_limits={one.name: _domain_limits(one) for one in settings.domain},
        shield=settings.shield,
        governor=settings.governor,
        hearing=settings.hearing,
        intake=settings.intake,
        spam_check=settings.spam_check,
        archive=settings.archive,
        legacy_lists=read_legacy_lists(settings.legacy),
        dns=_dns_for_sender_checks(settings),
        relays=tuple(replace(one, connections=max(2, one.connections // processes)) for one in open_relays(settings)),
        signers=signers,
        providers={one.provider: load_provider(one) for one in settings.provider},
        signing_pool=SigningPool(signers, max(1, (os.cpu_count() or 1) // processes))
        if for_sending and signers
        else None,
    )


def resource_folder(name: str) -> Path:
    """The path of a folder that lies beside the package in a checkout and inside the package in a wheel."""
    inside = _PACKAGE / name
    return inside if inside.is_dir() else _PACKAGE.parent / name


def read_keyring(file: Path) -> Keyring:
    """Read the secret file. Raises SecretUnreadable, which names the file and what to do."""
    try:
        return parse_keyring(_read_secret(file))
    except SecretUnreadable as error:
        missing = "" if file.exists() else "; `mailer init` makes one"
        raise SecretUnreadable(f"secret_file {file}: {error}{missing}") from None


def read_signer(table: DkimSettings) -> Signer:
    """Load the key of one [[dkim]] table. Raises DkimKeyRefused, which names the file and says why."""
    try:
        return load_signer(table.domain, table.selector, table.key_file.read_bytes())
    except OSError as error:
        reason = f"cannot be read ({error.strerror}); `mailer dkim new` makes one"
    except DkimKeyRefused as refusal:
        reason = str(refusal)
    raise DkimKeyRefused(f"DKIM key {table.key_file}: {reason}")


def sending_processes(settings: Settings) -> int:
    """How many processes send on this machine: on SQLite one, because only one process may write to the file."""
    if settings.database.url.startswith("sqlite"):
        return 1
    return (os.cpu_count() or 1) if settings.sending.workers == "auto" else settings.sending.workers


def open_relays(settings: Settings) -> tuple[Relay, ...]:
    """The relays of these settings; nothing is connected yet. Raises SecretUnreadable if a password cannot be read."""
    return tuple(_relay(one, settings.service.domain) for one in settings.relay)


def read_password(file: Path) -> str:
    """Read a password from a file. Raises SecretUnreadable, which names the file."""
    try:
        return _read_secret(file).strip()
    except SecretUnreadable as error:
        raise SecretUnreadable(f"password_file {file}: {error}") from None


def open_mailboxes(settings: Settings) -> tuple[Mailbox, ...]:
    """The IMAP mailboxes of these settings; nothing is connected yet.

    Raises SettingsRefused if the `imap` extra is not installed, SecretUnreadable if a password cannot be read.
    """
    if settings.mailbox:
        try:
            import imapclient  # noqa: F401
        except ImportError:
            raise SettingsRefused("[[mailbox]] needs the extra imap: pip install 'appeal-mailer[imap]'") from None
    return tuple(map(_mailbox, settings.mailbox))


def _mailbox(table: MailboxSettings) -> Mailbox:
    return Mailbox(
        host=table.host,
        port=table.port,
        tls=table.tls,
        username=table.username,
        password=read_password(table.password_file),
        folder=table.folder,
        done_folder=table.done_folder or None,
        every_s=table.every_s,
    )


def read_legacy_lists(tables: Iterable[LegacySettings]) -> tuple[LegacyList, ...]:
    """The lists that moved here. Raises SettingsRefused where two are in each other's way, or in that of our pages."""
    found = tuple(map(_legacy_list, tables))
    refuse_conflicts(found)
    return found


def _legacy_list(table: LegacySettings) -> LegacyList:
    software = LegacySoftware(table.software)
    return LegacyList(
        list_name=table.list,
        software=software,
        name=table.name or table.list,
        addresses=table.addresses,
        paths=table.paths or LINK_PREFIXES[software],
    )


def _read_secret(file: Path) -> str:
    try:
        return file.read_text()
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "not text"
        raise SecretUnreadable(f"cannot be read ({reason})") from None


def _relay(table: RelaySettings, helo: str) -> Relay:
    return Relay(
        host=table.host,
        port=table.port,
        tls=table.tls,
        username=table.username or None,
        password=read_password(table.password_file) if table.password_file is not None else None,
        helo=helo,
        connections=table.connections,
        letters_per_connection=table.letters_per_connection or None,
        weight=table.weight,
        limits=Limits(
            per_second=table.per_second or None,
            per_hour=table.per_hour or None,
            per_day=table.per_day or None,
            ramp=Ramp(since=table.warm_up_from, first_day=table.warm_up_letters, growth=table.warm_up_growth)
            if table.warm_up_from
            else None,
        ),
    )


def _dns_for_sender_checks(settings: Settings) -> Dns | None:
    if not settings.hearing.check_senders:
        return None
    try:
        return open_dns(
            [parse_host_port(server) for server in settings.dns.servers],
            within_s=_DNS_TIMEOUT_S,
            silence_s=_DNS_RETRY_AFTER_S,
        )
    except DnsUnavailable:
        return None  # `mailer doctor` says so; until then no sender is authenticated


def _domain_limits(table: DomainSettings) -> DomainLimits:
    limits = Limits(per_second=table.per_second or None, per_hour=table.per_hour or None, per_day=table.per_day or None)
    return DomainLimits(connections=table.connections or DEFAULT_CONCURRENCY, limits=limits)
