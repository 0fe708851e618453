"""A week of a list: what its owner should know of it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, and_, func, or_, select

from mailer.domain.bounce import FeedbackKind, Severity
from mailer.domain.campaign import CampaignState
from mailer.domain.consent import ConsentAct
from mailer.domain.delivery import DeliveryState
from mailer.store.counts import campaign_counts
from mailer.store.incoming_mails import IncomingState
from mailer.store.people_tables import consent, incoming, returned
from mailer.store.queue.queue_tables import campaign

_LIMIT = 10
"""Maximum number of providers and campaigns in a report."""


@dataclass(frozen=True, kw_only=True, slots=True)
class WeeklyStats:
    """What happened in a period; it has no entries with a count of 0."""

    refusals: list[tuple[str, str, int, str]]
    """Refusals about us, by domain and reason: domain, reason, count, one diagnostic text; the most first."""
    feedback: dict[FeedbackKind, int]
    bounced: int
    """People who were suppressed, or whose request ended, because letters bounced."""
    paused: list[tuple[int, str, str | None]]
    """Campaigns launched before its end that are paused now: id, subject, remark."""
    unsent: list[tuple[int, str, int, int]]
    """Campaigns with failed or uncertain letters: id, subject, how many of each."""

    @property
    def complaints(self) -> int:
        return self.feedback.get(FeedbackKind.COMPLAINT, 0)


def load_weekly_stats(tx: Connection, mailing_list_id: int, since: datetime, until: datetime) -> WeeklyStats:
    """The stats of a list for a period."""
    at = (returned.c.mailing_list_id == mailing_list_id, returned.c.at >= since, returned.c.at < until)
    sorts = select(returned.c.kind, func.count()).where(*at).group_by(returned.c.kind)
    sender_side = select(returned.c.domain, returned.c.reason, func.count(), func.max(returned.c.diagnostic)).where(
        *at, returned.c.kind == FeedbackKind.BOUNCE, returned.c.weight == Severity.SENDER_SIDE
    )
    refused = sender_side.group_by(returned.c.domain, returned.c.reason).order_by(
        func.count().desc(), returned.c.domain, returned.c.reason
    )
    lines = (consent.c.mailing_list_id == mailing_list_id, consent.c.at >= since, consent.c.at < until)
    bounced = select(func.count()).select_from(consent).where(*lines, consent.c.act == ConsentAct.BOUNCED)
    return WeeklyStats(
        refusals=[(row[0], row[1], row[2], row[3]) for row in tx.execute(refused.limit(_LIMIT))],
        feedback={FeedbackKind(kind): number for kind, number in tx.execute(sorts)},
        bounced=tx.execute(bounced).scalar_one(),
        paused=_list_paused(tx, mailing_list_id, until),
        unsent=_list_unsent(tx, mailing_list_id, since, until),
    )


def _list_paused(tx: Connection, mailing_list_id: int, until: datetime) -> list[tuple[int, str, str | None]]:
    found = select(campaign.c.id, campaign.c.subject, campaign.c.remark).where(
        campaign.c.mailing_list_id == mailing_list_id,
        campaign.c.state == CampaignState.PAUSED,
        campaign.c.launched_at < until,
    )
    newest = found.order_by(campaign.c.id.desc()).limit(_LIMIT)
    return [(row.id, row.subject, row.remark) for row in tx.execute(newest)]


def _list_unsent(
    tx: Connection, mailing_list_id: int, since: datetime, until: datetime
) -> list[tuple[int, str, int, int]]:
    then = (and_(one >= since, one < until) for one in (campaign.c.launched_at, campaign.c.finished_at))
    found = select(campaign.c.id, campaign.c.subject).where(
        campaign.c.mailing_list_id == mailing_list_id, campaign.c.launched_at.is_not(None), or_(*then)
    )
    unsent = []
    for row in tx.execute(found.order_by(campaign.c.id.desc()).limit(_LIMIT)):
        counts = campaign_counts.count_by_state(tx, row.id)
        failed, uncertain = (counts.get(state, 0) for state in (DeliveryState.FAILED, DeliveryState.UNCERTAIN))
        if failed or uncertain:
            unsent.append((row.id, row.subject, failed, uncertain))
    return unsent


def count_parked(tx: Connection, since: datetime, until: datetime) -> Counter[str]:
    """How many parked mails came to each of our addresses in a period."""
    found = select(incoming.c.recipients).where(
        incoming.c.state == IncomingState.PARKED, incoming.c.received_at >= since, incoming.c.received_at < until
    )
    return Counter(address for (recipients,) in tx.execute(found) for address in set(recipients))
