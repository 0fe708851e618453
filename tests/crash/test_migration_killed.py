"""A service that is killed while it migrates the ledger of an older version starts again, and has lost nothing."""

from __future__ import annotations

import asyncio
from itertools import cycle, islice
from pathlib import Path

import pytest

from tests.support.child_process import PATIENCE_S, ChildProcess
from tests.support.crash_audit import AcceptedLetter, audit_letters, read_log
from tests.support.crash_harness import OpenInstallation, addresses
from tests.support.old_database import CAMPAIGN, write_old_database

pytestmark = pytest.mark.slow

PEOPLE, CONNECTIONS = 500, 10
STATES = ("accepted", "queued", "queued", "claimed", "accepted", "handed", "failed", "queued", "deferred", "queued")


async def test_a_kill_while_an_old_ledger_is_migrated_in_mid_blast_loses_nobody(opens: OpenInstallation) -> None:
    house, people = await opens(connections=CONNECTIONS), addresses(PEOPLE)
    states = dict(zip(people, islice(cycle(STATES), PEOPLE), strict=True))
    write_old_database(house.folder, people, list(states.values()))

    for command, pause_s in (("migrate", 0.0), ("migrate", 0.005), ("serve", 0.002)):
        copies = copies_in(house.folder)
        process = await house.start(command)
        await migrating(house.folder, copies, process)
        await asyncio.sleep(pause_s)
        await process.kill()
    process, _ = await house.start_serving()
    status = await house.wait_sent(CAMPAIGN, process)
    await process.terminate()

    before = [AcceptedLetter(one, "by the old version", 0, 0.0) for one in people if states[one] == "accepted"]
    found = audit_letters(people, await house.report(CAMPAIGN), before + read_log(house.sink.log))
    assert found.broken_promises(most_repeats=CONNECTIONS) == {}
    failed = STATES.count("failed") * PEOPLE // len(STATES)
    assert status["counts"] == {"accepted": PEOPLE - failed, "failed": failed}


def copies_in(folder: Path) -> int:
    """The service copies the file aside before it changes anything."""
    return len(list(folder.glob("mailer.db.before-leaving-*")))


async def migrating(folder: Path, copies: int, process: ChildProcess) -> None:
    """Wait for the copy, which is when the migration begins; or for its end, where there is nothing to migrate."""
    async with asyncio.timeout(PATIENCE_S):
        # Nothing signals that a file appears.
        while copies_in(folder) == copies and not process.has_ended and "started service" not in process.last_lines:  # noqa: ASYNC110
            await asyncio.sleep(0)
