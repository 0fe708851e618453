"""The people of an export, gathered in a temporary file until all of it is read: one merged row per address."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any

from mailer.domain.suppression import SuppressionReason
from mailer.importers.person_row import ConsentRow, PersonRow, SuppressedKey, SuppressionEntry
from mailer.store.imports.staged_row import pack_row, pack_suppression, unpack_row, unpack_suppression

_CACHE_KB = 8_000
_SETTINGS = ("journal_mode = OFF", "synchronous = OFF", "locking_mode = EXCLUSIVE", f"cache_size = -{_CACHE_KB}")
_TABLES = (
    "CREATE TABLE person (position INTEGER PRIMARY KEY, key TEXT, line INTEGER, packed BLOB)",
    "CREATE TABLE consent (position INTEGER PRIMARY KEY, key TEXT, at TEXT, act TEXT, way TEXT, evidence TEXT)",
    "CREATE TABLE suppressed (position INTEGER PRIMARY KEY, key TEXT, packed TEXT)",
)
_FEW = 10_000
_BY_KEY = "SELECT key, line, packed FROM person ORDER BY key, position"
_IN_ORDER = """SELECT key, line, packed FROM person
    JOIN (SELECT key, min(position) AS first FROM person GROUP BY key) USING (key) ORDER BY first, position"""


@dataclass(slots=True)
class StagedPerson:
    """A person of an export."""

    line: int
    """The number of the person's first row in its file; 0 where there are no lines."""
    row: PersonRow
    key: str
    """The address's key."""


class StagedPeople:
    """A temporary SQLite file that the system removes when it is closed, or when the process ends in any way.

    First everything is added, then `sort` is called, then it is read. Used by one thread at a time.
    """

    def __init__(self) -> None:
        # No name: SQLite deletes the file as soon as it has opened it.
        self._file = sqlite3.connect("", check_same_thread=False, isolation_level=None)
        for statement in (*(f"PRAGMA {setting}" for setting in _SETTINGS), *_TABLES, "BEGIN"):
            self._file.execute(statement)
        self.people = 0
        """How many people there are, after `sort`."""
        self.has_consents = False
        """Whether there is a consent record, after `sort`."""
        self.opted_out: set[str] = set()
        """The mailbox keys of those who chose to be never asked again."""

    def add(self, rows: Iterable[tuple[int, PersonRow]]) -> None:
        """Append rows, each with the number of its line."""
        values = []
        for line, row in rows:
            values.append((row.address.key, line, pack_row(row)))
            if row.suppressions and any(one.reason is SuppressionReason.NEVER for one in row.suppressions):
                self.opted_out.add(row.address.mailbox_key)
        self._file.executemany("INSERT INTO person (key, line, packed) VALUES (?, ?, ?)", values)

    def add_consents(self, rows: Iterable[ConsentRow]) -> None:
        """Append lines of a consent record."""
        values = ((row.address.key, row.at.isoformat(), row.act, row.way, json.dumps(row.evidence)) for row in rows)
        self._file.executemany("INSERT INTO consent (key, at, act, way, evidence) VALUES (?, ?, ?, ?, ?)", values)

    def add_suppressed(self, rows: Iterable[SuppressedKey]) -> None:
        """Append suppressions of people whose addresses are not told."""
        values = ((row.key, json.dumps(pack_suppression(row.suppression))) for row in rows)
        self._file.executemany("INSERT INTO suppressed (key, packed) VALUES (?, ?)", values)

    def sort(self) -> int:
        """Make everything readable, once all is added. Returns how many rows are further rows of people."""
        for table in ("person", "consent", "suppressed"):
            self._file.execute(f"CREATE INDEX {table}_by_key ON {table} (key)")
        self.has_consents = self._file.execute("SELECT 1 FROM consent LIMIT 1").fetchone() is not None
        rows, self.people = self._file.execute("SELECT count(*), count(DISTINCT key) FROM person").fetchone()
        return int(rows - self.people)

    def read(self, few: int = _FEW) -> Iterator[StagedPerson]:
        """All people; rows of one person are merged in their order.

        Up to `few` in the order of the export, more in the order of their keys, in which most pages of the database's
        indices are written once.
        """
        found = self._file.execute(_IN_ORDER if self.people <= few else _BY_KEY)
        for key, rows in groupby(found, _key):
            (_, line, packed), *further = rows
            row = unpack_row(packed)
            for _, _, later in further:
                row = unpack_row(later).merge_over(row)
            yield StagedPerson(line, row, key)

    def consents(self, keys: Sequence[str]) -> Mapping[str, list[tuple[Any, ...]]]:
        """The lines of these people in their order, by key: each (time, act, way, evidence)."""
        found = self._file.execute(
            "SELECT key, at, act, way, evidence FROM consent WHERE key IN (SELECT value FROM json_each(?)) "
            "ORDER BY key, position",
            (json.dumps(keys),),
        )
        return {
            key: [(datetime.fromisoformat(at), act, way, json.loads(evidence)) for _, at, act, way, evidence in lines]
            for key, lines in groupby(found, _key)
        }

    def suppressed(self) -> Iterator[tuple[str, list[SuppressionEntry]]]:
        """The people whose addresses are not told: the key of each, and the suppressions."""
        found = self._file.execute("SELECT key, packed FROM suppressed ORDER BY key, position")
        for key, rows in groupby(found, _key):
            yield key, [unpack_suppression(json.loads(packed)) for _, packed in rows]

    def close(self) -> None:
        """Remove the file."""
        self._file.close()


def _key(row: tuple[Any, ...]) -> str:
    return str(row[0])
