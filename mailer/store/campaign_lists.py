"""Campaigns as pages list them: what needs somebody, what comes, what went, found by subject."""

from __future__ import annotations

import unicodedata
from collections.abc import Collection
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, Select, and_, func, or_, select

from mailer.domain.campaign import Campaign, CampaignFilter, CampaignState
from mailer.domain.delivery import DeliveryState
from mailer.domain.page import Page, cursor_id, make_page, page_size
from mailer.store.campaigns import campaign_from_row
from mailer.store.counts.count_tables import campaign_count
from mailer.store.queue.queue_tables import campaign

_UNFINISHED = (CampaignState.PAUSED, CampaignState.SCHEDULED, CampaignState.LAUNCHING, CampaignState.SENDING)
_READ_AT_ONCE = 500


def list_unfinished(tx: Connection, mailing_list_ids: Collection[int], limit: int) -> list[Campaign]:
    """Campaigns that go, are scheduled or paused, and drafts that the service did not launch; by hour."""
    parked = and_(campaign.c.state == CampaignState.DRAFT, campaign.c.remark.is_not(None))
    query = _of_lists(mailing_list_ids).where(or_(campaign.c.state.in_(_UNFINISHED), parked))
    return _read(tx, query.order_by(campaign.c.scheduled_at, campaign.c.id).limit(limit))


def list_drafts(tx: Connection, mailing_list_ids: Collection[int], limit: int) -> list[Campaign]:
    """The newest drafts."""
    query = _of_lists(mailing_list_ids).where(campaign.c.state == CampaignState.DRAFT)
    return _read(tx, query.order_by(campaign.c.id.desc()).limit(limit))


def list_last_launched(tx: Connection, mailing_list_ids: Collection[int], limit: int) -> list[Campaign]:
    """The campaigns that were launched last, the latest first."""
    query = _of_lists(mailing_list_ids).where(campaign.c.launched_at.is_not(None))
    return _read(tx, query.order_by(campaign.c.launched_at.desc(), campaign.c.id.desc()).limit(limit))


def list_between(
    tx: Connection, mailing_list_ids: Collection[int], since: datetime, until: datetime, limit: int
) -> list[Campaign]:
    """The campaigns that went or will go in a span of time, by hour; `until` is exclusive."""
    hour = func.coalesce(campaign.c.launched_at, campaign.c.scheduled_at)
    scheduled = and_(campaign.c.state == CampaignState.SCHEDULED, _within(campaign.c.scheduled_at, since, until))
    query = _of_lists(mailing_list_ids).where(or_(_within(campaign.c.launched_at, since, until), scheduled))
    return _read(tx, query.order_by(hour, campaign.c.id).limit(limit))


def find_page(
    tx: Connection, mailing_list_ids: Collection[int], wanted: CampaignFilter, after: str, limit: int
) -> Page[Campaign]:
    """A page of the campaigns that the filter lets through, newest first."""
    query = _of_lists(mailing_list_ids).order_by(campaign.c.id.desc())
    if wanted.states:
        query = query.where(campaign.c.state.in_(wanted.states))
    before = cursor_id(after) if after else None
    found = _find(tx, query, fold(wanted.words), before, page_size(limit) + 1)
    return make_page(found, limit, lambda one: str(one.id))


def count_by_campaign_state(tx: Connection, mailing_list_ids: Collection[int]) -> dict[CampaignState, int]:
    """How many campaigns of these lists are in each state; only states that occur."""
    counted = (
        select(campaign.c.state, func.count())
        .where(campaign.c.mailing_list_id.in_(mailing_list_ids))
        .group_by(campaign.c.state)
    )
    return {CampaignState(state): number for state, number in tx.execute(counted)}


def list_uncertain(tx: Connection, mailing_list_ids: Collection[int], limit: int) -> list[tuple[Campaign, int]]:
    """The newest campaigns with uncertain letters, and how many."""
    number = func.sum(campaign_count.c.number)
    counted = (
        select(campaign_count.c.campaign_id, number.label("number"))
        .where(campaign_count.c.state == DeliveryState.UNCERTAIN)
        .group_by(campaign_count.c.campaign_id)
        .having(number > 0)
        .subquery()
    )
    query = select(campaign, counted.c.number).join_from(counted, campaign, campaign.c.id == counted.c.campaign_id)
    query = query.where(campaign.c.mailing_list_id.in_(mailing_list_ids)).order_by(campaign.c.id.desc()).limit(limit)
    return [(campaign_from_row(row), int(row.number)) for row in tx.execute(query)]


def fold(text: str) -> str:
    """A text in which only letters count: without case and accents, the Turkish dotless i like any other."""
    plain = unicodedata.normalize("NFKD", text.casefold().replace("ı", "i"))
    return " ".join("".join(letter for letter in plain if not unicodedata.combining(letter)).split())


def _find(
    tx: Connection, query: Select[tuple[object, ...]], words: str, before: int | None, wanted: int
) -> list[Campaign]:
    """The first `wanted` campaigns whose subject contains the words, read in parts."""
    found: list[Campaign] = []
    at_once = wanted if not words else _READ_AT_ONCE
    while True:
        part = query if before is None else query.where(campaign.c.id < before)
        read = _read(tx, part.limit(at_once))
        found += [one for one in read if words in fold(one.subject)]
        if len(found) >= wanted or len(read) < at_once:
            return found[:wanted]
        before = read[-1].id


def _of_lists(mailing_list_ids: Collection[int]) -> Select[tuple[object, ...]]:
    return select(campaign).where(campaign.c.mailing_list_id.in_(mailing_list_ids))


def _within(column: ColumnElement[datetime], since: datetime, until: datetime) -> ColumnElement[bool]:
    return and_(column >= since, column < until)


def _read(tx: Connection, query: Select[tuple[object, ...]]) -> list[Campaign]:
    return [campaign_from_row(row) for row in tx.execute(query)]
