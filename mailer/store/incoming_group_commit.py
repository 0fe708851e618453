"""The group commit of incoming mail: messages that arrive while a transaction runs share the next one."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path

from sqlalchemy import Connection

from mailer.domain.incoming_message import IncomingMessage
from mailer.store import incoming_mails, spool
from mailer.store.database import Database
from mailer.store.group_commit import GroupCommit

_MAX_BATCH = 500
_BUSY_BATCH, _BUSY_S = 5, 0.25
"""For so long after so many messages shared a commit mail counts as coming in by many connections at once."""


class IncomingGroupCommit:
    """Writes each incoming message down before its client is told 250; its rows and spool files stay in step."""

    def __init__(self, database: Database, spool_folder: Path, clock: Callable[[], datetime]) -> None:
        self._database, self._spool, self._clock = database, spool_folder, clock
        self._group: GroupCommit[IncomingMessage, None] = GroupCommit(
            self._commit_batch, max_batch=_MAX_BATCH, isolate_failures=True
        )
        self._uncertain_files: set[str] = set()
        """Spool files of messages of which nobody knows whether their row was committed."""
        self._busy_until = float("-inf")

    @property
    def is_busy(self) -> bool:
        """Whether mail comes in by so many connections just now that every other write delays it."""
        return asyncio.get_running_loop().time() < self._busy_until

    async def commit(self, message: IncomingMessage) -> None:
        """Return once the message is committed, now or as an earlier copy of the same mail.

        Raises what the commit raised, DatabaseUnavailable among others.
        """
        await self._group.add(message)

    async def _commit_batch(self, messages: Sequence[IncomingMessage]) -> list[None]:
        if len(messages) >= _BUSY_BATCH:
            self._busy_until = asyncio.get_running_loop().time() + _BUSY_S
        files = self._uncertain_files | {one.spool_name for one in messages if one.spool_name is not None}
        try:
            unreferenced = await self._database.write(_insert_messages, messages, files, self._clock())
        except Exception:
            self._uncertain_files = files
            raise
        self._uncertain_files = set()
        if unreferenced:
            with suppress(OSError):  # what cannot be deleted now, the service deletes at its next start
                await asyncio.to_thread(spool.delete_files, self._spool, unreferenced)
        return [None] * len(messages)


def _insert_messages(tx: Connection, messages: Sequence[IncomingMessage], files: set[str], now: datetime) -> set[str]:
    """Insert the messages; returns which of the spool files no row refers to: those of mails that had come before."""
    incoming_mails.add(tx, messages, now)
    return incoming_mails.find_unreferenced_files(tx, files)
