"""Mailboxes that our domain's mail is fetched from, where its MX cannot hand it to us."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from functools import partial

import structlog

from mailer.app import App, read_password
from mailer.entrypoints.imap.blocking_call import aside
from mailer.entrypoints.imap.poll import FetchRound
from mailer.entrypoints.service.background_tasks import pause
from mailer.entrypoints.smtp.handler import Desk, IntakeDoor
from mailer.errors import DatabaseUnavailable, MailboxUnavailable, SettingsRefused
from mailer.network.imap_mailbox import Mailbox, OpenMailbox
from mailer.settings.load import Settings
from mailer.settings.mailbox_tables import MailboxSettings

_log = structlog.get_logger()

_LONGEST_PAUSE_S, _LONGEST_REFUSED_S = 60, 600
"""Who is refused comes again less often: some providers lock an account that knocks all the time."""


def open_mailboxes(settings: Settings) -> tuple[Mailbox, ...]:
    """Those of these settings; none is asked yet.

    SettingsRefused where what it takes is not installed, SecretUnreadable where a password cannot be had.
    """
    if settings.mailbox:
        try:
            import imapclient  # noqa: F401
        except ImportError:
            raise SettingsRefused("[[mailbox]] needs the extra imap: pip install 'appeal-mailer[imap]'") from None
    return tuple(map(_mailbox, settings.mailbox))


def start_fetching(
    app: App, group: asyncio.TaskGroup, mailboxes: Iterable[Mailbox], door: IntakeDoor, desk: Desk
) -> None:
    """Take mail out of each mailbox until the service closes, as if it came through that door."""
    for mailbox in mailboxes:
        group.create_task(_fetch(app, FetchRound(app=app, mailbox=mailbox, door=door, desk=desk)))


async def _fetch(app: App, fetching: FetchRound) -> None:
    """Stay in the mailbox; where it puts us out, come again, after a longer pause each time."""
    closing, name, pause_s = app.bells.closing, fetching.mailbox.name, 1
    while not closing.is_set():
        longest_s = _LONGEST_PAUSE_S
        try:
            async with _opened(app, fetching.mailbox) as opened:
                while not closing.is_set():
                    while await fetching.take_new(opened):
                        pause_s = 1
                    pause_s = 1
                    await _rest(app, fetching.mailbox, opened)
        except (MailboxUnavailable, DatabaseUnavailable) as trouble:
            if isinstance(trouble, MailboxUnavailable) and trouble.refused:
                longest_s = _LONGEST_REFUSED_S
            if not closing.is_set():
                _log.warning("trouble", mailbox=name, what=str(trouble), trying_again_in_s=pause_s)
        except Exception:  # of whatever sort: the other doors stay open
            _log.exception("the mailbox broke us", mailbox=name)
        await pause(app, pause_s)
        pause_s = min(pause_s * 2, longest_s)


async def _rest(app: App, mailbox: Mailbox, opened: OpenMailbox) -> None:
    """Until there may be new mail. Told by the server or not, we look after a while: what came just before we
    listened is never told."""
    if opened.tells:
        await aside(partial(opened.wait, mailbox.every_s), app.bells.closing)
    else:
        await pause(app, mailbox.every_s)


@asynccontextmanager
async def _opened(app: App, mailbox: Mailbox) -> AsyncIterator[OpenMailbox]:
    opened = await aside(partial(OpenMailbox, mailbox), app.bells.closing)
    _log.info("mailbox open", mailbox=mailbox.name, tells=opened.tells)
    try:
        yield opened
    finally:
        opened.cut()
        await asyncio.to_thread(opened.close)


def _mailbox(given: MailboxSettings) -> Mailbox:
    return Mailbox(
        host=given.host,
        port=given.port,
        tls=given.tls,
        username=given.username,
        password=read_password(given.password_file),
        folder=given.folder,
        done_folder=given.done_folder or None,
        every_s=given.every_s,
    )
