"""The rows of campaigns."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import Engine

from mailer.store import campaigns, mailing_lists

NOW = datetime(2027, 3, 1, 8, 0, tzinfo=UTC)


def test_pages_hold_all_campaigns_the_newest_first(engine: Engine) -> None:
    with engine.begin() as tx:
        appeals = mailing_lists.add(
            tx, name="appeals", title="Appeals", description="", language="en", owner="ada@example.com", now=NOW
        )
        ids = [
            campaigns.add(tx, mailing_list_id=appeals.id, subject="Hello", event_starts_at=None, now=NOW)
            for _ in range(5)
        ]
        first = campaigns.list_page(tx, limit=3)
        last = campaigns.list_page(tx, first.next_cursor or "", limit=3)

    assert [one.id for one in (*first.items, *last.items)] == ids[::-1]
    assert last.next_cursor is None
