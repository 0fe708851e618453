"""Reports on campaigns: status, feedback, and each delivery."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from functools import partial

from sqlalchemy import Connection

from mailer.actions.campaigns.campaign_access import load_campaign, record_act
from mailer.actions.campaigns.edition_audience import edition_readers
from mailer.app import App
from mailer.domain.accounts.actor import Actor
from mailer.domain.accounts.audit import Act
from mailer.domain.accounts.role import Permission
from mailer.domain.bounce import BounceReason, FeedbackKind, Severity
from mailer.domain.campaign import Campaign, CampaignState
from mailer.domain.consent import ConsentAct
from mailer.domain.delivery import OPEN, DeliveryState
from mailer.domain.page import MAX_PAGE_SIZE, Page
from mailer.store import bounce_records, campaign_progress, campaigns, consents
from mailer.store.bounce_records import FeedbackCount
from mailer.store.campaign_progress import RecipientReport
from mailer.store.counts import campaign_counts
from mailer.store.pages import all_items
from mailer.store.queue import lane_holds
from mailer.store.queue.lane_holds import Hold

_CHUNK = 2000
_MAX_PROVIDERS = 10


@dataclass(frozen=True, kw_only=True, slots=True)
class CampaignStatus:
    """A campaign and the number of its deliveries in each state; the audience is their sum."""

    campaign: Campaign
    counts: dict[DeliveryState, int]
    rate: float | None
    """Letters settled a second since the launch; None unless it is sending."""
    eta_s: float | None
    """Seconds until only deferred letters wait, at this rate."""
    held: tuple[Hold, ...] = ()
    """Domains and relays that are held, while the campaign is sending or paused."""

    @property
    def audience(self) -> int:
        return sum(self.counts.values())

    @property
    def settled(self) -> int:
        return self.audience - sum(self.counts.get(state, 0) for state in OPEN)


async def campaign_status(app: App, actor: Actor, campaign_id: int) -> CampaignStatus:
    """The campaign's state, counts, rate and time left. Raises NotFound, NotPermitted."""

    def work(tx: Connection) -> CampaignStatus:
        campaign = load_campaign(tx, actor, Permission.READ, campaign_id)
        counts = campaign_counts.count_by_state(tx, campaign_id)
        going = campaign.state in (CampaignState.SENDING, CampaignState.PAUSED)
        held = tuple(lane_holds.holds_by_lane(tx).values()) if going else ()
        return _build_status(app, campaign, counts, held)

    return await app.database.read(work)


def _build_status(
    app: App, campaign: Campaign, counts: dict[DeliveryState, int], held: tuple[Hold, ...]
) -> CampaignStatus:
    status = CampaignStatus(campaign=campaign, counts=counts, rate=None, eta_s=None, held=held)
    if campaign.state is not CampaignState.SENDING or campaign.launched_at is None:
        return status
    elapsed_s = max((app.clock() - campaign.launched_at).total_seconds(), 0.001)
    rate = status.settled / elapsed_s
    waiting = status.audience - status.settled - counts.get(DeliveryState.DEFERRED, 0)
    return replace(status, rate=rate, eta_s=waiting / rate if rate else None)


@dataclass(frozen=True, kw_only=True, slots=True)
class FeedbackSummary:
    """Bounces and complaints about a campaign so far, and unsubscriptions since it was launched."""

    bounces: dict[Severity, dict[BounceReason, int]]
    """By severity and reason; the most frequent first."""
    delays: int
    complaints: int
    unsubscribes: int
    """Of the whole list, since the launch."""
    providers: dict[str, dict[str, int]]
    """Bounces by severity, and complaints, for the domains with the most."""


async def feedback_summary(app: App, actor: Actor, campaign_id: int) -> FeedbackSummary:
    """Bounces, complaints and unsubscriptions. Raises NotFound, NotPermitted."""

    def work(tx: Connection) -> FeedbackSummary:
        campaign = load_campaign(tx, actor, Permission.READ, campaign_id)
        left = 0
        if campaign.launched_at is not None:
            left = consents.count_acts(tx, campaign.mailing_list_id, ConsentAct.LEFT, campaign.launched_at)
        return _summarise_feedback(bounce_records.count_for_campaign(tx, campaign_id), left)

    return await app.database.read(work)


def _summarise_feedback(came_back: list[FeedbackCount], left: int) -> FeedbackSummary:
    bounces: dict[Severity, Counter[BounceReason]] = {}
    providers: dict[str, Counter[str]] = {}
    sums: Counter[FeedbackKind] = Counter()
    for one in came_back:
        sums[one.kind] += one.number
        if one.kind is FeedbackKind.BOUNCE:
            bounces.setdefault(one.severity, Counter())[one.reason] += one.number
        if one.kind is not FeedbackKind.DELAY:
            what = one.severity.value if one.kind is FeedbackKind.BOUNCE else "complaints"
            providers.setdefault(one.domain, Counter())[what] += one.number
    most = sorted(providers, key=lambda domain: (-providers[domain].total(), domain))[:_MAX_PROVIDERS]
    return FeedbackSummary(
        bounces={weight: dict(bounces[weight].most_common()) for weight in Severity if weight in bounces},
        delays=sums[FeedbackKind.DELAY],
        complaints=sums[FeedbackKind.COMPLAINT],
        unsubscribes=left,
        providers={domain: dict(providers[domain]) for domain in most},
    )


async def audience_size(app: App, actor: Actor, campaign_id: int) -> int:
    """How many recipients the campaign would have if it were launched now. Raises NotFound, NotPermitted."""

    def work(tx: Connection) -> int:
        campaign = load_campaign(tx, actor, Permission.READ, campaign_id)
        return sum(one.readers for one in edition_readers(tx, campaign) if campaign.sends(one.language))

    return await app.database.read(work)


async def report(app: App, actor: Actor, campaign_id: int) -> AsyncIterator[RecipientReport]:
    """Yield each delivery of a campaign (address, state, attempts, code, reply) by subscription.

    Raises NotFound, and NotPermitted unless the actor sees people. The audit log has who read it.
    """

    def begin(tx: Connection) -> None:
        campaign = load_campaign(tx, actor, Permission.SEE_PEOPLE, campaign_id)
        record_act(tx, app, actor, Act.EXPORT_RECIPIENTS, campaign)

    await app.database.write(begin)
    after = 0
    while rows := await app.database.read(campaign_progress.list_recipients, campaign_id, after, _CHUNK):
        after = rows[-1].subscription_id
        for row in rows:
            yield row


async def list_campaigns(app: App, actor: Actor, after: str = "", limit: int = MAX_PAGE_SIZE) -> Page[Campaign]:
    """A page of the campaigns that the actor may read, newest first; `after` is the cursor of the page before."""
    return await app.database.read(campaigns.list_page, after, limit, actor.list_ids(Permission.READ))


async def all_campaigns(app: App, actor: Actor) -> list[Campaign]:
    """All campaigns that the actor may read, newest first."""
    return [one async for one in all_items(partial(list_campaigns, app, actor))]
