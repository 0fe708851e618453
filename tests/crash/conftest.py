"""What the crash tests stand on: houses that are closed whatever happens, on SQLite or on a PostgreSQL of their own."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from harness import House, open_house

OpenHouse = Callable[..., Awaitable[House]]


@pytest.fixture
async def opens(tmp_path: Path) -> AsyncIterator[OpenHouse]:
    """Sets up a service and its sink."""
    made: list[House] = []

    async def open_one(folder: Path = tmp_path, **options: Any) -> House:
        made.append(await open_house(folder, **options))
        return made[-1]

    yield open_one
    for house in made:
        await house.closes()


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
