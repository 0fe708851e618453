"""Once a week, each list's owner is told what needs her; where nothing does, she hears nothing."""

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
    """Of the last whole week (Monday to Sunday, UTC), write to the owners of lists where something needs them.

    Once for each list and week, by whichever process; how many letters were written.
    """
    today = app.clock().astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    until = today - timedelta(days=today.weekday())
    year, week, _ = (until - _WEEK).isocalendar()
    number = year * 100 + week
    if await app.database.read(get_marker, JobMarker.WEEKLY_REPORT) >= number:
        return 0
    parked = _count_by_list(await app.database.read(weekly_stats.count_parked, until - _WEEK, until))
    told = 0
    for one in await app.database.read(mailing_lists.list_all):
        found = await app.database.read(weekly_stats.load_weekly_stats, one.id, until - _WEEK, until)
        values = _report_values(found, parked[one.name], until)
        if values:
            told += await app.database.write(
                deliveries.add_notice, _weekly_notice(app, one, values, year, week), app.clock()
            )
    await app.database.write(set_marker, JobMarker.WEEKLY_REPORT, number, app.clock())
    return told


def _count_by_list(parked: Counter[str]) -> Counter[str]:
    """Mails to a list's addresses, by its name; others are for those who run the service."""
    counted: Counter[str] = Counter()
    for address, number in parked.items():
        counted[parse_local_part(address.rpartition("@")[0]).list_name or ""] += number
    return counted


def _report_values(week: WeeklyStats, parked: int, until: datetime) -> dict[str, Any]:
    """What the letter says; nothing where nothing needs anybody."""
    found = {
        "refusals": [(domain, reason, number, sanitize_reply(said)) for domain, reason, number, said in week.refusals],
        "complaints": week.complaints,
        "bounced": week.bounced,
        "paused": week.paused,
        "unsent": week.unsent,
        "parked": parked,
    }
    days = {"first": f"{until - _WEEK:%Y-%m-%d}", "last": f"{until - timedelta(days=1):%Y-%m-%d}"}
    return found | days if any(found.values()) else {}


def _weekly_notice(app: App, mailing_list: MailingList, values: dict[str, Any], year: int, week: int) -> Notice:
    return app.notice_to_owner(Kind.WEEKLY, mailing_list, values, f"weekly {mailing_list.id} {year}-{week:02}")
