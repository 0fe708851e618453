"""App: what every action is given; time, chance and secrets reach the code only through it."""

from __future__ import annotations

import asyncio
import random
import secrets
from collections.abc import Callable, Coroutine, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from mailer.domain.delivery import Kind, Notice
from mailer.domain.health_check import HealthReports
from mailer.domain.imports.legacy_list import LegacyList, with_own_addresses
from mailer.domain.language import choose_language
from mailer.domain.mailing_list import MailingList
from mailer.domain.provider_call_dedup import SeenCalls
from mailer.domain.rate_limits import DomainLimits
from mailer.domain.refusal_queue import RefusalQueue
from mailer.domain.site import ListIdentity, Site
from mailer.mail.compose.archive_cache import ArchiveCache
from mailer.mail.compose.draft_cache import DraftCache
from mailer.mail.compose.templates import Templates
from mailer.mail.dkim.signing import Signer
from mailer.mail.inbound.command_words import Vocabulary, load_vocabulary
from mailer.mail.provider_events.provider import Provider
from mailer.network.dns import Dns
from mailer.network.signing_pool import SigningPool
from mailer.network.sns_client import SnsClient
from mailer.network.webmention_source import SourceClient
from mailer.relay.route import Priority
from mailer.relay.smtp_connection import Relay
from mailer.settings.archive_table import ArchiveSettings
from mailer.settings.governor_table import GovernorSettings
from mailer.settings.intake_tables import HearingSettings, IntakeSettings, ShieldSettings
from mailer.settings.spam_check_table import SpamCheckSettings
from mailer.store.database import Database
from mailer.store.notify import Wakeup, listen
from mailer.store.queue.worker_presence import WorkerPresence
from mailer.store.queue.workers import LEASE

_PACKAGE = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Wakeups:
    """Events that are set when the database may hold new work; the waiting task then reads the database.

    `Database.write` sets those that its transaction marked (`store/notify.py`), after the commit.
    """

    notices: asyncio.Event = field(default_factory=asyncio.Event)
    """A notice may be due."""
    campaigns: asyncio.Event = field(default_factory=asyncio.Event)
    """A campaign's delivery may be due."""
    incoming: asyncio.Event = field(default_factory=asyncio.Event)
    """Mail came in."""
    schedule: asyncio.Event = field(default_factory=asyncio.Event)
    """A campaign may be due."""
    health: asyncio.Event = field(default_factory=asyncio.Event)
    """Relays and DNS should be checked."""
    closing: asyncio.Event = field(default_factory=asyncio.Event)
    """The service is stopping. It stays set; only the answers to letters already handed are awaited."""

    def for_priority(self, priority: Priority) -> asyncio.Event:
        """The event that announces letters of this priority."""
        return self.notices if priority is Priority.NOTICES else self.campaigns

    def notify(self, wakeups: Iterable[Wakeup]) -> None:
        """Set the events of these wake-ups."""
        events = {
            Wakeup.NOTICES: self.notices,
            Wakeup.CAMPAIGNS: self.campaigns,
            Wakeup.INCOMING: self.incoming,
            Wakeup.SCHEDULE: self.schedule,
        }
        for wakeup in wakeups:
            events[wakeup].set()

    async def run_unless_closing(self, work: Coroutine[Any, Any, object]) -> bool:
        """Await work that may take long; False if the service closes first, and then the work is cancelled."""
        working, closing = asyncio.ensure_future(work), asyncio.ensure_future(self.closing.wait())
        try:
            await asyncio.wait((working, closing), return_when=asyncio.FIRST_COMPLETED)
            if working.done():
                working.result()
            return not closing.done()
        finally:
            working.cancel()
            closing.cancel()
            await asyncio.gather(working, closing, return_exceptions=True)

    def notify_all(self) -> None:
        """Set every event except `closing`."""
        self.notify(Wakeup)


