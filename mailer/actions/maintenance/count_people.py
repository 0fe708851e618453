"""Count in the background what pages do not count: the audiences of large lists, and each list's days."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta

from sqlalchemy import Connection

from mailer.app import App
from mailer.domain.audience_count import AudienceCount
from mailer.store import mailing_lists
from mailer.store.counts import audience_counts, list_days
from mailer.store.job_markers import JobMarker, get_marker, set_marker

KEPT_DAYS = 90
"""How far back days are counted that were never counted before."""
_LATE = timedelta(hours=1)
"""A day is counted for good so long after its end: what was committed late belongs to it, too."""
_RESTS = 20
"""The audience of a list is counted again after so many times as long as it took."""
_STALE_AFTER = timedelta(days=1)
"""Languages change without a line in the consent record."""


class AudienceRecounts:
    """When each large list may be counted again, in this process."""

    def __init__(self) -> None:
        self._not_before: dict[int, datetime] = {}

    def may_begin(self, mailing_list_id: int, now: datetime) -> bool:
        """Whether the list has rested."""
        earliest = self._not_before.get(mailing_list_id)
        return earliest is None or now >= earliest

    def counted(self, mailing_list_id: int, began: datetime, ended: datetime) -> None:
        """The list was counted just now, and rests."""
        self._not_before[mailing_list_id] = ended + (ended - began) * _RESTS


async def recount_audiences(
    app: App, recounts: AudienceRecounts, at_once: int = audience_counts.COUNTED_AT_ONCE
) -> int:
    """Count the audience of each large list of which somebody came or left since; returns how many lists.

    It reads on a snapshot, and writes only the numbers. Lists of at most `at_once` subscriptions are left out: pages
    count those.
    """
    recounted = 0
    for mailing_list in await app.database.read(mailing_lists.list_all):
        began = app.clock()
        if not recounts.may_begin(mailing_list.id, began):
            continue
        if not await app.database.read(audience_counts.is_large, mailing_list.id, at_once):
            await _forget(app, mailing_list.id)
            continue
        found = await app.database.read(_count_if_changed, mailing_list.id, began)
        if found is not None:
            recounts.counted(mailing_list.id, began, app.clock())
            await app.database.write(audience_counts.save, mailing_list.id, found)
            recounted += 1
    return recounted


async def _forget(app: App, mailing_list_id: int) -> None:
    """Forget the count of a list that was large once."""
    if await app.database.read(audience_counts.counted_at, mailing_list_id) is not None:
        await app.database.write(audience_counts.forget, mailing_list_id)


def _count_if_changed(tx: Connection, mailing_list_id: int, now: datetime) -> AudienceCount | None:
    counted_at = audience_counts.counted_at(tx, mailing_list_id)
    if counted_at is not None and now - counted_at < _STALE_AFTER:
        changed_at = audience_counts.changed_at(tx, mailing_list_id)
        # At the same moment: it may have been committed after the count.
        if changed_at is None or changed_at < counted_at:
            return None
    return audience_counts.count(tx, mailing_list_id, now)


async def count_days(app: App) -> int:
    """Count the joins and leaves of each day that is not counted for good, today too; returns how many days.

    Idempotent, and it catches up on days on which the service did not run.
    """
    now = app.clock().astimezone(UTC)
    done = await app.database.read(get_marker, JobMarker.DAYS_COUNTED)
    first = max(done + 1, now.toordinal() - KEPT_DAYS + 1)
    lists = [one.id for one in await app.database.read(mailing_lists.list_all)]
    for ordinal in range(first, now.toordinal() + 1):
        await _count_day(app, lists, date.fromordinal(ordinal))
        if datetime.fromordinal(ordinal + 1).replace(tzinfo=UTC) + _LATE <= now:
            await app.database.write(set_marker, JobMarker.DAYS_COUNTED, ordinal, now)
    return now.toordinal() + 1 - first


async def _count_day(app: App, lists: Sequence[int], day: date) -> None:
    counted = await app.database.read(list_days.count_day, lists, day)
    if counted:
        await app.database.write(list_days.save_day, day, counted)
