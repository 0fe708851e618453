"""The bench at a tiny scale: its pieces work, its table is written, nobody is lost. No time decides anything."""

from __future__ import annotations

import asyncio
import json
import math
import threading
from pathlib import Path

import pytest
from sqlalchemy import select

from bench.__main__ import measure
from bench.figure import Curve, Figure, percentile
from bench.plot import plot
from bench.unsubscribe_load import UnsubscribeLoad, send_requests
from bench.workloads import Sizes
from mailer.app import App
from mailer.domain.subscription import SubscriptionState
from mailer.store.people_tables import subscription
from tests.support.app_helpers import import_rows, open_list
from tests.support.running_service import running_service

TINY = Sizes(
    blast=200,
    other_blasts=200,
    launch=200,
    import_rows=200,
    leaving_s=0.2,
    yardstick=200,
    mails=40,
    console_people=2000,
)


@pytest.mark.slow
def test_a_bench_of_two_hundred_people_loses_nobody_and_writes_its_table_and_plot(tmp_path: Path) -> None:
    figures = measure(["import", "sqlite", "intake", "console"], TINY, tmp_path, our_sink=True)

    by_work = {figure.work: figure for figure in figures}
    sent = by_work["200 letters, unsigned, SQLite"]
    assert all(figure.value > 0 for figure in figures)
    assert sent.yardstick == "our own source"
    assert sent.ratio is not None
    assert set(sent.cpu_us) == {"service", "sink"}
    table = (tmp_path / "latest.md").read_text()
    assert all(f"| {work} |" in table for work in by_work)
    found = json.loads((tmp_path / "latest.json").read_text())
    assert found["curves"][0]["points"][-1][1] == 200
    assert (tmp_path / "rate.svg").read_text().startswith("<svg ")


async def test_everybody_leaves_and_is_timed(app: App) -> None:
    await open_list(app)
    await import_rows(app, *(f"person{number}@example.org,,en" for number in range(3)))
    left = UnsubscribeLoad()

    async with running_service(app) as service:
        port, keyring = service.ports.web_port, app.site.keyring
        await asyncio.to_thread(send_requests, left, threading.Event(), port, keyring, 3)
        states = await app.database.read(lambda tx: tx.execute(select(subscription.c.state)).scalars().all())
    assert left.failures == []
    assert len(left.latencies_ms(0, math.inf)) == 3
    assert states == [SubscriptionState.UNSUBSCRIBED] * 3


@pytest.mark.parametrize(("rate", "verdict"), [(300, "missed by 50 %"), (700, "met"), (1000, "met, and the aim")])
def test_a_rate_is_held_against_its_bar_in_yardsticks(rate: float, verdict: str) -> None:
    figure = Figure(work="sending", value=rate, unit="letters/s", its_value=1000, bar=0.6, aim=1.0)

    assert figure.verdict == verdict


@pytest.mark.parametrize(("wait", "verdict"), [(120, "missed by 20 %"), (90, "met"), (15, "met, and the aim")])
def test_of_a_wait_less_is_better(wait: float, verdict: str) -> None:
    figure = Figure(work="leaving", value=wait, unit="ms", bar=100, aim=20, less_is_better=True)

    assert figure.verdict == verdict


def test_a_percentile_is_one_of_the_values() -> None:
    hundred = [float(number) for number in range(1, 101)]

    assert percentile(hundred, 0.5) == 50
    assert percentile(hundred, 0.99) == 99
    assert percentile([7.0], 0.99) == 7


def test_the_plot_of_a_blast_too_short_for_a_curve_is_still_a_plot() -> None:
    curve = Curve(title="a < b", points=[(0.0, 0), (0.1, 200)], yardstick="smtp-source", its_rate=10_000)

    assert "a &lt; b" in plot([curve], "Rate")
