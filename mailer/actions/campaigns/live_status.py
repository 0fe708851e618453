"""What a page needs to follow a campaign: its numbers, the lanes that are held and why, the next try."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from mailer.actions.campaigns.campaign_access import load_campaign
from mailer.app import App
from mailer.domain.accounts.actor import Actor
from mailer.domain.accounts.role import Permission
from mailer.domain.campaign import FINISHED, Campaign, CampaignState
from mailer.domain.delivery import OPEN, DeliveryState
from mailer.domain.mailing_list import MailingList
from mailer.store import campaign_results, mailing_lists
from mailer.store.counts import campaign_counts
from mailer.store.queue import lane_holds
from mailer.store.queue.lane_holds import Hold

_OF_NOTICES = "notices to "


@dataclass(frozen=True, kw_only=True, slots=True)
class LiveStatus:
    """A campaign at one moment. The audience is the sum of `counts`."""

    campaign: Campaign
    mailing_list: MailingList
    at: datetime
    counts: dict[DeliveryState, int]
    """Letters by state, in the order of DeliveryState; only states that occur."""
    held: tuple[Hold, ...]
    """The domains and relays to which no campaign's letter goes at this moment, while it is sending or paused."""
    next_try_at: datetime | None
    """When the first of its deferred letters is due."""

    @property
    def audience(self) -> int:
        return sum(self.counts.values())

    @property
    def waiting(self) -> int:
        """Letters that are not settled."""
        return sum(self.counts.get(state, 0) for state in OPEN)

    @property
    def settled(self) -> int:
        return self.audience - self.waiting

    @property
    def is_over(self) -> bool:
        """Whether the numbers do not change any more by themselves."""
        return self.campaign.state in FINISHED and not self.waiting


async def live_status(app: App, actor: Actor, campaign_id: int) -> LiveStatus:
    """A campaign's numbers now. Raises NotFound, NotPermitted."""

    def work(tx: Connection) -> LiveStatus:
        campaign = load_campaign(tx, actor, Permission.READ, campaign_id)
        now, counts = app.clock(), campaign_counts.count_by_state(tx, campaign_id)
        is_going = campaign.state in (CampaignState.SENDING, CampaignState.PAUSED)
        return LiveStatus(
            campaign=campaign,
            mailing_list=mailing_lists.get(tx, campaign.mailing_list_id),
            at=now,
            counts={state: counts[state] for state in DeliveryState if counts.get(state)},
            held=_held_now(tx, now) if is_going else (),
            next_try_at=campaign_results.next_due_at(tx, campaign_id) if is_going else None,
        )

    return await app.database.read(work)


def _held_now(tx: Connection, now: datetime) -> tuple[Hold, ...]:
    holds = lane_holds.holds_by_lane(tx).values()
    return tuple(one for one in holds if one.until > now and not one.lane.startswith(_OF_NOTICES))
