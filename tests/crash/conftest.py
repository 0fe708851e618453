"""What the crash tests stand on: houses that are closed whatever happens, on SQLite or on a PostgreSQL of their own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.support.crash_harness import House, OpenHouse, everyone, move_in, open_house


@pytest.fixture
async def opens(tmp_path: Path) -> AsyncIterator[OpenHouse]:
    """Sets up a service and its sink."""
    made: list[House] = []

    async def open_one(prepared: Path | None = None, **options: Any) -> House:
        made.append(await (move_in(prepared, tmp_path) if prepared else open_house(tmp_path, **options)))
        return made[-1]

    yield open_one
    for house in made:
        await house.closes()


@pytest.fixture(scope="session")
def called_up(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder to move in: 300 people on Ada's list, and a campaign to all of them whose hour has come."""
    folder = tmp_path_factory.mktemp("called_up")

    async def prepare() -> None:
        house = await open_house(folder, connections=8)
        await house.takes_in(everyone(300))
        await house.calls_up()
        await house.closes()
        house.sink.log.unlink()

    # In a thread: this one belongs to the loop of the test that asked first.
    with ThreadPoolExecutor(1) as thread:
        thread.submit(asyncio.run, prepare()).result()
    return folder


@pytest.fixture
def durable_postgres(postgres: str, request: pytest.FixtureRequest) -> Iterator[str]:
    """An empty database whose commits outlive its server."""
    name = f"crash_{abs(hash(request.node.nodeid))}"
    with psycopg.connect(postgres.format(name="postgres"), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")  # type: ignore[call-overload]
        connection.execute(f"ALTER DATABASE {name} SET synchronous_commit = on")  # type: ignore[call-overload]
    yield postgres.format(name=name)
    with psycopg.connect(postgres.format(name="postgres"), autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")  # type: ignore[call-overload]
