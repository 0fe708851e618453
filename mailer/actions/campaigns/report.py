"""How far a campaign has come, and what became of each letter."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace

from sqlalchemy import Connection

from mailer.app import App
from mailer.domain.bounce import Reason, ReturnKind, Weight
from mailer.domain.campaign import Campaign, CampaignState
from mailer.domain.consent import Act
from mailer.domain.delivery import OPEN, DeliveryState
from mailer.store import audience, bounce_records, campaign_progress, campaigns, consents
from mailer.store.bounce_records import Returns
from mailer.store.campaign_progress import Line
from mailer.store.queue import lane_holds
from mailer.store.queue.lane_holds import Hold

_CHUNK = 2000
_PROVIDERS = 10


@dataclass(frozen=True, kw_only=True, slots=True)
class Status:
    """A campaign and its deliveries by state; the audience is their sum."""

    campaign: Campaign
    counts: dict[DeliveryState, int]
    rate: float | None
    """Letters settled a second since the launch; None before it, and once it is over."""
    eta_s: float | None
    """Seconds until nothing waits but what is deferred, at this rate."""
    held: tuple[Hold, ...] = ()
    """The lanes and relays to which nothing goes for a while, as long as the campaign has letters for them."""

    @property
    def audience(self) -> int:
        return sum(self.counts.values())

    @property
    def settled(self) -> int:
        return self.audience - sum(self.counts.get(state, 0) for state in OPEN)


async def status(app: App, campaign_id: int) -> Status:
    """The campaign's state, counts, rate and time left; NotFound."""

    def work(tx: Connection) -> Status:
        campaign = campaigns.get(tx, campaign_id)
        counts = campaign_progress.counts(tx, campaign_id)
        going = campaign.state in (CampaignState.SENDING, CampaignState.PAUSED)
        held = tuple(lane_holds.every(tx).values()) if going else ()
        return _status(app, campaign, counts, held)

    return await app.database.read(work)


def _status(app: App, campaign: Campaign, counts: dict[DeliveryState, int], held: tuple[Hold, ...]) -> Status:
    told = Status(campaign=campaign, counts=counts, rate=None, eta_s=None, held=held)
    if campaign.state is not CampaignState.SENDING or campaign.launched_at is None:
        return told
    went = max((app.clock() - campaign.launched_at).total_seconds(), 0.001)
    rate = told.settled / went
    waiting = told.audience - told.settled - counts.get(DeliveryState.DEFERRED, 0)
    return replace(told, rate=rate, eta_s=waiting / rate if rate else None)


@dataclass(frozen=True, kw_only=True, slots=True)
class Echo:
    """What came back of a campaign so far, and how many left since it was launched."""

    bounces: dict[Weight, dict[Reason, int]]
    """By what they count for, and why; the most first."""
    delays: int
    complaints: int
    unsubscribes: int
    """Of the whole list, since the launch."""
    providers: dict[str, dict[str, int]]
    """Bounces by weight, and complaints, of the domains with the most."""


async def echo(app: App, campaign_id: int) -> Echo:
    """What came back of the campaign; NotFound."""

    def work(tx: Connection) -> Echo:
        campaign = campaigns.get(tx, campaign_id)
        left = 0
        if campaign.launched_at is not None:
            left = consents.number(tx, campaign.mailing_list_id, Act.LEFT, campaign.launched_at)
        return _echo(bounce_records.of_campaign(tx, campaign_id), left)

    return await app.database.read(work)


def _echo(came_back: list[Returns], left: int) -> Echo:
    bounces: dict[Weight, Counter[Reason]] = {}
    providers: dict[str, Counter[str]] = {}
    sums: Counter[ReturnKind] = Counter()
    for one in came_back:
        sums[one.kind] += one.number
        if one.kind is ReturnKind.BOUNCE:
            bounces.setdefault(one.weight, Counter())[one.reason] += one.number
        if one.kind is not ReturnKind.DELAY:
            what = one.weight.value if one.kind is ReturnKind.BOUNCE else "complaints"
            providers.setdefault(one.domain, Counter())[what] += one.number
    most = sorted(providers, key=lambda domain: (-providers[domain].total(), domain))[:_PROVIDERS]
    return Echo(
        bounces={weight: dict(bounces[weight].most_common()) for weight in Weight if weight in bounces},
        delays=sums[ReturnKind.DELAY],
        complaints=sums[ReturnKind.COMPLAINT],
        unsubscribes=left,
        providers={domain: dict(providers[domain]) for domain in most},
    )


async def reach(app: App, campaign_id: int) -> int:
    """To how many people the campaign would go if it were launched now; NotFound."""
    return await app.database.read(lambda tx: audience.reach(tx, campaigns.get(tx, campaign_id).mailing_list_id))


async def report(app: App, campaign_id: int) -> AsyncIterator[Line]:
    """Each delivery of a campaign: address, state, attempts, code, reply; by subscription. NotFound."""
    await app.database.read(campaigns.get, campaign_id)
    after = 0
    while rows := await app.database.read(campaign_progress.of_campaign, campaign_id, after, _CHUNK):
        after = rows[-1].subscription_id
        for row in rows:
            yield row


async def every_campaign(app: App) -> list[Campaign]:
    """All campaigns, newest first."""
    return await app.database.read(campaigns.every)
