"""The window that a tally counts in, as it is meant: what the store does in SQL is held against it."""

from __future__ import annotations

from datetime import datetime, timedelta


def count_in_window(since: datetime | None, count: int, now: datetime, span: timedelta) -> tuple[datetime, int]:
    """A tally after one more: a window is as long as `span` and begins with the first that is counted in it."""
    if since is None or now - since >= span:
        return now, 1
    return since, count + 1
