"""Campaigns: the board, search, one month; a new letter, the same letter again, the page that a campaign is at."""

from __future__ import annotations

from calendar import Calendar
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from mailer.actions.campaigns.again import again
from mailer.actions.campaigns.board import (
    CampaignLine,
    campaigns_between,
    find_campaigns,
    lists_to_write_for,
    load_board,
    open_campaign,
)
from mailer.actions.campaigns.drafts import new_letter
from mailer.domain.accounts.role import Permission
from mailer.domain.campaign import CampaignFilter, CampaignState
from mailer.domain.mailing_list import MailingList
from mailer.entrypoints.web.console.pages import (
    actor,
    campaign_of,
    formatter,
    me,
    read_console_form,
    redirect,
    render_console,
)
from mailer.entrypoints.web.responses import get_app

_PAGES = {
    CampaignState.DRAFT: "write/{language}",
    CampaignState.SCHEDULED: "review",
    CampaignState.LAUNCHING: "live",
    CampaignState.SENDING: "live",
    CampaignState.PAUSED: "live",
    CampaignState.SENT: "report",
    CampaignState.CANCELLED: "report",
}
"""The page where one goes on with a campaign in each state."""
_LONGEST_SEARCH = 200
_FIRST_YEAR, _LAST_YEAR = 2000, 2200


async def show_campaigns(request: Request) -> Response:
    """The board; with a filter, a search or a cursor one table of what is found."""
    app, who, query = get_app(request), actor(request), request.query_params
    asked = {name: query.get(name, "").strip()[:_LONGEST_SEARCH] for name in ("q", "state", "list")}
    after = query.get("after", "")
    if not (after or any(asked.values())):
        board = await load_board(app, who)
        return _render_campaigns(request, board.lists, asked, board=board, counts=board.counts, found=None)
    states = {state for state in CampaignState if state.value == asked["state"]}
    if asked["state"] and not states:
        raise HTTPException(404)
    wanted = CampaignFilter(states=frozenset(states), list_name=asked["list"], words=asked["q"])
    found = await find_campaigns(app, who, wanted, after)
    return _render_campaigns(request, found.lists, asked, board=None, counts=found.counts, found=found.page)


def _render_campaigns(
    request: Request, lists: Sequence[MailingList], asked: Mapping[str, str], **values: Any
) -> Response:
    chosen = next((one for one in lists if one.name == asked["list"]), None)
    writable = [one for one in lists if actor(request).may(Permission.WRITE, one.id)]
    for_new = [chosen] if chosen in writable else writable
    states = list(CampaignState)
    return render_console(request, "campaigns", lists=lists, asked=asked, writable=for_new, states=states, **values)


async def show_campaign(request: Request) -> Response:
    """To the page where one goes on with this campaign."""
    campaign, language = await open_campaign(get_app(request), actor(request), campaign_of(request))
    page = _PAGES[campaign.state].format(language=language)
    return redirect(request, f"/console/campaigns/{campaign.id}/{page}")


async def show_new(request: Request) -> Response:
    """The lists for which one may write; where there is one, its button is the only one."""
    lists = await lists_to_write_for(get_app(request), actor(request))
    return render_console(request, "campaign_new", lists=lists)


async def post_new(request: Request) -> Response:
    """Begin a letter to the posted list, and show where it is written."""
    form, app, who = await read_console_form(request), get_app(request), actor(request)
    campaign_id = await new_letter(app, who, list_name=str(form.get("list", "")))
    return await _show_writing(request, campaign_id)


async def post_again(request: Request) -> Response:
    """Begin a letter like this one, and show where it is written."""
    await read_console_form(request)
    campaign_id = await again(get_app(request), actor(request), campaign_of(request))
    return await _show_writing(request, campaign_id)


async def _show_writing(request: Request, campaign_id: int) -> Response:
    _, language = await open_campaign(get_app(request), actor(request), campaign_id)
    return redirect(request, f"/console/campaigns/{campaign_id}/write/{language}")


@dataclass(frozen=True, slots=True)
class CalendarDay:
    """One day of a month's page."""

    day: date
    is_in_month: bool
    lines: tuple[CampaignLine, ...]


async def show_calendar(request: Request) -> Response:
    """One month in the organiser's zone: what went and what will go."""
    fmt, zone = formatter(request), ZoneInfo(me(request).zone)
    today = fmt.now.astimezone(zone).date()
    first = _parse_month(request.query_params.get("month", ""), today)
    weeks = Calendar(fmt.locale.first_week_day).monthdatescalendar(first.year, first.month)
    since, until = (_midnight(day, zone) for day in (weeks[0][0], weeks[-1][-1] + timedelta(days=1)))
    by_day: dict[date, list[CampaignLine]] = {}
    for line in await campaigns_between(get_app(request), actor(request), since, until):
        by_day.setdefault(line.hour.astimezone(zone).date(), []).append(line)
    days = [[CalendarDay(day, day.month == first.month, tuple(by_day.get(day, ()))) for day in week] for week in weeks]
    earlier, later = first - timedelta(days=1), first + timedelta(days=31)
    return render_console(request, "calendar", first=first, today=today, weeks=days, earlier=earlier, later=later)


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time(), zone).astimezone(UTC)


def _parse_month(text: str, today: date) -> date:
    """The first day of a month `2027-03`; of this month for anything else."""
    try:
        first = date.fromisoformat(f"{text}-01")
    except ValueError:
        return today.replace(day=1)
    return first if _FIRST_YEAR <= first.year <= _LAST_YEAR else today.replace(day=1)


ROUTES = (
    Route("/console/campaigns", show_campaigns),
    Route("/console/campaigns/calendar", show_calendar),
    Route("/console/campaigns/new", show_new),
    Route("/console/campaigns/new", post_new, methods=["POST"]),
    Route("/console/campaigns/{campaign_id:int}", show_campaign),
    Route("/console/campaigns/{campaign_id:int}/again", post_again, methods=["POST"]),
)
