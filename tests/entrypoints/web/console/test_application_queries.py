"""No page of the console looks through all people, letters or bounces, however many there are; none asks much."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, event, text

from bench.many_rows import ManyRows, add_many_rows
from mailer.actions.maintenance.count_people import AudienceRecounts, count_days, recount_audiences
from mailer.app import App
from mailer.entrypoints.web.console.session_guard import is_open
from mailer.store.database import is_sqlite, open_engine
from tests.support.app_helpers import make_app
from tests.support.console_helpers import (
    ADA_OWNER,
    Furniture,
    TickingClock,
    add_furniture,
    add_organiser,
    http_browser,
)
from tests.support.console_pages import NOT_PAGES, VIEWS, View, example_path, views_of
from tests.support.fake_relay import FakeRelay

MOST_QUERIES = 12
"""Of one page."""
MOST_STEPS = 400_000
"""Of SQLite's virtual machine, for one page: looking at 100,000 rows takes more."""
LARGE = frozenset({"subscriber", "subscription", "delivery", "consent", "returned"})
ROWS = ManyRows(people=100_000, campaigns=200, deliveries=400_000)
_ALIASES = re.compile(r"\b(?:FROM|JOIN)\s+(\w+)\s+AS\s+(\w+)", re.IGNORECASE)
_STEPS_AT_ONCE = 1000


@dataclass
class Recorded:
    """What a page asked the database."""

    statements: list[tuple[str, Any]] = field(default_factory=list)
    steps: int = 0


@dataclass(frozen=True)
class LargeHouse:
    app: App
    furniture: Furniture


@pytest.fixture
async def large(database_url: str, tmp_path: Path) -> AsyncIterator[LargeHouse]:
    """A furnished database in which the list `appeals` has grown for years."""
    clock = TickingClock()
    async with FakeRelay() as relay:
        app = make_app(database_url, clock, relay.port)
        app = replace(app, site=replace(app.site, url="http://127.0.0.1:9"))
        campaigns = await add_furniture(app, clock, relay)
    words = {ADA_OWNER.name: await add_organiser(app, ADA_OWNER)}
    await app.database.write(add_many_rows, 1, ROWS)
    campaigns["sent"] = await app.database.read(_newest_campaign)
    _analyse(database_url)
    await count_days(app)
    await recount_audiences(app, AudienceRecounts())
    yield LargeHouse(app, Furniture(file=tmp_path, at=clock(), campaigns=campaigns, words=words))
    await app.close()


def _newest_campaign(tx: Connection) -> int:
    return int(tx.execute(text("SELECT max(id) FROM campaign")).scalar_one())


def _analyse(url: str) -> None:
    engine = open_engine(url)
    if not is_sqlite(engine):
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("VACUUM ANALYZE"))
    engine.dispose()


async def test_no_page_reads_a_large_table_as_a_whole(large: LargeHouse) -> None:
    app, faults = large.app, list[str]()
    async with http_browser(app, large.furniture, ADA_OWNER) as browser:
        for view in _views():
            path = example_path(view, large.furniture.campaigns)
            await browser.get(path)  # what is asked once for all pages, such as whether the session was used
            with _recording(app) as recorded:
                answer = await browser.get(path)
            assert answer.status_code == 200 or is_open(view.path), path
            faults += await app.database.read(_faults, str(view), recorded)

    assert not faults, "\n\n".join(faults)


def _views() -> Iterator[View]:
    yield from VIEWS
    yield from (views_of(path)[0] for path in NOT_PAGES if path.endswith(("preview/{language}", "frame")))


@contextmanager
def _recording(app: App) -> Iterator[Recorded]:
    """Record the statements of this app's database while the block runs."""
    recorded = Recorded()

    def count() -> None:
        recorded.steps += _STEPS_AT_ONCE

    def before(_: Any, cursor: Any, statement: str, parameters: Any, *__: Any) -> None:
        if statement.startswith("BEGIN"):
            return
        recorded.statements.append((statement, parameters))
        if hasattr(cursor.connection, "set_progress_handler"):
            cursor.connection.set_progress_handler(count, _STEPS_AT_ONCE)

    event.listen(app.database.engine, "before_cursor_execute", before)
    try:
        yield recorded
    finally:
        event.remove(app.database.engine, "before_cursor_execute", before)


def _faults(tx: Connection, page: str, recorded: Recorded) -> list[str]:
    faults = []
    if len(recorded.statements) > MOST_QUERIES:
        counted = "\n".join(statement for statement, _ in recorded.statements)
        faults.append(f"{page}: {len(recorded.statements)} queries:\n{counted}")
    if recorded.steps > MOST_STEPS:
        faults.append(f"{page}: {recorded.steps:,} steps of SQLite")
    for statement, parameters in recorded.statements:
        if statement.lstrip().startswith(("SELECT", "WITH")):
            scanned = _scanned_on_sqlite if is_sqlite(tx) else _scanned_on_postgresql
            faults += [f"{page}: scans {table}: {statement}" for table in scanned(tx, statement, parameters) & LARGE]
    return faults


def _scanned_on_sqlite(tx: Connection, statement: str, parameters: Any) -> set[str]:
    """The tables that SQLite goes through from end to end, with no bound by an index or a LIMIT."""
    aliases = {alias: table for table, alias in _ALIASES.findall(statement)}
    lines = tx.exec_driver_sql("EXPLAIN QUERY PLAN " + statement, parameters).all()
    names = {line[3].split()[1] for line in lines if line[3].startswith("SCAN ")}
    return {aliases.get(name, name) for name in names}


def _scanned_on_postgresql(tx: Connection, statement: str, parameters: Any) -> set[str]:
    """The tables that PostgreSQL would read from end to end, by their pages or by an index without a condition."""
    plan = tx.exec_driver_sql("EXPLAIN (FORMAT JSON) " + statement, parameters).scalar_one()
    found = set[str]()

    def look(node: dict[str, Any], is_limited: bool) -> None:
        whole = node["Node Type"] == "Seq Scan" or ("Index" in node["Node Type"] and "Index Cond" not in node)
        if whole and not is_limited and "Relation Name" in node:
            found.add(node["Relation Name"])
        for inner in node.get("Plans", []):
            look(inner, node["Node Type"] == "Limit" or (is_limited and node["Node Type"] not in _TAKES_ALL))

    look((plan if isinstance(plan, list) else json.loads(plan))[0]["Plan"], False)
    return found


_TAKES_ALL = frozenset({"Sort", "Aggregate", "Hash", "WindowAgg"})
"""What reads everything below it, even where only some is asked of it."""
