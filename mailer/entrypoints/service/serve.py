"""`mailer serve`: SMTP server, web server, scheduler and sending in one process and one event loop."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import ExitStack, asynccontextmanager, closing
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

import structlog

from mailer.actions.accounts.sign_in import make_set_up_link
from mailer.actions.inbound.process_mail import BATCH_SIZE, process_incoming_mails
from mailer.actions.inbound.receive import MailReceiver
from mailer.actions.maintenance.own_database import make_files_private, own_database
from mailer.app import App
from mailer.domain.accounts.sign_in import LINK_LIFETIME
from mailer.entrypoints.imap.poller import start_imap_pollers
from mailer.entrypoints.service.background_tasks import (
    cancel_after_timeout,
    run_when_signalled,
    sleep_unless_closing,
    start_sending,
)
from mailer.entrypoints.service.jobs import start_jobs
from mailer.entrypoints.service.listening_socket import open_listening_socket
from mailer.entrypoints.service.scheduler import run_scheduler
from mailer.entrypoints.service.worker import start_worker_processes
from mailer.entrypoints.smtp.server import smtp_server_config, start_smtp_server
from mailer.entrypoints.web.application import web_app
from mailer.entrypoints.web.server import WebServer
from mailer.errors import DatabaseMoved, DatabaseOwned, DatabaseUnavailable
from mailer.network.imap_mailbox import Mailbox
from mailer.settings.intake_tables import IntakeSettings
from mailer.settings.toml_tables import WebSettings

_log = structlog.get_logger()

_CROWDED_PAUSE_S, _CROWDED_BATCH = 0.5, 2
"""While many clients hand in mail: the pause between two batches of processing, and the size of a batch."""


@dataclass(frozen=True, slots=True)
class ListeningPorts:
    """The ports the service listens on, also where the settings say 0."""

    intake_port: int
    web_port: int


async def serve(
    app: App, intake: IntakeSettings, web: WebSettings, mailboxes: Sequence[Mailbox] = (), *, workers: int = 1
) -> None:
    """Run the service until SIGINT or SIGTERM.

    `workers` is the number of processes on this machine that send, this one included. Raises ListenAddressTaken,
    DatabaseOwned and SettingsRefused before anything is open, DatabaseMoved if the database's file is moved away.
    """
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, app.wakeups.closing.set)
    failure: BaseException | None = None
    try:
        async with run_service(app, intake, web, mailboxes, workers=workers) as ports:
            _log.info(
                "started service", intake=f"{intake.host}:{ports.intake_port}", pages=f"{web.host}:{ports.web_port}"
            )
            await _show_set_up_link(app)
            await app.wakeups.closing.wait()
            _log.info("stopped accepting, closing")
    except* (DatabaseOwned, DatabaseMoved) as group:
        failure = group.exceptions[0]
    # Raised here: before Python 3.11.4 what an `except*` block raises comes in a group.
    if failure is not None:
        raise failure


async def _show_set_up_link(app: App) -> None:
    """Print to stderr how to become the first organiser, while there is none."""
    if (link := await make_set_up_link(app)) is not None:
        hour = LINK_LIFETIME // timedelta(hours=1)
        sys.stderr.write(f"mailer: nobody can sign in yet; open this within {hour} hour to become the owner: {link}\n")
        sys.stderr.flush()


@asynccontextmanager
async def run_service(
    app: App, intake: IntakeSettings, web: WebSettings, mailboxes: Sequence[Mailbox] = (), *, workers: int = 1
) -> AsyncIterator[ListeningPorts]:
    """Run the whole service while the block runs; `workers` as in `serve`.

    At the end, or when a part fails, the SMTP server closes first: clients get a reply, messages that are being
    stored are stored. The answers to handed letters are awaited; everything else is cancelled. The web server starts
    last, so that /health answers only when everything is open.
    """
    with ExitStack() as stack:
        check_ownership = stack.enter_context(own_database(app))
        web_socket = stack.enter_context(closing(open_listening_socket(web.host, web.port, "the web server")))
        make_files_private(app, intake.spool)
        receiver = MailReceiver(app, intake)
        await receiver.delete_orphaned_files()
        smtp_config = smtp_server_config(app, intake)
        smtp_server = await start_smtp_server(smtp_config, receiver)
        web_server = WebServer(web_app(app, web.trusted_proxies))
        try:
            async with asyncio.TaskGroup() as group:
                with run_scheduler() as scheduler:
                    sending = start_sending(app, group)
                    start_imap_pollers(app, group, scheduler, mailboxes, smtp_config, receiver)
                    start_worker_processes(app, group, workers - 1)
                    group.create_task(web_server.serve(sockets=[web_socket]))
                    _start_processing_mail(app, group, receiver)
                    start_jobs(app, group, scheduler, check_ownership)
                    app.wakeups.notify_all()
                    try:
                        yield ListeningPorts(smtp_server.port, web_socket.getsockname()[1])
                    finally:
                        app.wakeups.closing.set()
                        app.wakeups.notify_all()
                        web_server.should_exit = True
                        # Not as tasks of the group: it takes no more tasks after one of them failed.
                        await asyncio.gather(smtp_server.close(), cancel_after_timeout(sending))
        finally:
            await app.close()


def _start_processing_mail(app: App, group: asyncio.TaskGroup, receiver: MailReceiver) -> None:
    process_mail = partial(_process_inbound_mail, app, receiver)
    group.create_task(run_when_signalled(app, app.wakeups.incoming, process_mail))
    # Ten catalogues are read when the vocabulary is first used: in a thread, and before the first mail.
    group.create_task(asyncio.to_thread(lambda: app.vocabulary))


async def _process_inbound_mail(app: App, receiver: MailReceiver) -> None:
    """Process the mail that waits; mail whose processing fails is tried again, and parked after the third failure.

    While many clients hand in mail it is processed slowly: clients wait for our replies, committed mail can wait.
    """
    more = True
    while more and not app.wakeups.closing.is_set():
        try:
            more = await process_incoming_mails(app, _CROWDED_BATCH if receiver.is_busy else BATCH_SIZE)
            if receiver.is_busy:
                await sleep_unless_closing(app, _CROWDED_PAUSE_S)
        except DatabaseUnavailable:
            raise
        except Exception:
            _log.exception("failed to process incoming mail")
            return
