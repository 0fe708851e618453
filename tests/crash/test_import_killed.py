"""An import that is killed at any moment, and run again, ends as one that was not."""

from __future__ import annotations

import asyncio
import csv
import io
import json
import random
from pathlib import Path

import pytest
from sqlalchemy import func, select

from bench.imports import write_export
from mailer.importers.export_format import ReadOptions
from mailer.importers.open_export import open_export
from mailer.importers.person_row import PersonRow
from mailer.importers.sources.open_source import open_source
from mailer.store.database import open_engine
from mailer.store.imports.import_tables import import_change, import_run
from mailer.store.people_tables import consent
from tests.support.child_process import PATIENCE_S, ChildProcess
from tests.support.crash_harness import Installation, OpenInstallation

PEOPLE = 1500


@pytest.mark.parametrize("kills", [1, pytest.param(6, marks=pytest.mark.slow)])
async def test_a_killed_import_that_is_run_again_ends_as_one_that_was_not(
    opens: OpenInstallation, tmp_path: Path, kills: int
) -> None:
    await _kill_and_repeat(await opens(), f"sqlite:///{tmp_path}/mailer.db", kills, PEOPLE)


@pytest.mark.slow
async def test_so_does_one_on_postgresql(opens: OpenInstallation, durable_postgres: str) -> None:
    await _kill_and_repeat(await opens(database=durable_postgres), durable_postgres, 4, 4 * PEOPLE)


async def _kill_and_repeat(house: Installation, url: str, kills: int, number_of_people: int) -> None:
    await house.command("list", "add", "appeals", "--name", "Open Appeals", "--owner", "ada@example.net")
    export = write_export(house.folder / "audience", number_of_people)
    words = ("import-from", str(export), "--list", "appeals", "--yes", "--json")
    chance = random.Random(kills)

    for number in range(1, kills + 1):
        process = await house.start(*words)
        await _changed(process, url, number, chance.randrange(1, number_of_people // kills))
        await process.kill()
    last = json.loads(await house.command(*words))

    table = await house.command("subscribers", "export", "--list", "appeals", "--all", "--no-bom")
    found = {row["email"]: (row["name"], row["state"], row["suppressed"]) for row in csv.DictReader(io.StringIO(table))}
    assert found == _expected(export)
    engine = open_engine(url)
    with engine.connect() as tx:
        ended = tx.execute(select(import_run.c.ended_at).order_by(import_run.c.id)).scalars().all()
        lines, people = tx.execute(select(func.count(), func.count(consent.c.subscriber_id.distinct()))).one()
        changes = tx.execute(select(func.count()).select_from(import_change)).scalar_one()
    engine.dispose()
    assert (len(ended), ended[0] is None, ended[-1] is None) == (kills + 1, True, False)
    assert {lines, people, changes} == {number_of_people}, "each person was imported once"
    assert last["counts"]["unchanged"] > 0


async def _changed(process: ChildProcess, url: str, run: int, people: int) -> None:
    """Wait until a run has changed so many people, or is over."""
    engine = open_engine(url)
    query = select(func.count()).select_from(import_change).where(import_change.c.run_id == run)
    try:
        async with asyncio.timeout(PATIENCE_S):
            while not process.has_ended:
                with engine.connect().execution_options(writing=False) as tx:
                    if tx.execute(query).scalar_one() >= people:
                        return
                # Nothing signals that a row appears.
                await asyncio.sleep(0.002)
    finally:
        engine.dispose()


def _expected(export: Path) -> dict[str, tuple[str, str, str]]:
    """Name, state and suppressions of each person, by address, as the files say."""
    people = {}
    with open_source(export) as source:
        for _, row in open_export(source, None, ReadOptions()).rows.rows:
            assert isinstance(row, PersonRow)
            suppressed = "; ".join(str(one) for one in row.suppressions)
            people[row.address.addr_spec] = (row.name or "", str(row.state), suppressed)
    return people
