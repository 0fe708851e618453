"""The report on a campaign: its numbers, what came back, its people; sending again, settling, the table to download."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import AsyncIterator, Sequence
from typing import Any

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from mailer.actions.archive.archive_choice import archive_place
from mailer.actions.campaigns.recipients import find_recipients, list_recipients
from mailer.actions.campaigns.report import report
from mailer.actions.campaigns.results import MOST_GROUPED, CampaignResults, show_results
from mailer.actions.campaigns.retry_settle import resolve_uncertain, retry_failed
from mailer.domain.accounts.role import Permission
from mailer.domain.campaign import CampaignState
from mailer.domain.delivery import Decision, DeliveryState
from mailer.entrypoints.web.console.charts import ColumnChart, column_chart
from mailer.entrypoints.web.console.live import typed_number
from mailer.entrypoints.web.console.live_snapshots import live_snapshots
from mailer.entrypoints.web.console.pages import (
    CONSOLE_HEADERS,
    actor,
    campaign_of,
    formatter,
    read_console_form,
    redirect,
    render_console,
)
from mailer.entrypoints.web.responses import get_app
from mailer.importers.person_row import escape_formula

_PATH = "/console/campaigns/{campaign_id:int}/report"
_LOOKED_FOR = 100
"""Of what is looked for, so many characters count."""
_CSV_LINES = 500
"""Lines that are sent together."""


async def show_report(request: Request) -> Response:
    """The report; a draft leads to where it is scheduled."""
    return await _render(request)


async def _render(request: Request, *, is_wrong_number: bool = False) -> Response:
    shared = await _shared(request)
    campaign, counts = shared["campaign"], shared["counts"]
    if campaign.state in (CampaignState.DRAFT, CampaignState.SCHEDULED):
        where = "review" if campaign.state is CampaignState.DRAFT else "live"
        return redirect(request, f"/console/campaigns/{campaign.id}/{where}")
    results = await show_results(get_app(request), actor(request), campaign.id)
    return render_console(
        request,
        "report",
        status=422 if is_wrong_number else 200,
        results=results,
        chart=_chart_by_hour(results),
        failed=counts.get(DeliveryState.FAILED, 0),
        uncertain=counts.get(DeliveryState.UNCERTAIN, 0),
        is_wrong_number=is_wrong_number,
        most_bounces=MOST_GROUPED,
        **shared,
    )


async def _shared(request: Request) -> dict[str, Any]:
    """What the report and the page of its people both show."""
    who, app = actor(request), get_app(request)
    snapshot = await live_snapshots(request).get(campaign_of(request))
    status, list_id = snapshot.status, snapshot.status.mailing_list.id
    who.require(Permission.READ, list_id)
    sees_people = who.may(Permission.SEE_PEOPLE, list_id)
    return {
        "campaign": status.campaign,
        "mailing_list": status.mailing_list,
        "counts": status.counts,
        "waiting": status.waiting,
        "live": json.loads(snapshot.numbers(app, formatter(request), sees_people=sees_people)),
        "place": archive_place(app, status.campaign, status.mailing_list),
        "may_send": who.may(Permission.SEND, list_id),
        "may_write": who.may(Permission.WRITE, list_id),
        "sees_people": sees_people,
    }


def _chart_by_hour(results: CampaignResults) -> ColumnChart:
    hours = results.hours
    return column_chart(
        {
            "left": [one.left for one in hours],
            "complaints": [one.complaints for one in hours],
            "bounces": [one.bounces for one in hours],
        }
    )


async def show_people(request: Request) -> Response:
    """The people whose letters are in a state, or whose address begins with what was looked for."""
    shared, app, who = await _shared(request), get_app(request), actor(request)
    campaign_id, looked_for = shared["campaign"].id, request.query_params.get("q", "").strip()[:_LOOKED_FOR]
    who.require(Permission.SEE_PEOPLE, shared["mailing_list"].id)
    state, next_cursor = _state(request), None
    if looked_for:
        state, people = "", tuple(await find_recipients(app, who, campaign_id, looked_for))
    else:
        states = (DeliveryState(state),) if state else tuple(DeliveryState)
        page = await list_recipients(app, who, campaign_id, states, request.query_params.get("after", ""))
        people, next_cursor = page.items, page.next_cursor
    values = {"state": state, "q": looked_for, "people": people, "next_cursor": next_cursor}
    return render_console(request, "report_people", **shared | values)


def _state(request: Request) -> str:
    state = request.query_params.get("state", "")
    return state if state in tuple(DeliveryState) else ""


async def post_retry(request: Request) -> Response:
    """Let the refused letters wait again; pausing stops them."""
    await read_console_form(request)
    campaign_id = campaign_of(request)
    await retry_failed(get_app(request), actor(request), campaign_id)
    live_snapshots(request).forget(campaign_id)
    return redirect(request, f"/console/campaigns/{campaign_id}/live", done="sent-again")


async def post_settle(request: Request) -> Response:
    """Decide on the uncertain letters, if their number was typed."""
    form, campaign_id = await read_console_form(request), campaign_of(request)
    shared = await _shared(request)
    actor(request).require(Permission.SEND, shared["mailing_list"].id)
    decision = str(form.get("decision", ""))
    is_right = typed_number(str(form.get("typed", ""))) == shared["counts"].get(DeliveryState.UNCERTAIN, 0)
    if not is_right or decision not in tuple(Decision):
        return await _render(request, is_wrong_number=True)
    await resolve_uncertain(get_app(request), actor(request), campaign_id, Decision(decision))
    live_snapshots(request).forget(campaign_id)
    return redirect(request, f"/console/campaigns/{campaign_id}/report", done="settled")


async def post_export(request: Request) -> Response:
    """A table of all people and what became of their letters, as CSV (RFC 4180), while it is read."""
    await read_console_form(request)
    campaign_id = campaign_of(request)
    rows = _csv_rows(request, campaign_id)
    first = await anext(rows)  # what is refused is refused before the answer begins
    headers = CONSOLE_HEADERS | {"Content-Disposition": f'attachment; filename="campaign-{campaign_id}.csv"'}
    return StreamingResponse(_chained(first, rows), media_type="text/csv; charset=utf-8", headers=headers)


async def _csv_rows(request: Request, campaign_id: int) -> AsyncIterator[str]:
    lines: list[Sequence[Any]] = [("address", "state", "attempts", "code", "reply")]
    async for row in report(get_app(request), actor(request), campaign_id):
        reply = escape_formula(row.reply or "")
        lines.append((escape_formula(row.address), row.state, row.attempts, row.code or "", reply))
        if len(lines) >= _CSV_LINES:
            yield _written(lines)
            lines = []
    yield _written(lines)


async def _chained(first: str, rest: AsyncIterator[str]) -> AsyncIterator[str]:
    yield first
    async for one in rest:
        yield one


def _written(lines: Sequence[Sequence[Any]]) -> str:
    out = io.StringIO()
    csv.writer(out).writerows(lines)
    return out.getvalue()


ROUTES = (
    Route(_PATH, show_report),
    Route(f"{_PATH}/people", show_people),
    Route(f"{_PATH}/retry", post_retry, methods=["POST"]),
    Route(f"{_PATH}/settle", post_settle, methods=["POST"]),
    Route(f"{_PATH}/export", post_export, methods=["POST"]),
)
