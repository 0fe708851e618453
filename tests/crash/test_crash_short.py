"""The promises under kill -9 and SIGTERM, at moments by chance and at the worst ones; `make crash` is the long run."""

from __future__ import annotations

import os
import random

import pytest

from tests.support.crash_harness import OpenInstallation, addresses
from tests.support.crash_kills import KillMoment, plan_kills, run_blast

pytestmark = pytest.mark.slow

CONNECTIONS = 50
PEOPLE = 5000


@pytest.fixture
def seed() -> int:
    """A new random seed for each test, shown if it fails; CRASH_SEED sets it."""
    return int(os.environ.get("CRASH_SEED", random.randrange(10**6)))


KILLS = [KillMoment.BEFORE, KillMoment.RANDOM, KillMoment.AFTER, KillMoment.RECOVERY, KillMoment.ANSWERED]


async def test_kills_in_mid_blast_lose_nobody_and_repeat_at_most_a_letter_a_connection(
    opens: OpenInstallation, seed: int
) -> None:
    house, people = await opens(connections=CONNECTIONS), addresses(PEOPLE)
    await house.import_people(people)

    run = await run_blast(house, people, plan_kills(PEOPLE, KILLS, random.Random(seed)))

    assert run.audit is not None
    broken = run.audit.broken_promises(most_repeats=CONNECTIONS * run.killed)
    assert broken == {}, f"{broken} with CRASH_SEED={seed}"
    assert run.killed == len(KILLS)
    assert run.status["audience"] == sum(run.status["counts"].values()) == PEOPLE


async def test_clean_stops_in_mid_blast_lose_nobody_and_repeat_nobody(opens: OpenInstallation, seed: int) -> None:
    house, people = await opens(connections=CONNECTIONS), addresses(PEOPLE)
    await house.import_people(people)

    run = await run_blast(house, people, plan_kills(PEOPLE, [KillMoment.STOP] * 3, random.Random(seed)))

    assert run.audit is not None
    broken = run.audit.broken_promises(most_repeats=0)
    assert broken == {}, f"{broken} with CRASH_SEED={seed}"
    assert run.status["counts"] == {"accepted": PEOPLE}


async def test_a_launch_that_was_killed_goes_on_where_it_was(opens: OpenInstallation, seed: int) -> None:
    house, people = await opens(connections=CONNECTIONS), addresses(PEOPLE)
    await house.import_people(people)

    run = await run_blast(house, people, plan_kills(PEOPLE, [KillMoment.LAUNCH] * 2, random.Random(seed)))

    assert run.audit is not None
    broken = run.audit.broken_promises(most_repeats=CONNECTIONS * run.killed)
    assert broken == {}, f"{broken} with CRASH_SEED={seed}"
    assert run.status["audience"] == sum(run.status["counts"].values()) == PEOPLE
