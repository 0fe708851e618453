"""Mail comes in: kept as a row before anybody is told that we have it."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path

import structlog
from sqlalchemy import Connection

from mailer.actions.subscriptions.check_token import check_token
from mailer.app import App
from mailer.domain.command_address import CommandAddress, parse_local_part
from mailer.domain.incoming_message import Arrival
from mailer.errors import DatabaseUnavailable, NoRoom, TokenRefused
from mailer.settings.intake_tables import IntakeSettings
from mailer.store import incoming_mails, mailing_lists, spool
from mailer.store.incoming_group_commit import Logbook

_log = structlog.get_logger()

_FRESH_S = 1.0
"""For so long it is believed that there is room, and that a list is there."""
_LOOK_S = 10.0
"""Longer than this nobody waits to hear whether there is room."""
_MEGABYTE = 10**6


async def receive(app: App, *arrivals: Arrival) -> None:
    """Keep what arrived; when this returns it is committed and will be acted on, whatever happens to us.

    NoRoom where so much waits already that nothing is kept.
    """
    most = app.intake.most_waiting
    if await app.database.read(incoming_mails.waiting, most) >= most:
        raise NoRoom(f"{most} mails and forms wait to be acted on")
    await app.database.write(incoming_mails.add, arrivals, app.clock())
    app.bells.incoming.set()


async def recognise(app: App, recipient: str) -> bool:
    """Whether somebody answers to this address of our domain: a known list, a genuine token of that list.

    DatabaseUnavailable where that cannot be known.
    """
    address = parse_local_part(recipient.rpartition("@")[0])
    if not await _token_is_genuine(app, address):
        return False
    return address.list_name is None or await _list_exists(app, address.list_name)


class Reception:
    """What the mail door asks: is there room, is somebody at home; and that a mail be kept."""

    def __init__(self, app: App, intake: IntakeSettings, *, fresh_s: float = _FRESH_S) -> None:
        self._app, self._intake, self._fresh_s = app, intake, fresh_s
        self._logbook = Logbook(app.database, intake.spool, app.clock)
        self._lists: dict[str, float] = {}
        self._hindrance: str | None = None
        self._looking: asyncio.Task[str | None] | None = None
        self._looked_at = float("-inf")

    async def receive(self, arrival: Arrival) -> None:
        """As `receive`; mails that arrive at once share a commit."""
        await self._logbook.write_down(arrival)
        self._app.bells.incoming.set()

    @property
    def crowded(self) -> bool:
        """Whether so many hand in mail just now that acting on it should not be in their way."""
        return self._logbook.crowded

    async def recognise(self, recipient: str) -> bool:
        """As `recognise`; that a list is there is believed for a while."""
        address = parse_local_part(recipient.rpartition("@")[0])
        now = asyncio.get_running_loop().time()
        if now < self._lists.get(address.list_name or "", now):
            return await _token_is_genuine(self._app, address)
        known = await recognise(self._app, recipient)
        if known and address.list_name is not None:
            self._lists[address.list_name] = now + self._fresh_s
        return known

    async def hindrance(self) -> str | None:
        """Why no mail can be taken in for now, in words for the log; None while there is room."""
        loop = asyncio.get_running_loop()
        if loop.time() - self._looked_at >= self._fresh_s:
            self._looking = self._looking or loop.create_task(self._look())
            done, _ = await asyncio.wait({self._looking}, timeout=_LOOK_S)
            return done.pop().result() if done else "the database does not answer"
        return self._hindrance

    async def sweep(self) -> None:
        """Delete the files that a crash left in the spool, of mails for which nobody was told 250."""
        left = await asyncio.to_thread(spool.left_behind, self._intake.spool)
        if left:
            orphans = await self._app.database.read(incoming_mails.unnamed, left)
            await asyncio.to_thread(spool.delete, self._intake.spool, orphans)
            _log.info("spool swept", files=len(orphans))

    async def _look(self) -> str | None:
        try:
            self._hindrance = await self._what_hinders()
        finally:
            self._looking, self._looked_at = None, asyncio.get_running_loop().time()
        return self._hindrance

    async def _what_hinders(self) -> str | None:
        intake = self._intake
        folders = [intake.spool, *_database_folder(self._app)]
        try:
            if (free := await asyncio.to_thread(_free_megabytes, folders)) < intake.keep_free_megabytes:
                return f"only {free} MB are free on the disk"
            if await self._app.database.read(incoming_mails.waiting, intake.most_waiting) >= intake.most_waiting:
                return f"{intake.most_waiting} mails wait to be acted on"
        except (DatabaseUnavailable, OSError) as trouble:
            return str(trouble)
        return None


def _free_megabytes(folders: list[Path]) -> int:
    """On the disk with the least room; a folder that is not there yet will be where its parent is."""
    there = [next(one for one in (folder, *folder.absolute().parents) if one.exists()) for folder in folders]
    return min(shutil.disk_usage(folder).free for folder in there) // _MEGABYTE


def _database_folder(app: App) -> list[Path]:
    """Of a database that is a file of ours."""
    return [Path(str(app.database.engine.url.database)).parent] if app.database.has_one_writer else []


async def _list_exists(app: App, name: str) -> bool:
    def work(tx: Connection) -> bool:
        return mailing_lists.exists(tx, name)

    return await app.database.read(work)


async def _token_is_genuine(app: App, address: CommandAddress) -> bool:
    try:
        await check_token(app, address)
    except TokenRefused:
        return False
    return True
