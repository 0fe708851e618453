"""The people of an export, gathered in a temporary file until all of it is read: one merged row per address."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby

from mailer.domain.suppression import SuppressionReason
from mailer.importers.person_row import PersonRow
from mailer.store.imports.staged_row import pack_row, unpack_row

_CACHE_KB = 8_000
_SETTINGS = ("journal_mode = OFF", "synchronous = OFF", "locking_mode = EXCLUSIVE", f"cache_size = -{_CACHE_KB}")


@dataclass(frozen=True, slots=True)
class StagedPerson:
    """A person of an export."""

    position: int
    """The place of the person's first row among all rows, from 1."""
    line: int
    """The number of that row's line in its file; 0 where there are no lines."""
    row: PersonRow


class StagedPeople:
    """A temporary SQLite file that the system removes when it is closed, or when the process ends in any way.

    Used by one thread at a time.
    """

    def __init__(self) -> None:
        # No name: SQLite deletes the file as soon as it has opened it.
        self._file = sqlite3.connect("", check_same_thread=False, isolation_level=None)
        for setting in _SETTINGS:
            self._file.execute(f"PRAGMA {setting}")
        self._file.execute("CREATE TABLE person (position INTEGER PRIMARY KEY, key TEXT, line INTEGER, packed BLOB)")
        self._file.execute("BEGIN")
        self.people = 0
        """How many people there are, after `merge`."""
        self.opted_out: set[str] = set()
        """The mailbox keys of those who chose to be never asked again."""

    def add(self, rows: Iterable[tuple[int, PersonRow]]) -> None:
        """Append rows, each with the number of its line."""
        values = []
        for line, row in rows:
            values.append((row.address.key, line, pack_row(row)))
            if any(one.reason is SuppressionReason.NEVER for one in row.suppressions):
                self.opted_out.add(row.address.mailbox_key)
        self._file.executemany("INSERT INTO person (key, line, packed) VALUES (?, ?, ?)", values)

    def merge(self) -> int:
        """Merge the rows of each person into the first, once all are added. Returns how many were merged away."""
        self._file.execute(
            "CREATE TEMP TABLE repeated AS SELECT key FROM person GROUP BY key HAVING count(*) > 1 ORDER BY key"
        )
        self._file.execute("CREATE UNIQUE INDEX temp.repeated_key ON repeated (key)")
        found = self._file.execute(
            "SELECT key, position, packed FROM person WHERE key IN (SELECT key FROM repeated) ORDER BY key, position"
        )
        merged = 0
        for _, rows in groupby(found, lambda one: one[0]):
            (_, first, packed), *further = rows
            row = unpack_row(packed)
            for _, _, later in further:
                row = unpack_row(later).merge_over(row)
            self._file.execute("UPDATE person SET packed = ? WHERE position = ?", (pack_row(row), first))
            self._file.executemany("DELETE FROM person WHERE position = ?", [(one[1],) for one in further])
            merged += len(further)
        self._file.execute("DROP TABLE repeated")
        self.people = self._file.execute("SELECT count(*) FROM person").fetchone()[0]
        return merged

    def page(self, after: int, limit: int) -> list[StagedPerson]:
        """The next `limit` people after a position, in the order of the export."""
        found = self._file.execute(
            "SELECT position, line, packed FROM person WHERE position > ? ORDER BY position LIMIT ?", (after, limit)
        )
        return [StagedPerson(position, line, unpack_row(packed)) for position, line, packed in found]

    def pages(self, limit: int) -> Iterator[list[StagedPerson]]:
        """All people in the order of the export, `limit` at a time."""
        after = 0
        while page := self.page(after, limit):
            yield page
            after = page[-1].position

    def close(self) -> None:
        """Remove the file."""
        self._file.close()
