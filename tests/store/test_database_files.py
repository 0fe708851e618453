"""The files of a SQLite database are private from the start, and a replaced file is noticed."""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import Connection, text

from mailer.errors import DatabaseMoved
from mailer.store.database import Database
from mailer.store.database_files import make_private, owner_file
from mailer.store.migration import copy_sqlite_file
from mailer.store.queue.workers import own_database
from mailer.store.spool import SpoolFile


@pytest.fixture(autouse=True)
def umask() -> Iterator[None]:
    """As most machines have it."""
    before = os.umask(0o022)
    yield
    os.umask(before)


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    made = Database(f"sqlite:///{tmp_path}/mailer.db")
    await made.write(lambda tx: tx.execute(text("CREATE TABLE said (word TEXT)")))
    yield made
    await made.close()


async def say(database: Database, word: str) -> None:
    def work(tx: Connection) -> None:
        tx.execute(text("INSERT INTO said VALUES (:word)"), {"word": word})

    await database.write(work)


def said(file: Path) -> list[str]:
    with sqlite3.connect(file) as connection:
        found = [word for (word,) in connection.execute("SELECT word FROM said")]
    connection.close()
    return found


def modes(folder: Path) -> dict[str, int]:
    return {file.name: file.stat().st_mode & 0o777 for file in folder.iterdir()}


def moved(file: Path) -> None:
    file.rename(file.with_name("elsewhere.db"))


def deleted(file: Path) -> None:
    os.link(file, file.with_name("elsewhere.db"))
    file.unlink()


def replaced(file: Path) -> None:
    shutil.copy(file, file.with_name("copy.db"))
    os.link(file, file.with_name("elsewhere.db"))
    file.with_name("copy.db").replace(file)


def without_log(file: Path) -> None:
    os.link(file, file.with_name("elsewhere.db"))
    file.with_name(f"{file.name}-wal").unlink()


def without_index(file: Path) -> None:
    os.link(file, file.with_name("elsewhere.db"))
    file.with_name(f"{file.name}-shm").unlink()


@pytest.mark.parametrize("happens", [moved, deleted, replaced, without_log, without_index])
async def test_nothing_is_written_to_a_moved_database_and_what_was_written_is_complete(
    database: Database, tmp_path: Path, happens: Callable[[Path], None]
) -> None:
    await say(database, "kept")

    happens(tmp_path / "mailer.db")

    for _ in range(2):
        with pytest.raises(DatabaseMoved):
            await say(database, "lost")
    with pytest.raises(DatabaseMoved):
        await database.check_files()
    await database.close()
    assert said(tmp_path / "elsewhere.db") == ["kept"]
    log = tmp_path / "mailer.db-wal"
    assert not log.exists() or log.stat().st_size == 0  # it would be taken for that of the file that is there now


async def test_writes_and_checkpoints_by_others_do_not_count_as_a_move(database: Database, tmp_path: Path) -> None:
    await say(database, "first")
    with sqlite3.connect(tmp_path / "mailer.db") as other:
        other.execute("INSERT INTO said VALUES ('theirs')")
        other.commit()
        other.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    other.close()

    await say(database, "last")
    await database.check_files()

    assert said(tmp_path / "mailer.db") == ["first", "theirs", "last"]


async def test_a_new_connection_never_creates_an_empty_database_where_one_was(
    database: Database, tmp_path: Path
) -> None:
    moved(tmp_path / "mailer.db")

    with pytest.raises(DatabaseMoved):
        await database.read(lambda tx: tx.execute(text("SELECT 1")).scalar_one())

    assert not (tmp_path / "mailer.db").exists()


async def test_no_empty_database_is_created_where_a_service_was_killed_and_its_database_is_gone(tmp_path: Path) -> None:
    owner_file(tmp_path / "mailer.db").write_text("4711")
    gone = Database(f"sqlite:///{tmp_path}/mailer.db")

    with pytest.raises(DatabaseMoved, match="4711"):
        await gone.check_files()
    assert not (tmp_path / "mailer.db").exists()

    owner_file(tmp_path / "mailer.db").unlink()
    await gone.check_files()
    await gone.close()


async def test_all_files_are_created_with_private_modes(database: Database, tmp_path: Path) -> None:
    with own_database(database.engine):
        copy_sqlite_file(database.engine, "0001")
        large = SpoolFile(tmp_path / "spool")
        large.close()

        found = modes(tmp_path)

    assert found.pop("spool") == 0o700
    assert modes(tmp_path / "spool") == {large.name: 0o600}
    names = {"mailer.db", "mailer.db-wal", "mailer.db-shm", "mailer.db.owner", "mailer.db.before-leaving-0001"}
    assert found == dict.fromkeys(names, 0o600)


def test_files_with_wider_modes_are_made_private(tmp_path: Path) -> None:
    (tmp_path / "spool").mkdir()
    of_ours = [
        tmp_path / name for name in ("mailer.db", "mailer.db-wal", "mailer.db.before-leaving-0001", "spool/a.mail")
    ]
    for file in (*of_ours, tmp_path / "other.txt"):
        file.write_text("")
        file.chmod(0o644)

    changed = make_private(tmp_path / "mailer.db", tmp_path / "spool")

    assert set(changed) == {*of_ours, tmp_path / "spool"}
    assert {file.stat().st_mode & 0o777 for file in of_ours} == {0o600}
    assert (tmp_path / "spool").stat().st_mode & 0o777 == 0o700
    assert (tmp_path / "other.txt").stat().st_mode & 0o777 == 0o644
    assert make_private(tmp_path / "mailer.db", tmp_path / "spool") == []
