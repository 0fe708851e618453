"""What every test of the whole service stands on: both databases, a clock moved by hand, a relay that remembers."""

from __future__ import annotations

import gc
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import psycopg
import pytest
import structlog
from hypothesis import HealthCheck, settings

from mailer.app import App
from mailer.store.migration import migrate_database
from tests.support.app_helpers import ROOT, Clock, make_app
from tests.support.console_helpers import Furniture, furnish_database
from tests.support.fake_relay import FakeRelay
from tests.support.postgres import find_binaries, running_postgres

MIGRATIONS = ROOT / "migrations"
_MEMORY, _ROOM = Path("/dev/shm"), 4 * 2**30

# A disk would be waited for at each of a hundred thousand commits.
if "TMPDIR" not in os.environ and os.access(_MEMORY, os.W_OK) and shutil.disk_usage(_MEMORY).free > _ROOM:
    os.environ["TMPDIR"] = tempfile.tempdir = str(_MEMORY)

# Structlog's own way writes every local variable beside a traceback, which takes seconds.
_PLAIN = structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
structlog.configure(processors=[*structlog.get_config()["processors"][:-1], _PLAIN])

# A busy machine must not decide a test: hypothesis may take its time.
settings.register_profile("house", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("quick", settings.get_profile("house"), max_examples=40)
QUICK = "not slow"


def pytest_configure(config: pytest.Config) -> None:
    """Before the tests are imported, which ask hypothesis for so many examples."""
    settings.load_profile("quick" if config.option.markexpr == QUICK else "house")


def pytest_collection_finish() -> None:
    """What was imported stays: the garbage collector need not look at it again and again."""
    gc.collect()
    gc.freeze()


def pytest_xdist_auto_num_workers() -> int:
    """For `-n auto`: half as many again as there are cores, since the longest tests wait for processes of ours."""
    return (os.cpu_count() or 1) * 3 // 2


ON_BOTH_QUICKLY = (
    "tests/store/queue/",
    "tests/store/counts/",
    "tests/store/test_bulk_rows.py",
    "tests/store/test_migration.py",
)
"""Where `make test` uses PostgreSQL, too: what differs by database is here."""


@pytest.hookimpl(tryfirst=True)  # before the marks choose
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Elsewhere a test that runs on SQLite as well is slow on PostgreSQL: `make test-all` runs it there.

    The others are few: one worker runs them, so that one server is started.
    """
    names = {item.nodeid for item in items}
    for item in items:
        has_twin = "postgresql" in item.nodeid and item.nodeid.replace("postgresql", "sqlite") in names
        if has_twin and (not item.nodeid.startswith(ON_BOTH_QUICKLY) or "test_the_queue_keeps" in item.nodeid):
            item.add_marker(pytest.mark.slow)
        elif "postgresql" in item.nodeid and config.option.markexpr == QUICK:
            item.add_marker(pytest.mark.xdist_group("postgresql"))


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """Where to connect, with {name} for the database's; a database called `template` is migrated."""
    binaries = find_binaries()
    if binaries is None:
        pytest.skip("no PostgreSQL here: neither the wheel's binaries nor the system's")
    with running_postgres(binaries) as where:
        with psycopg.connect(where.format(name="postgres"), autocommit=True) as connection:
            connection.execute("CREATE DATABASE template")
        migrate_database(where.format(name="template"), MIGRATIONS)
        yield where


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite file to copy."""
    file = tmp_path_factory.mktemp("sqlite") / "template.db"
    migrate_database(f"sqlite:///{file}", MIGRATIONS)
    return file


@pytest.fixture(scope="session")
def furniture(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Furniture:
    """A SQLite file with organisers of each role, people and campaigns, to copy."""
    return furnish_database(sqlite_template, tmp_path_factory.mktemp("furniture"))


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A fresh, migrated database of each kind."""
    if request.param == "sqlite":
        file = shutil.copy(request.getfixturevalue("sqlite_template"), tmp_path / "mailer.db")
        yield f"sqlite:///{file}"
        return
    where, name = request.getfixturevalue("postgres"), f"test_{abs(hash(request.node.nodeid))}"
    with psycopg.connect(where.format(name="postgres"), autocommit=True) as connection:
        # Its files copied: a third of the time that their log takes (since PostgreSQL 15).
        how = "STRATEGY FILE_COPY" if connection.info.server_version >= 150_000 else ""
        connection.execute(f"CREATE DATABASE {name} TEMPLATE template {how}")  # type: ignore[call-overload]
        yield where.format(name=name)
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")  # type: ignore[call-overload]


@pytest.fixture
def clock() -> Clock:
    """Moved by hand."""
    return Clock()


@pytest.fixture
async def relay() -> AsyncIterator[FakeRelay]:
    """Never fails on its own, and remembers everything."""
    async with FakeRelay() as fake:
        yield fake


@pytest.fixture
async def app(database_url: str, clock: Clock, relay: FakeRelay) -> AsyncIterator[App]:
    """The service on each database, before any door is open."""
    made = make_app(database_url, clock, relay.port)
    yield made
    await made.close()


@pytest.fixture
async def again(database_url: str, clock: Clock, relay: FakeRelay) -> AsyncIterator[Callable[[], App]]:
    """The service started once more on the same database."""
    made: list[App] = []

    def start() -> App:
        made.append(make_app(database_url, clock, relay.port))
        return made[-1]

    yield start
    for one in made:
        await one.close()