@dataclass(frozen=True, kw_only=True, slots=True)
class App:
    """The service as actions see it: database, templates, relays, settings, clock, random numbers, wake-ups."""

    database: Database
    presence: WorkerPresence
    """Shows other processes that our workers are alive."""
    site: Site
    templates: Templates
    """Of letters, notices and public pages."""
    console_templates: Templates
    """The console's: the same folder, in the languages that the console speaks."""
    relays: tuple[Relay, ...]
    domain_limits: Mapping[str, DomainLimits] = field(default_factory=dict)
    """Limits for single destination domains, by domain."""
    shield: ShieldSettings = field(default_factory=ShieldSettings)
    """How many unauthenticated requests for confirmation are answered."""
    governor: GovernorSettings = field(default_factory=GovernorSettings)
    """The failure rates at which a campaign is paused."""
    hearing: HearingSettings = field(default_factory=HearingSettings)
    """How senders of incoming mail are authenticated, and how long the mail is kept."""
    intake: IntakeSettings = field(default_factory=IntakeSettings)
    """How mail comes in: our own mail servers, how many mails may wait."""
    spam_check: SpamCheckSettings = field(default_factory=SpamCheckSettings)
    """The spam filters that look at letters before they are sent."""
    dns: Dns | None = None
    """Answers queries about senders; None if no name server is configured or senders are not checked."""
    signers: tuple[Signer, ...] = ()
    """The DKIM keys that may sign our letters, the preferred first."""
    signing_pool: SigningPool | None = None
    """Processes that sign; None if a thread of this process signs."""
    providers: Mapping[str, Provider] = field(default_factory=dict)
    """The providers that may report bounces and complaints to us, by name."""
    draft_cache: DraftCache = field(default_factory=DraftCache)
    """Letters and problems of texts that are being written."""
    archive_cache: ArchiveCache = field(default_factory=ArchiveCache)
    """What the archive shows of letters."""
    known_calls: SeenCalls = field(default_factory=SeenCalls)
    sns: SnsClient = field(default_factory=SnsClient)
    """Checks signatures of Amazon SNS, which carries the events of SES."""
    archive: ArchiveSettings = field(default_factory=ArchiveSettings)
    """Whether other sites may say that they mention a letter."""
    sources: SourceClient = field(default_factory=SourceClient)
    """Fetches the pages that say so."""
    legacy_lists: tuple[LegacyList, ...] = ()
    """Lists that moved here, whose old links and addresses are known."""
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    """Returns the current time, timezone-aware, in UTC."""
    lease: timedelta = LEASE
    """How long the claims of a worker that no longer renews them stay valid."""
    chance: Callable[[], float] = random.random
    """Returns a random number in [0, 1)."""
    secret_octets: Callable[[int], bytes] = secrets.token_bytes
    """Returns so many octets that nobody can guess, for sessions and links to sign in."""
    wakeups: Wakeups = field(default_factory=Wakeups)
    health: HealthReports = field(default_factory=HealthReports)
    """What the checks of this process found last."""
    interrupted_mails: set[int] = field(default_factory=set)
    """Ids of incoming mails whose processing a database failure interrupted: that attempt does not count."""
    pending_refusals: RefusalQueue = field(default_factory=RefusalQueue)
    """Recipients that relays refused, to be recorded; held in memory only, so a crash loses them."""

    def __post_init__(self) -> None:
        self.database.on_commit(self.wakeups.notify)

    async def listen_to_other_processes(self) -> None:
        """Set the wake-ups whenever another process commits work, until cancelled. Raises DatabaseUnavailable."""
        await listen(self.database.engine, self.wakeups.notify_all)

    async def close(self) -> None:
        """Release everything. Other processes may take over our workers' claims from now on."""
        if self.signing_pool is not None:
            await self.signing_pool.close()
        await asyncio.to_thread(self.presence.close)
        await self.database.close()

    def list_identity(self, mailing_list: MailingList) -> ListIdentity:
        """How letters of this list name the list and the site."""
        return ListIdentity(site=self.site, mailing_list=mailing_list)

    def language(self, *preferred: str | None) -> str:
        """The first of the preferred languages for which there are texts, else English."""
        return choose_language(preferred, self.templates.languages) or self.templates.languages[0]

    def add_own_addresses(self, addresses: frozenset[str]) -> frozenset[str]:
        """These addresses in lower case, and those of ours that old ones among them stand for."""
        return with_own_addresses(addresses, self.site.domain, self.legacy_lists)

    @property
    def vocabulary(self) -> Vocabulary:
        """The words that people write to the service, in the languages of all catalogues; read once, which is slow."""
        return load_vocabulary(self.templates.locale_directory)

    def notice_to_owner(
        self, kind: Kind, mailing_list: MailingList | None, values: dict[str, Any], cause: str | None = None
    ) -> Notice:
        """A notice to the owner of the list, or of the service if `mailing_list` is None.

        It has no suppression key: an owner cannot unsubscribe from what the service has to tell.
        """
        return Notice(
            kind=kind,
            address=mailing_list.owner if mailing_list else self.site.owner,
            suppression_key="",
            language=self.language(mailing_list.language if mailing_list else None),
            mailing_list_id=mailing_list.id if mailing_list else None,
            values=values,
            cause=cause,
        )
