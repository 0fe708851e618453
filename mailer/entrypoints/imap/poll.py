"""One look into a mailbox: what is new there and for us is written down, as if it had come through the door."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import TypeVar

import structlog

from mailer.app import App
from mailer.entrypoints.imap.blocking_call import aside
from mailer.entrypoints.smtp.handler import Desk, IntakeDoor, own_address
from mailer.entrypoints.smtp.message_stream import NO_ROOM, TOO_LARGE, Stream
from mailer.errors import MailboxUnavailable
from mailer.mail.message.envelope_from_headers import delivered
from mailer.network.imap_mailbox import Mailbox, OpenMailbox, Seen
from mailer.store.imap_positions import Mark, mark_of, set_mark

_log = structlog.get_logger()

_REMEMBERED = timedelta(days=7)
"""A mail that comes again is known for at least as long; where we begin anew, older ones are left alone."""
_AT_ONCE = 20
"""Mails between two marks: so many may be looked at again after a crash, and are known."""
_PIECE_OCTETS = 256 * 1024
_MOST_REFUSALS = 10
"""So often a mail is asked for that the server does not give us; the pauses between grow to ten minutes."""

R = TypeVar("R")


@dataclass(kw_only=True, slots=True)
class FetchRound:
    """Takes what is new out of one mailbox, however often that is opened."""

    app: App
    mailbox: Mailbox
    door: IntakeDoor
    """What our own door takes is taken here."""
    desk: Desk
    _refusals: Counter[int] = field(default_factory=Counter)
    """Mails that the server did not give us, or did not move."""

    async def take_new(self, opened: OpenMailbox) -> bool:
        """Whether there was anything new; all of it that is for us is committed when this returns.

        MailboxUnavailable, DatabaseUnavailable where it cannot go on: what was committed before that is known again.
        """
        mark = await self.app.database.read(mark_of, self.mailbox.name)
        since = None
        if mark is None or mark.uid_validity != opened.uid_validity:
            since = self.app.clock() - _REMEMBERED
            mark = Mark(uid_validity=opened.uid_validity, last_uid=0)
            _log.info("mailbox read from the start", mailbox=self.mailbox.name, since=since.date().isoformat())
        day = since.date() if since else None
        found = await self._aside(partial(opened.numbers_after, mark.last_uid, day))
        for start in range(0, len(found), _AT_ONCE):
            together = found[start : start + _AT_ONCE]
            for uid in together:
                await self._take_or_pass_over(opened, uid, since)
            await self._mark(opened, together[-1])
            self._refusals.clear()
        if since:
            await self._mark(opened, max([opened.uid_next - 1, *found]))
        return bool(found)

    async def _mark(self, opened: OpenMailbox, uid: int) -> None:
        mark = Mark(uid_validity=opened.uid_validity, last_uid=uid)
        await self.app.database.write(set_mark, self.mailbox.name, mark)

    async def _take_or_pass_over(self, opened: OpenMailbox, uid: int, since: datetime | None) -> None:
        if self._refusals[uid] >= _MOST_REFUSALS:
            self._pass_over(uid, "the server refused too often")
            return
        try:
            await self._take(opened, uid, since)
        except MailboxUnavailable as trouble:
            self._refusals[uid] += trouble.refused
            raise

    async def _take(self, opened: OpenMailbox, uid: int, since: datetime | None) -> None:
        seen = await self._aside(partial(opened.look_at, uid))
        if seen is None or (since and seen.came_at < since):
            return
        stream = await self._stream(seen)
        if stream is None:
            return
        if hindrance := await self.desk.hindrance():
            raise MailboxUnavailable(f"no mail is taken: {hindrance}")
        if seen.octets > self.door.most_octets:
            stream.refuse(TOO_LARGE)
        with stream.at_hand():
            await self._read(opened, uid, stream)
        if stream.refusal == NO_ROOM:
            raise MailboxUnavailable("no mail is taken: the spool does not take it")
        if stream.refusal is not None:
            self._pass_over(uid, stream.refusal)
            return
        await self._write_down(stream)
        if self.mailbox.done_folder is not None:
            await self._aside(partial(opened.move, uid))

    async def _stream(self, seen: Seen) -> Stream | None:
        """For a mail to some of our addresses; None for a mail to none."""
        told = delivered(seen.header, self.door.domain)
        ours = [address for one in told.recipients if (address := own_address(one, self.door.domain))]
        known = [address for address in ours if await self.desk.recognise(address)]
        if not known:
            return None
        return self.door.stream(told.sender, known[: self.door.most_recipients], lies_there=True)

    async def _read(self, opened: OpenMailbox, uid: int, stream: Stream) -> None:
        at = 0
        while stream.refusal is None:
            piece = await self._aside(partial(opened.piece, uid, at, _PIECE_OCTETS))
            await stream.add(piece)
            at += len(piece)
            if len(piece) < _PIECE_OCTETS:
                break
        stream.end()

    async def _write_down(self, stream: Stream) -> None:
        try:
            arrival = await stream.arrival(mailbox=self.mailbox.name)
        except OSError as trouble:
            stream.refuse(NO_ROOM)
            raise MailboxUnavailable(f"no mail is taken: the spool does not take it: {trouble}") from trouble
        try:
            await self.desk.receive(arrival)
        finally:
            # Where nobody knows whether its row was committed, the desk sees to the file.
            if stream.file is not None:
                await asyncio.to_thread(stream.file.close)

    def _pass_over(self, uid: int, why: str) -> None:
        _log.warning("a mail is left in the mailbox", mailbox=self.mailbox.name, uid=uid, why=why)

    def _aside(self, work: Callable[[], R]) -> Awaitable[R]:
        return aside(work, self.app.bells.closing)
