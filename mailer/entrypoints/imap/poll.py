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
from mailer.entrypoints.imap.blocking_call import run_in_thread
from mailer.entrypoints.smtp.handler import ReceiverProtocol, SmtpServerConfig, parse_own_address
from mailer.entrypoints.smtp.message_stream import NO_ROOM, TOO_LARGE, MessageStream
from mailer.errors import MailboxUnavailable
from mailer.mail.message.envelope_from_headers import parse_delivered_envelope
from mailer.network.imap_mailbox import Mailbox, MessageSummary, OpenMailbox
from mailer.store.imap_positions import ImapPosition, get_position, set_position

_log = structlog.get_logger()

_RESCAN_PERIOD = timedelta(days=7)
"""A mail that comes again is known for at least as long; where we begin anew, older ones are left alone."""
_BATCH = 20
"""Mails between two marks: so many may be looked at again after a crash, and are known."""
_CHUNK_OCTETS = 256 * 1024
_MOST_ATTEMPTS = 10
"""So often a mail is asked for that the server does not give us; the pauses between grow to ten minutes."""

R = TypeVar("R")


@dataclass(kw_only=True, slots=True)
class ImapPoll:
    """Takes what is new out of one mailbox, however often that is opened."""

    app: App
    mailbox: Mailbox
    config: SmtpServerConfig
    """What our own door takes is taken here."""
    receiver: ReceiverProtocol
    _refusals: Counter[int] = field(default_factory=Counter)
    """Mails that the server did not give us, or did not move."""

    async def fetch_new_mail(self, opened: OpenMailbox) -> bool:
        """Whether there was anything new; all of it that is for us is committed when this returns.

        MailboxUnavailable, DatabaseUnavailable where it cannot go on: what was committed before that is known again.
        """
        position = await self.app.database.read(get_position, self.mailbox.name)
        since = None
        if position is None or position.uid_validity != opened.uid_validity:
            since = self.app.clock() - _RESCAN_PERIOD
            position = ImapPosition(uid_validity=opened.uid_validity, last_uid=0)
            _log.info("mailbox read from the start", mailbox=self.mailbox.name, since=since.date().isoformat())
        day = since.date() if since else None
        uids = await self._run_in_thread(partial(opened.search_uids, position.last_uid, day))
        for start in range(0, len(uids), _BATCH):
            batch = uids[start : start + _BATCH]
            for uid in batch:
                await self._fetch_or_skip(opened, uid, since)
            await self._save_position(opened, batch[-1])
            self._refusals.clear()
        if since:
            await self._save_position(opened, max([opened.uid_next - 1, *uids]))
        return bool(uids)

    async def _save_position(self, opened: OpenMailbox, uid: int) -> None:
        position = ImapPosition(uid_validity=opened.uid_validity, last_uid=uid)
        await self.app.database.write(set_position, self.mailbox.name, position)

    async def _fetch_or_skip(self, opened: OpenMailbox, uid: int, since: datetime | None) -> None:
        if self._refusals[uid] >= _MOST_ATTEMPTS:
            self._log_skipped(uid, "the server refused too often")
            return
        try:
            await self._fetch_message(opened, uid, since)
        except MailboxUnavailable as error:
            self._refusals[uid] += error.refused
            raise

    async def _fetch_message(self, opened: OpenMailbox, uid: int, since: datetime | None) -> None:
        summary = await self._run_in_thread(partial(opened.fetch_summary, uid))
        if summary is None or (since and summary.received_at < since):
            return
        stream = await self._open_message_stream(summary)
        if stream is None:
            return
        if blocker := await self.receiver.refusal_reason():
            raise MailboxUnavailable(f"no mail is taken: {blocker}")
        if summary.octets > self.config.most_octets:
            stream.refuse(TOO_LARGE)
        with stream.discard_on_error():
            await self._read(opened, uid, stream)
        if stream.refusal == NO_ROOM:
            raise MailboxUnavailable("no mail is taken: the spool does not take it")
        if stream.refusal is not None:
            self._log_skipped(uid, stream.refusal)
            return
        await self._store(stream)
        if self.mailbox.done_folder is not None:
            await self._run_in_thread(partial(opened.move, uid))

    async def _open_message_stream(self, seen: MessageSummary) -> MessageStream | None:
        """For a mail to some of our addresses; None for a mail to none."""
        envelope = parse_delivered_envelope(seen.header, self.config.domain)
        ours = [address for one in envelope.recipients if (address := parse_own_address(one, self.config.domain))]
        known = [address for address in ours if await self.receiver.is_known_recipient(address)]
        if not known:
            return None
        return self.config.open_message_stream(envelope.sender, known[: self.config.most_recipients], from_mailbox=True)

    async def _read(self, opened: OpenMailbox, uid: int, stream: MessageStream) -> None:
        offset = 0
        while stream.refusal is None:
            chunk = await self._run_in_thread(partial(opened.fetch_chunk, uid, offset, _CHUNK_OCTETS))
            await stream.add_chunk(chunk)
            offset += len(chunk)
            if len(chunk) < _CHUNK_OCTETS:
                break
        stream.finish()

    async def _store(self, stream: MessageStream) -> None:
        try:
            message = await stream.build_message(mailbox=self.mailbox.name)
        except OSError as error:
            stream.refuse(NO_ROOM)
            raise MailboxUnavailable(f"no mail is taken: the spool does not take it: {error}") from error
        try:
            await self.receiver.receive(message)
        finally:
            # Where nobody knows whether its row was committed, the desk sees to the file.
            if stream.file is not None:
                await asyncio.to_thread(stream.file.close)

    def _log_skipped(self, uid: int, why: str) -> None:
        _log.warning("a mail is left in the mailbox", mailbox=self.mailbox.name, uid=uid, why=why)

    def _run_in_thread(self, work: Callable[[], R]) -> Awaitable[R]:
        return run_in_thread(work, self.app.wakeups.closing)
