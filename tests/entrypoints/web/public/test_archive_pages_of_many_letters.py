"""The archive of a list that has written for years: no page asks the database much, or takes long."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import httpx
import pytest
from sqlalchemy import Connection, event, insert

from mailer.actions.lists.edit_list import set_list
from mailer.app import App
from mailer.domain.campaign import CampaignState
from mailer.entrypoints.web.application import web_app
from mailer.store.queue.queue_tables import campaign, edition, revision
from tests.support.app_helpers import ADMIN, Clock, open_list

LETTERS, LANGUAGES = 1000, ("en", "tr")
MOST_QUERIES = 12
MOST_S, MOST_COLD_S = 0.5, 30.0
"""Of one page, on a machine that does much else; the first page with a tag reads all letters once."""
PATHS = (
    "/archive/appeals",
    "/archive/appeals?before=500",
    "/archive/appeals/2021",
    "/archive/appeals/500-letter-500",
    "/archive/appeals/500-letter-500/tr",
    "/archive/appeals/feed.atom",
    "/archive/appeals/feed.tr.atom",
    "/archive/appeals/tags/seeds7",
)


def _text(number: int, language: str) -> str:
    lines = (
        f"subject: Letter {number}",
        f"language: {language}",
        f"tags: [seeds{number % 20}, harvest]",
        "lead: Seeds.",
    )
    return "\n".join(("---", *lines, "---", f"Seeds of {number}.", *(["", "**More** seeds."] * 20)))


def _add_letters(tx: Connection, clock: Clock) -> None:
    """A letter in two languages for each of so many weeks."""
    campaigns, editions, revisions = [], [], []
    for number in range(1, LETTERS + 1):
        at = clock() - timedelta(weeks=LETTERS - number)
        campaigns.append(
            {"id": number, "mailing_list_id": 1, "state": CampaignState.SENT, "subject": f"Letter {number}"}
            | {"launched_at": at, "created_at": at, "finished_at": at}
        )
        for place, language in enumerate(LANGUAGES):
            key = number * len(LANGUAGES) + place
            editions.append({"id": key, "campaign_id": number, "language": language, "is_default": place == 0})
            revisions.append({"id": key, "edition_id": key, "manuscript": _text(number, language), "created_at": at})
    for table, rows in ((campaign, campaigns), (edition, editions), (revision, revisions)):
        tx.execute(insert(table), rows)


@contextmanager
def _counted(app: App) -> Iterator[list[str]]:
    asked: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_more: object) -> None:
        asked.append(statement)

    event.listen(app.database.engine, "before_cursor_execute", note)
    try:
        yield asked
    finally:
        event.remove(app.database.engine, "before_cursor_execute", note)


@pytest.mark.slow
async def test_no_page_of_a_thousand_letters_asks_much_or_takes_long(app: App, clock: Clock) -> None:
    await open_list(app)
    await set_list(app, ADMIN, "appeals", archive="public")
    await app.database.write(_add_letters, clock)
    figures = {}
    transport = httpx.ASGITransport(app=web_app(app))
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as browser:
        for path in PATHS:
            taken = []
            for _ in range(2):
                with _counted(app) as asked:
                    began = time.perf_counter()
                    answer = await browser.get(path)
                    taken.append(time.perf_counter() - began)
                assert answer.status_code == 200, path
                assert len([one for one in asked if one.startswith("SELECT")]) <= MOST_QUERIES, (path, asked)
            figures[path] = taken

    assert all(first <= MOST_COLD_S and again <= MOST_S for first, again in figures.values()), figures
