"""Today: whether all is well, what needs somebody, what comes next, what went last."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection

from mailer.actions.campaigns.board import CampaignLine, campaign_lines, readable_lists, visible_remark
from mailer.actions.lists.people_numbers import DAYS
from mailer.actions.maintenance.needs import FirstSteps, Need, NeedKind
from mailer.app import App
from mailer.domain.accounts.actor import Actor
from mailer.domain.accounts.role import Permission
from mailer.domain.campaign import Campaign, CampaignState
from mailer.domain.health_check import CheckGroup, HealthReport, HealthStatus
from mailer.domain.list_day import ListDay
from mailer.domain.mailing_list import MailingList
from mailer.store import campaign_lists, incoming_mails, subscriptions
from mailer.store.counts import list_days
from mailer.store.incoming_mails import IncomingState
from mailer.store.writing import approvals

_MOST_UNFINISHED = 100
_MOST_UPCOMING, _LAST = 5, 5
_STILL_WRITTEN = timedelta(minutes=10)
"""A draft that was changed less than this ago is still being written."""
_LATE_AFTER = timedelta(minutes=5)
"""A due campaign begins within a second; one that has not begun for so long does not begin by itself."""


@dataclass(frozen=True, kw_only=True, slots=True)
class TodayView:
    """What the first page shows."""

    needs: tuple[Need, ...]
    """The gravest first."""
    going: tuple[CampaignLine, ...]
    """Campaigns that are launching or sending."""
    upcoming: tuple[CampaignLine, ...]
    """Scheduled campaigns, the next first."""
    last: tuple[CampaignLine, ...]
    """The five that were launched last, the latest first."""
    days: tuple[ListDay, ...]
    """Joins and leaves of 90 days on all these lists together, today last; empty if there is no list."""
    steps: FirstSteps | None
    """None once a letter has gone."""
    lists: tuple[MailingList, ...]
    """The lists that the actor may read."""
    health: HealthReport | None
    """None for who does not own the site."""

    @property
    def waiting(self) -> int:
        """How many letters of campaigns that go wait."""
        return sum(line.waiting for line in self.going)


async def load_today(app: App, actor: Actor) -> TodayView:
    """Everything that the actor may know of, from numbers that are kept, without counting people or letters."""
    now, report = app.clock(), app.health.latest()
    owns_site = actor.may(Permission.MANAGE_SITE)

    def work(tx: Connection) -> TodayView:
        lists = readable_lists(tx, actor)
        found = campaign_lists.list_unfinished(tx, lists, _MOST_UNFINISHED)
        scheduled = [one for one in found if one.state is CampaignState.SCHEDULED]
        going = [one for one in found if one.state in (CampaignState.LAUNCHING, CampaignState.SENDING)]
        last = campaign_lists.list_last_launched(tx, lists, _LAST)
        lines = {one.campaign.id: one for one in campaign_lines(tx, actor, lists, [*going, *scheduled, *last])}
        needs = [
            *_failed_checks(report, owns_site),
            *_stopped_campaigns(actor, lists, found, now),
            *_uncertain_letters(tx, lists),
            *_asked_approvals(tx, actor, lists, now),
            *_throttled_lists(lists, now),
            *(_parked_mails(tx) if owns_site else ()),
        ]
        upcoming = sorted(scheduled, key=lambda one: (one.scheduled_at or now, one.id))
        return TodayView(
            needs=tuple(needs),
            going=tuple(lines[one.id] for one in going),
            upcoming=tuple(lines[one.id] for one in upcoming[:_MOST_UPCOMING]),
            last=tuple(lines[one.id] for one in last),
            days=tuple(list_days.load_days(tx, lists, now.astimezone(UTC).date(), DAYS)) if lists else (),
            steps=None if last else _first_steps(tx, app, lists),
            lists=tuple(lists.values()),
            health=report if owns_site else None,
        )

    return await app.database.read(work)


def _failed_checks(report: HealthReport, owns_site: bool) -> Iterator[Need]:
    """One for each failed check; for who does not own the site one for all of them, without details."""
    for check in report.failing:
        since = report.failing_since.get(check.check)
        if not owns_site:
            yield Need(kind=NeedKind.CHECK_FAILED, since=since)
            return
        yield Need(
            kind=NeedKind.CHECK_FAILED, since=since, check=check.check, remark=check.message, remedy=check.remedy
        )


def _stopped_campaigns(
    actor: Actor, lists: dict[int, MailingList], found: list[Campaign], now: datetime
) -> Iterator[Need]:
    kinds = {CampaignState.PAUSED: NeedKind.CAMPAIGN_PAUSED, CampaignState.DRAFT: NeedKind.CAMPAIGN_PARKED}
    for state, kind in kinds.items():
        for one in found:
            if one.state is state:
                remark, mailing_list = visible_remark(actor, one) or "", lists[one.mailing_list_id]
                yield Need(kind=kind, since=one.stopped_at, campaign=one, mailing_list=mailing_list, remark=remark)
    for one in found:
        if one.state is CampaignState.SCHEDULED and one.scheduled_at and now - one.scheduled_at > _LATE_AFTER:
            mailing_list = lists[one.mailing_list_id]
            yield Need(kind=NeedKind.CAMPAIGN_LATE, since=one.scheduled_at, campaign=one, mailing_list=mailing_list)


def _uncertain_letters(tx: Connection, lists: dict[int, MailingList]) -> Iterator[Need]:
    for one, number in campaign_lists.list_uncertain(tx, lists, _LAST):
        mailing_list, since = lists[one.mailing_list_id], one.finished_at or one.launched_at
        yield Need(kind=NeedKind.LETTERS_UNCERTAIN, since=since, campaign=one, mailing_list=mailing_list, number=number)


def _asked_approvals(tx: Connection, actor: Actor, lists: dict[int, MailingList], now: datetime) -> Iterator[Need]:
    """Drafts of others that the actor may approve, once nobody has written on them for some minutes."""
    asking = [one.id for one in lists.values() if one.needs_approval and actor.may(Permission.WRITE, one.id)]
    for one, since in approvals.list_unapproved(tx, asking, actor.name, _MOST_UPCOMING) if asking else ():
        if now - since >= _STILL_WRITTEN:
            mailing_list = lists[one.mailing_list_id]
            yield Need(kind=NeedKind.APPROVAL_ASKED, since=since, campaign=one, mailing_list=mailing_list)


def _throttled_lists(lists: dict[int, MailingList], now: datetime) -> Iterator[Need]:
    for one in lists.values():
        if one.is_throttled(now):
            yield Need(kind=NeedKind.LIST_THROTTLED, until=one.quiet_until, mailing_list=one)


def _parked_mails(tx: Connection) -> Iterator[Need]:
    if number := incoming_mails.count_in_state(tx, IncomingState.PARKED):
        yield Need(kind=NeedKind.MAILS_PARKED, number=number)


def _first_steps(tx: Connection, app: App, lists: dict[int, MailingList]) -> FirstSteps:
    checked = app.health.checked_at(CheckGroup.SENDING) is not None
    failing = any(check.status is HealthStatus.FAIL for check in app.health.of_group(CheckGroup.SENDING))
    return FirstSteps(
        sending_works=not failing if checked else None,
        has_list=bool(lists),
        has_people=subscriptions.any_confirmed(tx, lists),
        has_draft=bool(campaign_lists.list_drafts(tx, lists, 1)),
    )
