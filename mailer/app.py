"""App: what every action is given. Time, chance and secrets come in by this door, and by no other."""

from __future__ import annotations

import asyncio
import os
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from mailer.domain.delivery_feedback import DeliveryFeedback
from mailer.domain.keyring import Keyring, parse_keyring
from mailer.domain.language import choose_language
from mailer.domain.mailing_list import MailingList
from mailer.domain.provider_call_dedup import SeenCalls
from mailer.domain.rate_limits import DomainLimits, Limits, Ramp
from mailer.domain.site import ListIdentity, Site
from mailer.errors import DkimKeyRefused, DnsUnavailable, SecretUnreadable
from mailer.mail.compose.templates import Templates
from mailer.mail.dkim.signing import Signer, load_signer, signer_for
from mailer.mail.provider_events.provider import Provider
from mailer.network.dns import Dns, open_dns
from mailer.network.load_provider import load_provider
from mailer.network.signing_pool import SigningPool
from mailer.network.sns_client import SnsClient
from mailer.relay.lane_scheduler import DEFAULT_CONCURRENCY
from mailer.relay.route import Priority
from mailer.relay.smtp_connection import Relay
from mailer.settings.governor_table import GovernorSettings
from mailer.settings.intake_tables import HearingSettings, IntakeSettings, ShieldSettings
from mailer.settings.load import Settings
from mailer.settings.toml_tables import DkimSettings, DomainSettings, RelaySettings, parse_host_port
from mailer.store.database import Database
from mailer.store.queue.worker_presence import WorkerPresence
from mailer.store.queue.workers import LEASE

_PACKAGE = Path(__file__).parent
_DNS_TIMEOUT_S, _DNS_RETRY_AFTER_S = 2, 60
"""Seconds for one question about a mail's sender, and for which whoever did not answer is not asked again."""


@dataclass(frozen=True, slots=True)
class Wakeups:
    """Rung when a row was written that another part waits for; whoever hears one looks into the ledger."""

    notices: asyncio.Event = field(default_factory=asyncio.Event)
    """A notice may be due."""
    campaigns: asyncio.Event = field(default_factory=asyncio.Event)
    """A campaign's delivery may be due."""
    incoming: asyncio.Event = field(default_factory=asyncio.Event)
    """Mail came in."""
    schedule: asyncio.Event = field(default_factory=asyncio.Event)
    """A campaign may be due."""
    closing: asyncio.Event = field(default_factory=asyncio.Event)
    """Stays rung: letters already handed are awaited, everything else is put down."""

    def for_priority(self, priority: Priority) -> asyncio.Event:
        """The one for letters of a priority."""
        return self.notices if priority is Priority.NOTICES else self.campaigns

    def notify_all(self) -> None:
        """All but the last: what the clock and a command from outside amount to."""
        for event in (self.notices, self.campaigns, self.incoming, self.schedule):
            event.set()


@dataclass(frozen=True, kw_only=True, slots=True)
class App:
    """The service as its actions see it."""

    database: Database
    presence: WorkerPresence
    """By which other processes see that our workers are alive."""
    site: Site
    templates: Templates
    relays: tuple[Relay, ...]
    domain_limits: Mapping[str, DomainLimits] = field(default_factory=dict)
    """What certain destinations are to be spared, by their name."""
    shield: ShieldSettings = field(default_factory=ShieldSettings)
    """How many strangers are asked to confirm."""
    governor: GovernorSettings = field(default_factory=GovernorSettings)
    """At how much trouble a blast stops by itself."""
    hearing: HearingSettings = field(default_factory=HearingSettings)
    """How mail that came in is believed, and what is kept of it."""
    intake: IntakeSettings = field(default_factory=IntakeSettings)
    """How mail comes in: which servers are our own, how much may wait."""
    dns: Dns | None = None
    """Whom to ask who wrote; None where nobody can be asked."""
    signers: tuple[Signer, ...] = ()
    """Who may sign our letters with DKIM, the preferred first."""
    signing_pool: SigningPool | None = None
    """Processes that do so; None where a thread of this one does."""
    providers: Mapping[str, Provider] = field(default_factory=dict)
    """Which providers may call us to tell what came back, by their name."""
    known_calls: SeenCalls = field(default_factory=SeenCalls)
    sns: SnsClient = field(default_factory=SnsClient)
    """Amazon's, for SES."""
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    """Now, aware, in UTC."""
    lease: timedelta = LEASE
    """How long a worker that is not heard of keeps what it claimed."""
    chance: Callable[[], float] = random.random
    """A number in [0, 1)."""
    wakeups: Wakeups = field(default_factory=Wakeups)
    interrupted_mails: set[int] = field(default_factory=set)
    """Mails that were not acted on to the end since the database failed: that try does not count."""
    pending_refusals: list[DeliveryFeedback] = field(default_factory=list)
    """Letters that relays refused for their readers' sake, to be acted on; a crash forgets them."""

    async def close(self) -> None:
        """Put everything down; to other processes our workers are dead from now on."""
        if self.signing_pool is not None:
            await self.signing_pool.close()
        await asyncio.to_thread(self.presence.close)
        await self.database.close()

    def list_identity(self, mailing_list: MailingList) -> ListIdentity:
        return ListIdentity(site=self.site, mailing_list=mailing_list)

    def language(self, *preferred: str | None) -> str:
        """The first wanted language that we speak, else English."""
        return choose_language(preferred, self.templates.languages) or self.templates.languages[0]


