"""Several processes: the parent killed alone, a worker that slept beyond its lease, a database that was restarted."""

from __future__ import annotations

import asyncio
import json
import random
import signal

import pytest

from tests.support.child_process import descendants, gone
from tests.support.crash_audit import compare, read_log
from tests.support.crash_harness import DOMAIN, LONG, House, OpenHouse, everyone, known_settings, knows
from tests.support.postgres import restart_postgres

PEOPLE, CONNECTIONS = 3000, 8
LEASE_S, LONGEST_LEASE_S = 2, 200


async def kill_the_parent_alone(house: House) -> None:
    """In mid-blast; its children must see that for themselves."""
    people = everyone(PEOPLE)
    await house.takes_in(people)
    campaign_id = await house.calls_up()
    process, _ = await house.serves()
    await house.sink.took(PEOPLE // 3)
    children = descendants(process.pid)

    if not children:
        pytest.skip("this version starts no process for this")
    await process.dies()
    await asyncio.gather(*(gone(child) for child in children))
    process, _ = await house.serves()
    told = await house.until_sent(campaign_id, process)
    await process.stops()

    found = compare(people, await house.report(campaign_id), read_log(house.sink.log))
    assert found.broken(most_repeats=CONNECTIONS) == {}
    assert told["counts"] == {"accepted": PEOPLE}


@LONG
async def test_children_that_sign_end_with_a_killed_parent_and_the_next_one_loses_nobody(opens: OpenHouse) -> None:
    house = await opens(connections=CONNECTIONS)
    if not await knows(house, "dkim", "new"):
        pytest.skip("this version does not sign")
    await signs(house)

    await kill_the_parent_alone(house)


async def test_children_that_send_end_with_a_killed_parent_and_the_next_one_loses_nobody(
    opens: OpenHouse, durable_postgres: str
) -> None:
    house = await opens(database=durable_postgres, connections=CONNECTIONS)
    if (table := table_with(house, "workers")) is None:
        pytest.skip("this version has no sending processes of its own: there is no setting `workers`")
    house.sets(table, "workers", "2")

    await kill_the_parent_alone(house)


@LONG
async def test_a_worker_that_slept_beyond_its_lease_repeats_at_most_a_letter_a_connection(
    opens: OpenHouse, durable_postgres: str
) -> None:
    house, people = await opens(database=durable_postgres, connections=CONNECTIONS), everyone(PEOPLE)
    if not await knows(house, "worker"):
        pytest.skip("this version has no `mailer worker`")
    if (table := table_with(house, "lease_s")) is not None:
        house.sets(table, "lease_s", str(LEASE_S))
    await house.takes_in(people)
    campaign_id = await house.calls_up()

    sleeper, other = await house.start("worker"), await house.start("worker")
    await house.sink.took(PEOPLE // 3)
    sleeper.signal(signal.SIGSTOP)
    told = await house.until_sent(campaign_id, other, LONGEST_LEASE_S)  # what it had claimed is taken back, too
    sleeper.signal(signal.SIGCONT)
    await sleeper.stops()
    await other.stops()

    found = compare(people, await house.report(campaign_id), read_log(house.sink.log))
    assert found.broken(most_repeats=CONNECTIONS, at_a_crash=False) == {}
    assert told["counts"] == (await house.status(campaign_id))["counts"] == {"accepted": PEOPLE}


@LONG
async def test_workers_that_are_killed_in_turn_lose_nobody(opens: OpenHouse, durable_postgres: str) -> None:
    house, people = await opens(database=durable_postgres, connections=CONNECTIONS), everyone(PEOPLE)
    if not await knows(house, "worker"):
        pytest.skip("this version has no `mailer worker`")
    await house.takes_in(people)
    campaign_id = await house.calls_up()

    first, second = await house.start("worker"), await house.start("worker")
    await house.sink.took(PEOPLE // 4)
    await first.dies()
    third = await house.start("worker")
    await house.sink.took(PEOPLE // 4)
    await second.dies()
    told = await house.until_sent(campaign_id, third)
    await third.stops()

    found = compare(people, await house.report(campaign_id), read_log(house.sink.log))
    assert found.broken(most_repeats=2 * CONNECTIONS) == {}
    assert told["counts"] == {"accepted": PEOPLE}


@pytest.mark.parametrize("command", ["serve", pytest.param("worker", marks=LONG)])
async def test_a_database_that_is_restarted_in_mid_blast_loses_nobody(
    opens: OpenHouse, durable_postgres: str, command: str
) -> None:
    house, people = await opens(database=durable_postgres, connections=CONNECTIONS), everyone(PEOPLE)
    if not await knows(house, command):
        pytest.skip(f"this version has no `mailer {command}`")
    await house.takes_in(people)
    campaign_id = await house.calls_up()

    process = await house.start(command)
    for _ in range(2):
        await house.sink.took(random.randrange(PEOPLE // 4, PEOPLE // 3))
        await asyncio.to_thread(restart_postgres, durable_postgres)
    told = await house.until_sent(campaign_id, process)
    await process.stops()

    found = compare(people, await house.report(campaign_id), read_log(house.sink.log))
    assert found.broken(most_repeats=2 * CONNECTIONS) == {}
    assert told["counts"] == {"accepted": PEOPLE}


def table_with(house: House, key: str) -> str | None:
    """The table of the settings that holds a key."""
    for name, table in known_settings(house).items():
        if key in (table[0] if isinstance(table, list) else table):
            return f"[{name}]" if isinstance(table, list) else name
    return None


async def signs(house: House) -> None:
    """Let the service sign its letters."""
    made = json.loads(await house.command("dkim", "new", "--selector", "crash", "--json"))
    for key, value in (("key_file", made["key_file"]), ("selector", "crash"), ("domain", DOMAIN)):
        house.sets("[dkim]", key, f'"{value}"')
