"""Workload: the console's pages on a database that has grown for years, compared with a bare page with one read."""

from __future__ import annotations

import http.client
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from sqlalchemy import Connection, text

from bench.figure import Figure, MeasurementFailed, percentile
from bench.many_rows import ManyRows, add_many_rows
from bench.process import PYTHON, ROOT, child_process
from bench.service import running_service
from bench.workloads import DATABASE_NAMES, BenchmarkRun
from bench.workspace import LIST, Workspace
from mailer.actions.accounts.sessions import open_session
from mailer.actions.maintenance.count_people import AudienceRecounts, count_days, recount_audiences
from mailer.app import App
from mailer.domain.accounts.role import Grant, Role
from mailer.domain.address import parse_address
from mailer.store.accounts import organisers
from mailer.store.database import is_sqlite, open_engine

_CAMPAIGNS = 200
_ROUNDS, _WARM_UP = 30, 3
_BARE = "a bare Starlette page with one read"
_PAGES = (
    "/console",
    "/console/campaigns",
    "/console/campaigns/calendar",
    "/console/subscribers",
    "/console/lists",
    f"/console/lists/{LIST}",
    "/console/settings/audit",
    "/console/campaigns/{sent}/report",
    "/console/campaigns/{draft}/review",
    "/console/campaigns/{draft}/write/en",
)
_PREVIEW = "/console/campaigns/{draft}/preview/en"


class _Browser:
    """One connection to a port, with a cookie."""

    def __init__(self, port: int, cookie: str = "") -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        self._headers = {"Cookie": cookie}

    def time_ms(self, path: str) -> float:
        """Milliseconds of one GET. MeasurementFailed unless it is answered 200."""
        began = time.perf_counter()
        self._connection.request("GET", path, headers=self._headers)
        answer = self._connection.getresponse()
        answer.read()
        if answer.status != 200:
            raise MeasurementFailed(f"{path} was answered {answer.status}")
        return (time.perf_counter() - began) * 1000


def _measure_in_turn(console: _Browser, bare: _Browser, paths: Sequence[str]) -> tuple[list[list[float]], list[float]]:
    """The times of each path, and of the yardstick: one after the other, so that a busy moment meets all."""
    times: list[list[float]] = [[] for _ in paths]
    yardstick: list[float] = []
    for one in range(_WARM_UP + _ROUNDS):
        found = []
        for path in paths:
            found.append(console.time_ms(path))
            yardstick += [bare.time_ms("/")] if one >= _WARM_UP else []
        if one >= _WARM_UP:
            for kept, took in zip(times, found, strict=True):
                kept.append(took)
    return times, yardstick


def measure_console(run: BenchmarkRun, kind: str) -> Iterator[Figure]:
    """Fill a database, and fetch each page thirty times, in turn with the yardstick."""
    people = run.sizes.console_people
    rows = ManyRows(people=people, campaigns=_CAMPAIGNS, deliveries=people * 20)
    workspace = Workspace(run.folder, run.databases.fresh(kind, 1))
    workspace.write_settings(relay_port=run.sink.port)
    draft, began = workspace.new_campaign(), time.monotonic()
    workspace.run_action(lambda app: app.database.write(add_many_rows, 1, rows))
    _vacuum(workspace.database)
    filled_s = time.monotonic() - began
    word, sent = workspace.run_action(_prepare)
    with running_service(workspace) as service, _bare_page(workspace.database) as port:
        console = _Browser(service.web_port, f"__Host-mailer={word}")
        paths = [path.format(draft=draft, sent=sent) for path in (*_PAGES, _PREVIEW)]
        (*of_pages, preview), bare = _measure_in_turn(console, _Browser(port), paths)
    times = dict(zip(_PAGES, of_pages, strict=True))
    name = f"{people:,} people, {_CAMPAIGNS} campaigns, {rows.deliveries:,} deliveries, {DATABASE_NAMES[kind]}"
    yield from _page_figures(name, times, bare, f"filled in {filled_s:.0f} s")
    yield Figure(
        work=f"the preview of a letter, 95th percentile, {DATABASE_NAMES[kind]}",
        value=percentile(preview, 0.95),
        unit="ms",
        bar=60,
        less_is_better=True,
        note=f"median {percentile(preview, 0.5):.1f}",
    )


def _page_figures(name: str, times: dict[str, list[float]], bare: list[float], note: str) -> Iterator[Figure]:
    every = [took for found in times.values() for took in found]
    slowest = max(times, key=lambda path: percentile(times[path], 0.5))
    for what, share, bar in (("median", 0.5, 8.0), ("95th percentile", 0.95, 20.0)):
        yield Figure(
            work=f"pages of the console, {what}, {name}",
            value=percentile(every, share),
            unit="ms",
            yardstick=_BARE,
            its_value=percentile(bare, 0.5),
            bar=bar,
            less_is_better=True,
            note=f"slowest {slowest}: {percentile(times[slowest], share):.1f} ms; {note}",
            details={
                path: {"median": percentile(found, 0.5), "p95": percentile(found, 0.95)}
                for path, found in times.items()
            },
        )


async def _prepare(app: App) -> tuple[str, int]:
    """Count what the service counts in the background, and sign in; the session's word, and a sent campaign."""
    await count_days(app)
    await recount_audiences(app, AudienceRecounts())
    address = parse_address("ada@example.net")
    organiser_id, _ = await app.database.write(
        organisers.add, address, name="Ada", language="en", zone="UTC", now=app.clock()
    )
    await app.database.write(organisers.add_grant, organiser_id, Grant(role=Role.OWNER))
    word, _ = await open_session(app, organiser_id, device="the bench")
    return word, await app.database.read(_newest_sent)


def _newest_sent(tx: Connection) -> int:
    return int(tx.execute(text("SELECT max(id) FROM campaign WHERE state = 'sent'")).scalar_one())


def _vacuum(url: str) -> None:
    """Have PostgreSQL know its tables, as its autovacuum would by now."""
    engine = open_engine(url)
    if not is_sqlite(engine):
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("VACUUM ANALYZE"))
    engine.dispose()


@contextmanager
def _bare_page(url: str) -> Iterator[int]:
    """Run the yardstick while the block runs; gives its port."""
    command = (PYTHON, "-m", "bench.bare_page", url)
    with child_process(*command, stdout=subprocess.PIPE, cwd=ROOT) as process:
        assert process.stdout is not None
        yield int(process.stdout.readline())
