"""The rows of mailing lists."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import Engine

from mailer.store import mailing_lists

NOW = datetime(2027, 3, 1, 8, 0, tzinfo=UTC)
NAMES = ("appeals", "news", "readers", "walks")


def test_pages_hold_all_lists_by_name(engine: Engine) -> None:
    with engine.begin() as tx:
        for name in reversed(NAMES):
            mailing_lists.add(
                tx, name=name, title=name, description="", language="en", owner="ada@example.com", now=NOW
            )
        first = mailing_lists.list_page(tx, limit=3)
        last = mailing_lists.list_page(tx, first.next_cursor or "", limit=3)

    assert [one.name for one in (*first.items, *last.items)] == list(NAMES)
    assert (first.next_cursor, last.next_cursor) == ("readers", None)
