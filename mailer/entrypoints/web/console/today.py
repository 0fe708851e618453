"""Today: whether all is well, what needs somebody, what comes next."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from mailer.actions.campaigns.board import CampaignLine
from mailer.actions.maintenance.check_health import check_health
from mailer.actions.maintenance.today import load_today
from mailer.domain.accounts.role import Permission
from mailer.domain.delivery import OPEN, DeliveryState
from mailer.domain.health_check import CheckGroup
from mailer.domain.list_day import ListDay
from mailer.entrypoints.web.console.charts import StackedBar, line_chart, stacked_bar
from mailer.entrypoints.web.console.pages import actor, read_console_form, redirect, render_console
from mailer.entrypoints.web.responses import get_app

_MOST_NEEDS = 5


async def show_today(request: Request) -> Response:
    """The first page. Whoever opens it before relays and DNS were checked has them checked."""
    app, who = get_app(request), actor(request)
    if app.health.checked_at(CheckGroup.SENDING) is None:
        app.wakeups.health.set()
    view = await load_today(app, who)
    return render_console(
        request,
        "today",
        view=view,
        needs=view.needs[:_MOST_NEEDS],
        more=len(view.needs[_MOST_NEEDS:]),
        sums=[(line, *_sum_of(line)) for line in view.going],
        growth=line_chart({"joined": [one.joined for one in view.days], "left": [one.left for one in view.days]}),
        weeks=_by_week(view.days),
        writable=[one for one in view.lists if who.may(Permission.WRITE, one.id)],
    )


async def post_check(request: Request) -> Response:
    """Check relays, DNS and the database now."""
    await read_console_form(request)
    await check_health(get_app(request), actor(request))
    return redirect(request, "/console", done="checked")


def _by_week(days: Sequence[ListDay]) -> list[ListDay]:
    """The sums of each week, by its Monday, the latest first."""
    weeks: dict[date, list[ListDay]] = {}
    for one in days:
        weeks.setdefault(one.day - timedelta(days=one.day.weekday()), []).append(one)
    return [
        ListDay(day=monday, joined=sum(one.joined for one in week), left=sum(one.left for one in week))
        for monday, week in reversed(weeks.items())
    ]


def _sum_of(line: CampaignLine) -> tuple[dict[str, int], StackedBar]:
    """The audience as the sum of what became of its letters, and the bar of it."""
    settled = {state.value: number for state, number in line.settled.items() if state not in OPEN and number}
    named = {name: settled.pop(name, 0) for name in (DeliveryState.ACCEPTED.value, DeliveryState.FAILED.value)}
    numbers = {"accepted": named["accepted"], "failed": named["failed"], "other": sum(settled.values())}
    numbers["waiting"] = line.campaign.audience - sum(numbers.values())
    return numbers, stacked_bar(numbers)


ROUTES = (
    Route("/console", show_today),
    Route("/console/check", post_check, methods=["POST"]),
)
