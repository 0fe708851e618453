"""Receiving a mail or a form: it is stored before its sender is told that it was accepted."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path

import structlog
from sqlalchemy import Connection

from mailer.actions.subscriptions.check_token import check_token
from mailer.app import App
from mailer.domain.command_address import CommandAddress, parse_local_part
from mailer.domain.incoming_message import IncomingMessage
from mailer.errors import DatabaseUnavailable, InboxFull, TokenRefused
from mailer.settings.intake_tables import IntakeSettings
from mailer.store import incoming_mails, mailing_lists, spool
from mailer.store.incoming_group_commit import IncomingGroupCommit

_log = structlog.get_logger()

_CACHE_S = 1.0
"""How long the answers "there is room" and "this list exists" are reused."""
_CHECK_TIMEOUT_S = 10.0
"""How long a client waits for the answer whether there is room."""
_MEGABYTE = 10**6


async def receive(app: App, *messages: IncomingMessage) -> None:
    """Store mails or forms; when this returns they are committed, and will be processed even after a crash.

    Raises InboxFull if `most_waiting` of them wait to be processed already.
    """
    limit = app.intake.most_waiting
    if await app.database.read(incoming_mails.count_waiting, limit) >= limit:
        raise InboxFull(f"{limit} mails and forms wait to be processed; try again later")
    await app.database.write(incoming_mails.add, messages, app.clock())


async def is_known_recipient(app: App, recipient: str) -> bool:
    """Whether we accept mail to this address of our domain: its list exists, and its token, if any, is valid.

    Raises DatabaseUnavailable.
    """
    address = parse_local_part(recipient.rpartition("@")[0])
    if not await _is_token_valid(app, address):
        return False
    return address.list_name is None or await _list_exists(app, address.list_name)


class MailReceiver:
    """What the SMTP server and the mailbox polling need: is there room, is a recipient known, store a mail."""

    def __init__(self, app: App, intake: IntakeSettings, *, cache_s: float = _CACHE_S) -> None:
        self._app, self._intake, self._cache_s = app, intake, cache_s
        self._incoming = IncomingGroupCommit(app.database, intake.spool, app.clock)
        self._known_lists: dict[str, float] = {}
        self._refusal_reason: str | None = None
        self._check: asyncio.Task[str | None] | None = None
        self._checked_at = float("-inf")

    async def receive(self, message: IncomingMessage) -> None:
        """Store a mail as `receive` does, but mails that arrive at the same time share a commit."""
        await self._incoming.commit(message)

    @property
    def is_busy(self) -> bool:
        """Whether so much mail arrives that processing it should be slowed down."""
        return self._incoming.is_busy

    async def is_known_recipient(self, recipient: str) -> bool:
        """The same as the function `is_known_recipient`; an existing list is remembered for a second."""
        address = parse_local_part(recipient.rpartition("@")[0])
        now = asyncio.get_running_loop().time()
        if now < self._known_lists.get(address.list_name or "", now):
            return await _is_token_valid(self._app, address)
        known = await is_known_recipient(self._app, recipient)
        if known and address.list_name is not None:
            self._known_lists[address.list_name] = now + self._cache_s
        return known

    async def refusal_reason(self) -> str | None:
        """Why no mail can be accepted for now, in words for the log; None while there is room."""
        loop = asyncio.get_running_loop()
        if loop.time() - self._checked_at >= self._cache_s:
            self._check = self._check or loop.create_task(self._check_room())
            done, _ = await asyncio.wait({self._check}, timeout=_CHECK_TIMEOUT_S)
            return done.pop().result() if done else "the database does not answer"
        return self._refusal_reason

    async def delete_orphaned_files(self) -> None:
        """Delete the files that a crash left in the spool, of mails that were never accepted with 250."""
        unlocked = await asyncio.to_thread(spool.list_unlocked_files, self._intake.spool)
        if unlocked:
            orphans = await self._app.database.read(incoming_mails.find_unreferenced_files, unlocked)
            await asyncio.to_thread(spool.delete_files, self._intake.spool, orphans)
            _log.info("recovered spool", deleted_files=len(orphans))

    async def _check_room(self) -> str | None:
        try:
            self._refusal_reason = await self._find_refusal_reason()
        finally:
            self._check, self._checked_at = None, asyncio.get_running_loop().time()
        return self._refusal_reason

    async def _find_refusal_reason(self) -> str | None:
        intake = self._intake
        folders = [intake.spool, *_database_folder(self._app)]
        try:
            if (free := await asyncio.to_thread(_free_megabytes, folders)) < intake.keep_free_megabytes:
                return f"only {free} MB are free on the disk"
            if await self._app.database.read(incoming_mails.count_waiting, intake.most_waiting) >= intake.most_waiting:
                return f"{intake.most_waiting} mails wait to be processed"
        except (DatabaseUnavailable, OSError) as error:
            return str(error)
        return None


def _free_megabytes(folders: list[Path]) -> int:
    """The fewest free megabytes on the disks of `folders`; a missing folder counts as its parent."""
    existing = [next(one for one in (folder, *folder.absolute().parents) if one.exists()) for folder in folders]
    return min(shutil.disk_usage(folder).free for folder in existing) // _MEGABYTE


def _database_folder(app: App) -> list[Path]:
    """The folder of the database file; none if the database is a server."""
    return [Path(str(app.database.engine.url.database)).parent] if app.database.has_one_writer else []


async def _list_exists(app: App, name: str) -> bool:
    def work(tx: Connection) -> bool:
        return mailing_lists.exists(tx, name)

    return await app.database.read(work)


async def _is_token_valid(app: App, address: CommandAddress) -> bool:
    try:
        await check_token(app, address)
    except TokenRefused:
        return False
    return True
