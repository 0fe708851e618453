"""Send each list's owner a weekly report, where something needs attention."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

from mailer.app import App
from mailer.domain.command_address import parse_local_part
from mailer.domain.delivery import Kind, Notice
from mailer.domain.mailing_list import MailingList
from mailer.mail.compose.sanitize_reply import sanitize_reply
from mailer.store import mailing_lists, weekly_stats
from mailer.store.job_markers import JobMarker, get_marker, set_marker
from mailer.store.queue import deliveries
from mailer.store.weekly_stats import WeeklyStats

_WEEK = timedelta(days=7)


async def send_weekly_reports(app: App) -> int:
    """Queue the reports on the last whole week (Monday to Sunday, UTC), for lists where something needs attention.

    Each list and week is reported once, by whichever process is first. Returns how many reports were queued.
    """
    today = app.clock().astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    until = today - timedelta(days=today.weekday())
    year, week, _ = (until - _WEEK).isocalendar()
    number = year * 100 + week
    if await app.database.read(get_marker, JobMarker.WEEKLY_REPORT) >= number:
        return 0
    parked = _count_by_list(await app.database.read(weekly_stats.count_parked, until - _WEEK, until))
    queued = 0
    for mailing_list in await app.database.read(mailing_lists.list_all):
        counts = await app.database.read(weekly_stats.load_weekly_stats, mailing_list.id, until - _WEEK, until)
        values = _report_values(counts, parked[mailing_list.name], until)
        if values:
            queued += await app.database.write(
                deliveries.add_notice, _weekly_notice(app, mailing_list, values, year, week), app.clock()
            )
    await app.database.write(set_marker, JobMarker.WEEKLY_REPORT, number, app.clock())
    return queued


def _count_by_list(parked: Counter[str]) -> Counter[str]:
    """Parked mails by the name of the list to whose addresses they came; "" for the service's own addresses."""
    by_list: Counter[str] = Counter()
    for address, number in parked.items():
        by_list[parse_local_part(address.rpartition("@")[0]).list_name or ""] += number
    return by_list


def _report_values(week: WeeklyStats, parked: int, until: datetime) -> dict[str, Any]:
    """The values of the report; empty where nothing needs attention."""
    counts = {
        "refusals": [
            (domain, reason, number, sanitize_reply(reply)) for domain, reason, number, reply in week.refusals
        ],
        "complaints": week.complaints,
        "bounced": week.bounced,
        "paused": week.paused,
        "unsent": week.unsent,
        "parked": parked,
    }
    days = {"first": f"{until - _WEEK:%Y-%m-%d}", "last": f"{until - timedelta(days=1):%Y-%m-%d}"}
    return counts | days if any(counts.values()) else {}


def _weekly_notice(app: App, mailing_list: MailingList, values: dict[str, Any], year: int, week: int) -> Notice:
    return app.notice_to_owner(Kind.WEEKLY, mailing_list, values, f"weekly {mailing_list.id} {year}-{week:02}")
