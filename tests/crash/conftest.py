"""What the crash tests stand on: houses that are closed whatever happens, on SQLite or on a PostgreSQL of their own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.support.crash_harness import (
    Installation,
    OpenInstallation,
    addresses,
    copy_installation,
    create_installation,
)


@pytest.fixture
async def opens(tmp_path: Path) -> AsyncIterator[OpenInstallation]:
    """Sets up a service and its sink."""
    made: list[Installation] = []

    async def open_one(prepared: Path | None = None, **options: Any) -> Installation:
        made.append(
            await (copy_installation(prepared, tmp_path) if prepared else create_installation(tmp_path, **options))
        )
        return made[-1]

    yield open_one
    for house in made:
        await house.close()


@pytest.fixture(scope="session")
def called_up(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder to move in: 300 people on Ada's list, and a campaign to all of them whose hour has come."""
    folder = tmp_path_factory.mktemp("called_up")

    async def prepare() -> None:
        house = await create_installation(folder, connections=8)
        await house.import_people(addresses(300))
        await house.send_campaign()
        await house.close()
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
