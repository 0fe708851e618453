"""Polls IMAP mailboxes, for domains whose MX cannot hand us their mail."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from functools import partial

import structlog

from mailer.actions.inbound.fetch_mailbox import MailboxFetcher
from mailer.actions.inbound.message_stream import IntakeRules, ReceiverProtocol
from mailer.app import App
from mailer.entrypoints.service.background_tasks import sleep_unless_closing
from mailer.entrypoints.service.scheduler import JobScheduler
from mailer.errors import DatabaseUnavailable, MailboxUnavailable
from mailer.network.blocking_call import run_in_thread
from mailer.network.imap_mailbox import Mailbox, OpenMailbox

_log = structlog.get_logger()

_LONGEST_PAUSE_S, _LONGEST_PAUSE_REFUSED_S = 60, 600
"""After a refusal we wait longer: some providers lock an account that logs in all the time."""


def start_imap_pollers(
    app: App,
    group: asyncio.TaskGroup,
    scheduler: JobScheduler,
    mailboxes: Iterable[Mailbox],
    rules: IntakeRules,
    receiver: ReceiverProtocol,
) -> None:
    """Start a task for each mailbox that fetches its mail until the service closes; a job says when it is due."""
    for number, mailbox in enumerate(mailboxes, 1):
        due = scheduler.add_event(f"poll mailbox {number}", mailbox.every_s)
        fetcher = MailboxFetcher(app=app, mailbox=mailbox, rules=rules, receiver=receiver)
        group.create_task(_poll_mailbox(fetcher, due))


async def _poll_mailbox(fetcher: MailboxFetcher, due: asyncio.Event) -> None:
    """Keep a connection to the mailbox; after a failure connect again, with growing pauses."""
    app, mailbox = fetcher.app, fetcher.mailbox
    closing, pause_s = app.wakeups.closing, 1
    while not closing.is_set():
        longest_s = _LONGEST_PAUSE_S
        try:
            async with _open_mailbox(app, mailbox) as opened:
                while not closing.is_set():
                    due.clear()
                    while await fetcher.fetch_new_mail(opened):
                        pause_s = 1
                    pause_s = 1
                    await _wait_for_new_mail(app, mailbox, opened, due)
        except (MailboxUnavailable, DatabaseUnavailable) as error:
            if isinstance(error, MailboxUnavailable) and error.refused:
                longest_s = _LONGEST_PAUSE_REFUSED_S
            if not closing.is_set():
                _log.warning("failed to fetch mail", mailbox=mailbox.name, error=str(error), retry_in_s=pause_s)
        except Exception:  # the rest of the service is not affected
            _log.exception("failed to fetch mail", mailbox=mailbox.name)
        await sleep_unless_closing(app, pause_s)
        pause_s = min(pause_s * 2, longest_s)


async def _wait_for_new_mail(app: App, mailbox: Mailbox, opened: OpenMailbox, due: asyncio.Event) -> None:
    """Return when a poll is due; with IDLE when there is new mail, or after `every_s`, as IDLE may miss some."""
    if opened.supports_idle:
        await run_in_thread(partial(opened.wait_for_changes, mailbox.every_s), app.wakeups.closing)
    else:
        await app.wakeups.run_unless_closing(due.wait())


@asynccontextmanager
async def _open_mailbox(app: App, mailbox: Mailbox) -> AsyncIterator[OpenMailbox]:
    opened = await run_in_thread(partial(OpenMailbox, mailbox), app.wakeups.closing)
    _log.info("started reading mailbox", mailbox=mailbox.name, idle=opened.supports_idle)
    try:
        yield opened
    finally:
        opened.shut_down()
        await asyncio.to_thread(opened.close)
