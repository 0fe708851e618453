"""Campaigns on one page: what goes, what comes, what is being written, what went; and by month."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime

from sqlalchemy import Connection

from mailer.actions.campaigns.campaign_access import load_campaign
from mailer.app import App
from mailer.domain.accounts.actor import Actor
from mailer.domain.accounts.role import Permission
from mailer.domain.campaign import FINISHED, Campaign, CampaignFilter, CampaignState
from mailer.domain.delivery import DeliveryState
from mailer.domain.mailing_list import MailingList
from mailer.domain.page import Page
from mailer.mail.compose.sanitize_reply import sanitize_reply
from mailer.store import campaign_lists, mailing_lists, revisions
from mailer.store.counts import campaign_counts
from mailer.store.writing import drafts

BOARD_SIZE = 20
"""How many campaigns each part of the board shows."""
_MOST_IN_A_MONTH = 500
_CAN_BE_MENDED = (CampaignState.DRAFT, CampaignState.SCHEDULED, CampaignState.PAUSED)


@dataclass(frozen=True, kw_only=True, slots=True)
class CampaignLine:
    """A campaign in a list."""

    campaign: Campaign
    mailing_list: MailingList
    settled: Counter[DeliveryState] = field(default_factory=Counter)
    """How many of its deliveries are in each settled state."""
    remark: str | None = None
    """Why the service stopped it, without addresses for who may not see readers."""
    stale: tuple[str, ...] = ()
    """The languages of editions that are older than the default one, before the last letter is sent."""

    @property
    def hour(self) -> datetime:
        """When it went or will go; of one that has no hour, the beginning of time."""
        return self.campaign.launched_at or self.campaign.scheduled_at or datetime.min.replace(tzinfo=UTC)

    @property
    def accepted(self) -> int:
        return self.settled[DeliveryState.ACCEPTED]

    @property
    def refused(self) -> int:
        return self.settled[DeliveryState.FAILED]

    @property
    def waiting(self) -> int:
        """How many deliveries are not settled."""
        return self.campaign.audience - self.settled.total()


@dataclass(frozen=True, kw_only=True, slots=True)
class Board:
    """The parts of the board, each with at most BOARD_SIZE campaigns, and the number of campaigns by state."""

    stopped: tuple[CampaignLine, ...]
    """Paused, or returned to draft by the service."""
    going: tuple[CampaignLine, ...]
    scheduled: tuple[CampaignLine, ...]
    drafts: tuple[CampaignLine, ...]
    over: Page[CampaignLine]
    """Sent and cancelled, the newest first."""
    counts: dict[CampaignState, int]
    lists: tuple[MailingList, ...]
    """The lists whose campaigns the actor may read."""


async def load_board(app: App, actor: Actor) -> Board:
    """The campaigns of all lists that the actor may read."""

    def work(tx: Connection) -> Board:
        lists = readable_lists(tx, actor)
        unfinished = campaign_lists.list_unfinished(tx, lists, 4 * BOARD_SIZE)
        written = [one for one in campaign_lists.list_drafts(tx, lists, BOARD_SIZE) if one.remark is None]
        over = campaign_lists.find_page(tx, lists, CampaignFilter(states=frozenset(FINISHED)), "", BOARD_SIZE)
        lines = campaign_lines(tx, actor, lists, [*unfinished, *written, *over.items])
        by_id = {line.campaign.id: line for line in lines}
        stopped = [one for one in unfinished if one.state in (CampaignState.PAUSED, CampaignState.DRAFT)]
        scheduled = [one for one in unfinished if one.state is CampaignState.SCHEDULED]
        going = [one for one in unfinished if one.state in (CampaignState.LAUNCHING, CampaignState.SENDING)]
        return Board(
            stopped=tuple(by_id[one.id] for one in stopped[:BOARD_SIZE]),
            going=tuple(by_id[one.id] for one in going[:BOARD_SIZE]),
            scheduled=tuple(by_id[one.id] for one in scheduled[:BOARD_SIZE]),
            drafts=tuple(by_id[one.id] for one in written),
            over=Page(tuple(by_id[one.id] for one in over.items), over.next_cursor),
            counts=campaign_lists.count_by_campaign_state(tx, lists),
            lists=tuple(lists.values()),
        )

    return await app.database.read(work)


@dataclass(frozen=True, kw_only=True, slots=True)
class FoundCampaigns:
    """A page of found campaigns, and the lists among which was looked."""

    page: Page[CampaignLine]
    counts: dict[CampaignState, int]
    lists: tuple[MailingList, ...]


async def find_campaigns(app: App, actor: Actor, wanted: CampaignFilter, after: str = "") -> FoundCampaigns:
    """A page of the campaigns that the filter lets through, newest first. Raises NotFound for an unknown cursor."""

    def work(tx: Connection) -> FoundCampaigns:
        lists = readable_lists(tx, actor)
        among = [one.id for one in lists.values() if wanted.list_name in ("", one.name)]
        page = campaign_lists.find_page(tx, among, wanted, after, BOARD_SIZE)
        lines = campaign_lines(tx, actor, lists, list(page.items))
        counts = campaign_lists.count_by_campaign_state(tx, lists)
        return FoundCampaigns(page=Page(tuple(lines), page.next_cursor), counts=counts, lists=tuple(lists.values()))

    return await app.database.read(work)


async def campaigns_between(app: App, actor: Actor, since: datetime, until: datetime) -> list[CampaignLine]:
    """The campaigns that went or will go in a span of time, by hour; at most 500."""

    def work(tx: Connection) -> list[CampaignLine]:
        lists = readable_lists(tx, actor)
        found = campaign_lists.list_between(tx, lists, since, until, _MOST_IN_A_MONTH)
        return campaign_lines(tx, actor, lists, found)

    return await app.database.read(work)


async def lists_to_write_for(app: App, actor: Actor) -> list[MailingList]:
    """The lists for which the actor may begin a campaign, by name."""

    def work(tx: Connection) -> list[MailingList]:
        return [one for one in mailing_lists.list_all(tx) if actor.may(Permission.WRITE, one.id)]

    return await app.database.read(work)


async def open_campaign(app: App, actor: Actor, campaign_id: int) -> tuple[Campaign, str]:
    """A campaign and the language of its default edition. Raises NotFound, NotPermitted."""

    def work(tx: Connection) -> tuple[Campaign, str]:
        campaign = load_campaign(tx, actor, Permission.READ, campaign_id)
        languages = revisions.editions_by_language(tx, campaign_id)
        return campaign, next(iter(languages), mailing_lists.get(tx, campaign.mailing_list_id).language)

    return await app.database.read(work)


def readable_lists(tx: Connection, actor: Actor) -> dict[int, MailingList]:
    """The lists whose campaigns the actor may read, by id, in order of name."""
    return {one.id: one for one in mailing_lists.list_all(tx) if actor.lists_with(Permission.READ, [one.id])}


def campaign_lines(
    tx: Connection, actor: Actor, lists: dict[int, MailingList], found: list[Campaign]
) -> list[CampaignLine]:
    """These campaigns with their lists and numbers."""
    launched = [one.id for one in found if one.launched_at is not None]
    settled = campaign_counts.settled_counts(tx, launched) if launched else {}
    unsent = [one.id for one in found if one.state in _CAN_BE_MENDED]
    stale = drafts.stale_languages(tx, unsent) if unsent else {}
    return [
        CampaignLine(
            campaign=one,
            mailing_list=lists[one.mailing_list_id],
            settled=settled.get(one.id, Counter()),
            remark=visible_remark(actor, one),
            stale=tuple(tag for tag in stale.get(one.id, ()) if one.sends(tag)),
        )
        for one in found
    ]


def visible_remark(actor: Actor, campaign: Campaign) -> str | None:
    """Why the service stopped a campaign, without addresses for who may not see readers."""
    if campaign.remark is None or actor.may(Permission.SEE_PEOPLE, campaign.mailing_list_id):
        return campaign.remark
    return sanitize_reply(campaign.remark)
