"""Several processes: the parent killed alone, a worker that slept beyond its lease, a database that was restarted."""

from __future__ import annotations

import asyncio
import json
import random
import signal

import pytest

from tests.support.child_process import descendants, wait_for_exit
from tests.support.crash_audit import audit_letters, read_log
from tests.support.crash_harness import (
    DOMAIN,
    Installation,
    OpenInstallation,
    addresses,
    default_settings,
)
from tests.support.postgres import restart_postgres

pytestmark = pytest.mark.slow

PEOPLE, CONNECTIONS = 1500, 8
LEASE_S, LONGEST_LEASE_S = 2, 200


async def kill_the_parent_alone(house: Installation) -> None:
    """In mid-blast; its children must see that for themselves."""
    people = addresses(PEOPLE)
    await house.import_people(people)
    campaign_id = await house.send_campaign()
    process, _ = await house.start_serving()
    await house.sink.wait_taken(PEOPLE // 3)
    children = descendants(process.pid)

    assert children
    await process.kill()
    await asyncio.gather(*(wait_for_exit(child) for child in children))
    process, _ = await house.start_serving()
    status = await house.wait_sent(campaign_id, process)
    await process.terminate()

    found = audit_letters(people, await house.report(campaign_id), read_log(house.sink.log))
    assert found.broken_promises(most_repeats=CONNECTIONS) == {}
    assert status["counts"] == {"accepted": PEOPLE}


async def test_children_that_sign_end_with_a_killed_parent_and_the_next_one_loses_nobody(
    opens: OpenInstallation,
) -> None:
    house = await opens(connections=CONNECTIONS)
    await signs(house)

    await kill_the_parent_alone(house)


async def test_children_that_send_end_with_a_killed_parent_and_the_next_one_loses_nobody(
    opens: OpenInstallation, durable_postgres: str
) -> None:
    house = await opens(database=durable_postgres, connections=CONNECTIONS)
    house.set_setting(table_with(house, "workers"), "workers", "2")

    await kill_the_parent_alone(house)


async def test_a_worker_that_slept_beyond_its_lease_repeats_at_most_a_letter_a_connection(
    opens: OpenInstallation, durable_postgres: str
) -> None:
    house, people = await opens(database=durable_postgres, connections=CONNECTIONS), addresses(PEOPLE)
    house.set_setting(table_with(house, "lease_s"), "lease_s", str(LEASE_S))
    await house.import_people(people)
    campaign_id = await house.send_campaign()

    sleeper, other = await house.start("worker"), await house.start("worker")
    await house.sink.wait_taken(PEOPLE // 3)
    sleeper.signal(signal.SIGSTOP)
    status = await house.wait_sent(campaign_id, other, LONGEST_LEASE_S)  # what it had claimed is taken back, too
    sleeper.signal(signal.SIGCONT)
    await sleeper.terminate()
    await other.terminate()

    found = audit_letters(people, await house.report(campaign_id), read_log(house.sink.log))
    assert found.broken_promises(most_repeats=CONNECTIONS, at_a_crash=False) == {}
    assert status["counts"] == (await house.status(campaign_id))["counts"] == {"accepted": PEOPLE}


async def test_workers_that_are_killed_in_turn_lose_nobody(opens: OpenInstallation, durable_postgres: str) -> None:
    house, people = await opens(database=durable_postgres, connections=CONNECTIONS), addresses(PEOPLE)
    await house.import_people(people)
    campaign_id = await house.send_campaign()

    first, second = await house.start("worker"), await house.start("worker")
    await house.sink.wait_taken(PEOPLE // 4)
    await first.kill()
    third = await house.start("worker")
    await house.sink.wait_taken(PEOPLE // 4)
    await second.kill()
    status = await house.wait_sent(campaign_id, third)
    await third.terminate()

    found = audit_letters(people, await house.report(campaign_id), read_log(house.sink.log))
    assert found.broken_promises(most_repeats=2 * CONNECTIONS) == {}
    assert status["counts"] == {"accepted": PEOPLE}


@pytest.mark.parametrize("command", ["serve", "worker"])
async def test_a_database_that_is_restarted_in_mid_blast_loses_nobody(
    opens: OpenInstallation, durable_postgres: str, command: str
) -> None:
    house, people = await opens(database=durable_postgres, connections=CONNECTIONS), addresses(PEOPLE)
    await house.import_people(people)
    campaign_id = await house.send_campaign()

    process = await house.start(command)
    for _ in range(2):
        await house.sink.wait_taken(random.randrange(PEOPLE // 4, PEOPLE // 3))
        await asyncio.to_thread(restart_postgres, durable_postgres)
    status = await house.wait_sent(campaign_id, process)
    await process.terminate()

    found = audit_letters(people, await house.report(campaign_id), read_log(house.sink.log))
    assert found.broken_promises(most_repeats=2 * CONNECTIONS) == {}
    assert status["counts"] == {"accepted": PEOPLE}


def table_with(house: Installation, key: str) -> str:
    """The name of the settings table that has a key, in brackets if it is an array of tables."""
    for name, table in default_settings(house).items():
        if key in (table[0] if isinstance(table, list) else table):
            return f"[{name}]" if isinstance(table, list) else name
    raise LookupError(f"no table of the settings has {key}")


async def signs(house: Installation) -> None:
    """Let the service sign its letters."""
    made = json.loads(await house.command("dkim", "new", "--selector", "crash", "--json"))
    for key, value in (("key_file", made["key_file"]), ("selector", "crash"), ("domain", DOMAIN)):
        house.set_setting("[dkim]", key, f'"{value}"')
