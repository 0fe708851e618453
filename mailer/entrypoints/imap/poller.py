"""Mailboxes that our domain's mail is fetched from, where its MX cannot hand it to us."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from functools import partial

import structlog

from mailer.app import App
from mailer.entrypoints.imap.blocking_call import run_in_thread
from mailer.entrypoints.imap.poll import ImapPoll
from mailer.entrypoints.service.background_tasks import sleep_unless_closing
from mailer.entrypoints.smtp.handler import ReceiverProtocol, SmtpServerConfig
from mailer.errors import DatabaseUnavailable, MailboxUnavailable
from mailer.network.imap_mailbox import Mailbox, OpenMailbox

_log = structlog.get_logger()

_LONGEST_PAUSE_S, _LONGEST_PAUSE_REFUSED_S = 60, 600
"""Who is refused comes again less often: some providers lock an account that knocks all the time."""


def start_imap_pollers(
    app: App,
    group: asyncio.TaskGroup,
    mailboxes: Iterable[Mailbox],
    config: SmtpServerConfig,
    receiver: ReceiverProtocol,
) -> None:
    """Take mail out of each mailbox until the service closes, as if it came through that door."""
    for mailbox in mailboxes:
        group.create_task(_poll_mailbox(app, ImapPoll(app=app, mailbox=mailbox, config=config, receiver=receiver)))


async def _poll_mailbox(app: App, poll: ImapPoll) -> None:
    """Stay in the mailbox; where it puts us out, come again, after a longer pause each time."""
    closing, name, pause_s = app.wakeups.closing, poll.mailbox.name, 1
    while not closing.is_set():
        longest_s = _LONGEST_PAUSE_S
        try:
            async with _open_mailbox(app, poll.mailbox) as opened:
                while not closing.is_set():
                    while await poll.fetch_new_mail(opened):
                        pause_s = 1
                    pause_s = 1
                    await _wait_for_new_mail(app, poll.mailbox, opened)
        except (MailboxUnavailable, DatabaseUnavailable) as error:
            if isinstance(error, MailboxUnavailable) and error.refused:
                longest_s = _LONGEST_PAUSE_REFUSED_S
            if not closing.is_set():
                _log.warning("trouble", mailbox=name, what=str(error), trying_again_in_s=pause_s)
        except Exception:  # of whatever sort: the other doors stay open
            _log.exception("the mailbox broke us", mailbox=name)
        await sleep_unless_closing(app, pause_s)
        pause_s = min(pause_s * 2, longest_s)


async def _wait_for_new_mail(app: App, mailbox: Mailbox, opened: OpenMailbox) -> None:
    """Until there may be new mail. Told by the server or not, we look after a while: what came just before we
    listened is never told."""
    if opened.supports_idle:
        await run_in_thread(partial(opened.wait_for_changes, mailbox.every_s), app.wakeups.closing)
    else:
        await sleep_unless_closing(app, mailbox.every_s)


@asynccontextmanager
async def _open_mailbox(app: App, mailbox: Mailbox) -> AsyncIterator[OpenMailbox]:
    opened = await run_in_thread(partial(OpenMailbox, mailbox), app.wakeups.closing)
    _log.info("mailbox open", mailbox=mailbox.name, tells=opened.supports_idle)
    try:
        yield opened
    finally:
        opened.shut_down()
        await asyncio.to_thread(opened.close)
