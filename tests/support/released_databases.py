"""The databases kept of released versions (see tests/kept/make.py), put where a test can migrate them."""

from __future__ import annotations

import json
import lzma
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest

from tests.support.app_helpers import ROOT

_FOLDER = ROOT / "tests" / "kept"
_RELEASES = sorted(folder for folder in _FOLDER.iterdir() if (folder / "sqlite.db.xz").exists())
ALL_RELEASED = [
    pytest.param((folder, kind), id=f"{folder.name}-{kind}", marks=[] if folder == _RELEASES[-1] else pytest.mark.slow)
    for folder in _RELEASES
    for kind in ("sqlite", "postgresql")
]
"""The newest in `make test`, all of them in `make test-all`."""


@dataclass(frozen=True)
class ReleasedDatabase:
    """One of them, as it was left, and what is known of it."""

    url: str
    facts: dict[str, Any]

    @property
    def now(self) -> datetime:
        """When its service was killed."""
        return datetime.fromisoformat(self.facts["now"])

    def readers(self, *states: str) -> set[str]:
        """Who, of the half-sent campaign, was in one of these states."""
        return {reader for reader, state in self.facts["states"].items() if state in states}


@contextmanager
def restore_released(
    request: pytest.FixtureRequest, folder: Path, kind: str, place: Path
) -> Iterator[ReleasedDatabase]:
    """A kept database as a real one."""
    facts = json.loads((folder / f"{kind}.json").read_text())
    if kind == "sqlite":
        file = place / "mailer.db"
        file.write_bytes(lzma.decompress((folder / "sqlite.db.xz").read_bytes()))
        yield ReleasedDatabase(f"sqlite:///{file}", facts)
        return
    with empty_postgresql(request) as url:
        with psycopg.connect(url) as connection:
            connection.execute(lzma.decompress((folder / "postgresql.sql.xz").read_bytes()))
        yield ReleasedDatabase(url, facts)


@contextmanager
def empty_postgresql(request: pytest.FixtureRequest) -> Iterator[str]:
    """A database without any table."""
    where, name = request.getfixturevalue("postgres"), f"kept_{uuid4().hex}"
    with psycopg.connect(where.format(name="postgres"), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE template0")  # type: ignore[call-overload]
        yield where.format(name=name)
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")  # type: ignore[call-overload]