def open_app(settings: Settings, *, processes: int = 1, for_sending: bool = False) -> App:
    """The App of these settings, as one of so many processes that share the connections to the relays, and the cores.

    `sending` readies it for many letters. SecretUnreadable or DkimKeyRefused where a secret or a key cannot be had.
    """
    service, signers = settings.service, tuple(map(read_signer, settings.dkim))
    house = Site(
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
        site=house,
        templates=Templates(resource_folder("templates"), _PACKAGE / "locale"),
        domain_limits={one.name: _domain_limits(one) for one in settings.domain},
        shield=settings.shield,
        governor=settings.governor,
        hearing=settings.hearing,
        intake=settings.intake,
        dns=_dns_for_sender_checks(settings),
        relays=tuple(replace(one, connections=max(2, one.connections // processes)) for one in open_relays(settings)),
        signers=signers,
        providers={one.provider: load_provider(one) for one in settings.webhook},
        signing_pool=SigningPool(signers, max(1, (os.cpu_count() or 1) // processes))
        if for_sending and signers
        else None,
    )


def resource_folder(name: str) -> Path:
    """A folder that stands beside the package in a checkout, and inside it in a wheel."""
    inside = _PACKAGE / name
    return inside if inside.is_dir() else _PACKAGE.parent / name


def read_keyring(file: Path) -> Keyring:
    """The keys in the secret file."""
    try:
        return parse_keyring(_read_secret(file))
    except SecretUnreadable as error:
        missing = "" if file.exists() else "; `mailer init` makes one"
        raise SecretUnreadable(f"secret_file {file}: {error}{missing}") from None


def read_signer(given: DkimSettings) -> Signer:
    """The signer of one [[dkim]] table; DkimKeyRefused names the file and says why."""
    try:
        return load_signer(given.domain, given.selector, given.key_file.read_bytes())
    except OSError as error:
        reason = f"cannot be read ({error.strerror}); `mailer dkim new` makes one"
    except DkimKeyRefused as refusal:
        reason = str(refusal)
    raise DkimKeyRefused(f"DKIM key {given.key_file}: {reason}")


def sending_processes(settings: Settings) -> int:
    """How many processes send on this machine. On SQLite one: it owns the ledger, and its threads only sign."""
    if settings.database.url.startswith("sqlite"):
        return 1
    return (os.cpu_count() or 1) if settings.sending.workers == "auto" else settings.sending.workers


def open_relays(settings: Settings) -> tuple[Relay, ...]:
    """The relays of these settings; SecretUnreadable where a password cannot be had."""
    return tuple(_relay(one, settings.service.domain) for one in settings.relay)


def read_password(file: Path) -> str:
    """The password in a file; SecretUnreadable names the file."""
    try:
        return _read_secret(file).strip()
    except SecretUnreadable as error:
        raise SecretUnreadable(f"password_file {file}: {error}") from None


def _read_secret(file: Path) -> str:
    try:
        return file.read_text()
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "not text"
        raise SecretUnreadable(f"cannot be read ({reason})") from None


def _relay(given: RelaySettings, helo: str) -> Relay:
    return Relay(
        host=given.host,
        port=given.port,
        tls=given.tls,
        username=given.username or None,
        password=read_password(given.password_file) if given.password_file is not None else None,
        helo=helo,
        connections=given.connections,
        letters_per_connection=given.letters_per_connection or None,
        weight=given.weight,
        limits=Limits(
            per_second=given.per_second or None,
            per_hour=given.per_hour or None,
            per_day=given.per_day or None,
            ramp=Ramp(since=given.warm_up_from, first_day=given.warm_up_letters, growth=given.warm_up_growth)
            if given.warm_up_from
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
        return None  # `mailer doctor` says so; until then nobody is proven


def _domain_limits(given: DomainSettings) -> DomainLimits:
    limits = Limits(per_second=given.per_second or None, per_hour=given.per_hour or None, per_day=given.per_day or None)
    return DomainLimits(connections=given.connections or DEFAULT_CONCURRENCY, limits=limits)
