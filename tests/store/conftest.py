"""Each database, as an engine for plain transactions and as the service opens it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest
from sqlalchemy import Engine

from mailer.store.database import Database, is_sqlite, open_engine


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    """Each database, empty."""
    made = open_engine(database_url)
    yield made
    made.dispose()


@pytest.fixture
def shared(engine: Engine) -> Engine:
    """A PostgreSQL that several write to at once: for tests marked `on_postgresql`."""
    assert not is_sqlite(engine)
    return engine


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """Each database, as the service opens it."""
    made = Database(database_url)
    yield made
    await made.close()
