"""Fetch what is new in an IMAP mailbox: every message to an address of ours is committed like one that came by SMTP."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import TypeVar

import structlog

from mailer.actions.inbound.message_stream import IntakeRules, MessageRefusal, MessageStream, ReceiverProtocol
from mailer.app import App
from mailer.errors import MailboxUnavailable
from mailer.mail.message.envelope_from_headers import parse_delivered_envelope
from mailer.network.blocking_call import run_in_thread
from mailer.network.imap_mailbox import Mailbox, MessageSummary, OpenMailbox
from mailer.store.imap_positions import ImapPosition, get_position, set_position

_log = structlog.get_logger()

_RESCAN_PERIOD = timedelta(days=7)
"""How far back a mailbox is read the first time; repeated messages are recognised for at least as long."""
_BATCH = 20
"""Messages between two saved positions: after a crash at most so many are fetched again, and recognised."""
_CHUNK_OCTETS = 256 * 1024
_MOST_ATTEMPTS = 10
"""How often a message is asked for that the server refuses to give; the pauses grow to ten minutes."""

R = TypeVar("R")


@dataclass(kw_only=True, slots=True)
class MailboxFetcher:
    """Fetches new messages of one mailbox; it outlives single connections to it."""

    app: App
    mailbox: Mailbox
    rules: IntakeRules
    receiver: ReceiverProtocol
    _refusals: Counter[int] = field(default_factory=Counter)
    """How often the server refused to give or move a message, by UID."""

    async def fetch_new_mail(self, opened: OpenMailbox) -> bool:
        """Whether there were new messages; those to us are committed when this returns.

        Raises MailboxUnavailable or DatabaseUnavailable; what was committed before is recognised at the next attempt.
        """
        position = await self.app.database.read(get_position, self.mailbox.name)
        since = None
        if position is None or position.uid_validity != opened.uid_validity:
            since = self.app.clock() - _RESCAN_PERIOD
            position = ImapPosition(uid_validity=opened.uid_validity, last_uid=0)
            _log.info(
                "started to read mailbox from the beginning",
                mailbox=self.mailbox.name,
                since=since.date().isoformat(),
            )
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
        if reason := await self.receiver.refusal_reason():
            raise MailboxUnavailable(f"no mail is taken in: {reason}")
        if summary.octets > self.rules.most_octets:
            stream.refuse(MessageRefusal.TOO_LARGE)
        with stream.discard_on_error():
            await self._read(opened, uid, stream)
        if stream.refusal is MessageRefusal.NO_ROOM:
            raise MailboxUnavailable("no mail is taken in: the spool cannot be written to; see the log")
        if stream.refusal is not None:
            self._log_skipped(uid, stream.refusal)
            return
        await self._commit(stream)
        if self.mailbox.done_folder is not None:
            await self._run_in_thread(partial(opened.move, uid))

    async def _open_message_stream(self, summary: MessageSummary) -> MessageStream | None:
        """A stream for a message to addresses of ours; None for a message to none."""
        envelope = parse_delivered_envelope(summary.header, *self.rules.domains)
        ours = [address for one in envelope.recipients if (address := self.rules.own_address(one))]
        known = [address for address in ours if await self.receiver.is_known_recipient(address)]
        if not known:
            return None
        return self.rules.open_message_stream(envelope.sender, known[: self.rules.most_recipients], from_mailbox=True)

    async def _read(self, opened: OpenMailbox, uid: int, stream: MessageStream) -> None:
        offset = 0
        while stream.refusal is None:
            chunk = await self._run_in_thread(partial(opened.fetch_chunk, uid, offset, _CHUNK_OCTETS))
            await stream.add_chunk(chunk)
            offset += len(chunk)
            if len(chunk) < _CHUNK_OCTETS:
                break
        stream.finish()

    async def _commit(self, stream: MessageStream) -> None:
        try:
            message = await stream.build_message(mailbox=self.mailbox.name)
        except OSError as error:
            stream.refuse(MessageRefusal.NO_ROOM)
            raise MailboxUnavailable(f"no mail is taken in: the spool cannot be written to: {error}") from error
        try:
            await self.receiver.receive(message)
        finally:
            # If it is unknown whether the row was committed, the receiver looks after the file.
            if stream.file is not None:
                await asyncio.to_thread(stream.file.close)

    def _log_skipped(self, uid: int, reason: str) -> None:
        _log.warning("skipped message, it stays in the mailbox", mailbox=self.mailbox.name, uid=uid, reason=reason)

    def _run_in_thread(self, work: Callable[[], R]) -> Awaitable[R]:
        return run_in_thread(work, self.app.wakeups.closing)
