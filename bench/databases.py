"""Fresh databases filled with people, SQLite or PostgreSQL."""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
from sqlalchemy import Connection, text
from sqlalchemy.engine import make_url

from bench.workspace import ADMIN, LIST, Workspace
from mailer.actions.lists.edit_list import add_list
from mailer.bootstrap import resource_folder
from mailer.domain.keyring import Keyring
from mailer.domain.subscription import SubscriptionState
from mailer.store.database import open_engine
from mailer.store.inserts import insert_into, insert_many
from mailer.store.migration import migrate_database
from mailer.store.people_tables import subscriber, subscription
from tests.support.postgres import find_binaries, running_postgres

_CHUNK = 20_000
_SERVER_SETTINGS = ("shared_buffers=256MB", "max_wal_size=4GB", "max_connections=100")
"""All else is PostgreSQL's default: fsync and synchronous_commit are on."""


@dataclass(slots=True)
class Databases:
    """The databases of one run. Each size is filled once and then copied."""

    folder: Path
    keyring: Keyring
    server: str | None = None
    """The url of a PostgreSQL database that we may connect to; None until one is needed."""
    server_pid: int | None = None
    _filled: dict[tuple[str, int], str] = field(default_factory=dict)
    _stack: ExitStack = field(default_factory=ExitStack)
    _made: int = 0

    def close(self) -> None:
        """Drop the databases and stop the server that this object started."""
        self._stack.close()

    def fresh(self, kind: str, people: int) -> str:
        """The url of a new database, `sqlite` or `postgresql`, with `people` confirmed people on its one list."""
        if (kind, people) not in self._filled:
            url = self._empty(kind)
            fill_database(url, self.keyring, people, self.folder)
            self._filled[kind, people] = url
        self._made += 1
        filled = self._filled[kind, people]
        return self._copy_file(filled) if kind == "sqlite" else self._create(template=filled)

    def _empty(self, kind: str) -> str:
        self._made += 1
        return f"sqlite:///{self.folder}/filled{self._made}.db" if kind == "sqlite" else self._create()

    def _copy_file(self, filled: str) -> str:
        file = self.folder / f"copy{self._made}.db"
        shutil.copy(filled.removeprefix("sqlite:///"), file)
        with file.open("rb") as copied:
            os.fsync(copied.fileno())  # else it would be written to disk while we measure
        return f"sqlite:///{file}"

    def _create(self, template: str | None = None) -> str:
        where = make_url(self.server or self._start_server())
        name = f"mailer_bench_{os.getpid()}_{self._made}"
        address = where.set(drivername="postgresql").render_as_string(hide_password=False)
        source = f" TEMPLATE {make_url(template).database}" if template else ""
        with psycopg.connect(address, autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}{source}")
            connection.execute("CHECKPOINT")
        self._stack.callback(_drop, address, name)
        return where.set(database=name).render_as_string(hide_password=False)

    def _start_server(self) -> str:
        binaries = find_binaries()
        if binaries is None:
            raise LookupError("no PostgreSQL here: neither the wheel's binaries nor the system's")
        template = self._stack.enter_context(running_postgres(binaries, _SERVER_SETTINGS))
        self.server = template.format(name="postgres")
        home = make_url(self.server).query["host"]
        self.server_pid = int(Path(f"{home}/data/postmaster.pid").read_text().splitlines()[0])
        return self.server


def _drop(address: str, name: str) -> None:
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


@contextmanager
def open_databases(folder: Path, keyring: Keyring, server: str | None) -> Iterator[Databases]:
    """Databases in `folder` and on the PostgreSQL `server`, which is started if None; they are dropped at the end."""
    made = Databases(folder, keyring, server)
    try:
        yield made
    finally:
        made.close()


def fill_database(url: str, keyring: Keyring, people: int, folder: Path) -> None:
    """Migrate an empty database, and put `people` invented, confirmed people on a list."""
    workspace = Workspace(folder, url)
    workspace.write_settings(relay_port=25)
    migrate_database(url, resource_folder("migrations"))
    workspace.run_action(lambda app: add_list(app, ADMIN, name=LIST, title="The bench", owner="ada@example.net"))
    engine = open_engine(url)
    now = datetime.now(UTC)
    with engine.begin() as tx:
        for first in range(1, people + 1, _CHUNK):
            _add_people(tx, keyring, range(first, min(first + _CHUNK, people + 1)), now)
        if tx.dialect.name == "postgresql":
            for table in ("subscriber", "subscription"):
                tx.execute(text(f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), {people})"))
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT", writing=False) as connection:
        if engine.dialect.name == "postgresql":
            connection.execute(text("VACUUM ANALYZE"))
    engine.dispose()
    if url.startswith("sqlite"):
        with sqlite3.connect(url.removeprefix("sqlite:///")) as plain:
            plain.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _add_people(tx: Connection, keyring: Keyring, numbers: range, now: datetime) -> None:
    people = [_person(keyring, number, now) for number in numbers]
    insert_many(tx, insert_into(tx, subscriber), people)
    insert_many(tx, insert_into(tx, subscription), [_subscription(number, now) for number in numbers])


def _person(keyring: Keyring, number: int, now: datetime) -> dict[str, Any]:
    address = f"person{number}@mail{number % 100}.example.org"
    return {
        "id": number,
        "address": address,
        "address_key": address,
        "mailbox_key": address,
        "suppression_key": keyring.suppression_key(address),
        "name": f"Person {number}",
        "language": "en",
        "created_at": now,
    }


def _subscription(number: int, now: datetime) -> dict[str, Any]:
    return {
        "id": number,
        "mailing_list_id": 1,
        "subscriber_id": number,
        "state": SubscriptionState.CONFIRMED,
        "attributes": {"town": f"Town {number % 50}"},
        "created_at": now,
        "changed_at": now,
    }
