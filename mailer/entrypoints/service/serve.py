"""`mailer serve`: every door, the clock and the sending, in one process and one loop."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, closing, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import structlog
import uvicorn

from mailer.actions.inbound.process_mail import BATCH_SIZE, process_incoming_mails
from mailer.actions.inbound.receive import MailReceiver
from mailer.actions.maintenance.purge import purge
from mailer.actions.maintenance.requeue_orphans import requeue_orphans
from mailer.actions.maintenance.weekly_report import send_weekly_reports
from mailer.app import App
from mailer.entrypoints.imap.poller import start_imap_pollers
from mailer.entrypoints.service.background_tasks import (
    cancel_after_timeout,
    run_when_signalled,
    sleep_unless_closing,
    start_sending,
)
from mailer.entrypoints.service.listening_socket import open_listening_socket
from mailer.entrypoints.service.scheduler import tick_every_second
from mailer.entrypoints.service.worker import start_worker_processes
from mailer.entrypoints.smtp.connection_limits import parse_networks
from mailer.entrypoints.smtp.server import SmtpServerConfig, start_smtp_server
from mailer.entrypoints.smtp.tls_certificate import Certificate
from mailer.entrypoints.web.application import web_app
from mailer.errors import DatabaseMoved, DatabaseOwned, DatabaseUnavailable
from mailer.network.imap_mailbox import Mailbox
from mailer.settings.intake_tables import IntakeSettings
from mailer.settings.toml_tables import WebSettings
from mailer.store.database_files import make_private
from mailer.store.queue.workers import own_database

_log = structlog.get_logger()

_OWNERSHIP_CHECK_EVERY_S = 2
_MAINTENANCE_CHECK_EVERY_S = 600
_CROWDED_PAUSE_S, _CROWDED_BATCH = 0.5, 2
"""How long acting on mail rests, and on how many it acts before, while many hand in theirs."""
_MEGABYTE = 2**20


@dataclass(frozen=True, slots=True)
class ListeningPorts:
    """Where the service can be reached; the real ports, where 0 was asked for."""

    intake_port: int
    web_port: int


async def serve(
    app: App, intake: IntakeSettings, web: WebSettings, mailboxes: Sequence[Mailbox] = (), *, workers: int = 1
) -> None:
    """Run, as one of so many processes that send, until SIGINT or SIGTERM.

    Raises DoorTaken, DatabaseOwned and SettingsRefused before any door is open; DatabaseMoved where the database is
    moved away from under us.
    """
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, app.wakeups.closing.set)
    failure: BaseException | None = None
    try:
        async with run_service(app, intake, web, mailboxes, workers=workers) as ports:
            _log.info("open", intake=f"{intake.host}:{ports.intake_port}", pages=f"{web.host}:{ports.web_port}")
            await app.wakeups.closing.wait()
            _log.info("closing")
    except* (DatabaseOwned, DatabaseMoved) as group:
        failure = group.exceptions[0]
    if (
        failure is not None
    ):  # raised here: what an `except*` block raises itself comes in a group on Python before 3.11.4
        raise failure


@asynccontextmanager
async def run_service(
    app: App, intake: IntakeSettings, web: WebSettings, mailboxes: Sequence[Mailbox] = (), *, workers: int = 1
) -> AsyncIterator[ListeningPorts]:
    """The whole service, one of so many processes that send, while the block runs.

    On leaving, and so when a part of it fails, the mail door is closed in order first: clients are told, and mails that
    are being written down are. Handed letters are awaited, and all else is put down. The pages open last: whoever is
    answered by them finds every door open.
    """
    with (
        own_database(app.database.engine) as check_ownership,
        closing(open_listening_socket(web.host, web.port, "the web door")) as web_socket,
    ):
        _make_files_private(app, intake)
        reception = MailReceiver(app, intake)
        await reception.delete_orphaned_files()
        smtp_config = _smtp_server_config(app, intake)
        smtp_server = await start_smtp_server(smtp_config, reception)
        web_server = WebServer(_web_server_config(app, web))
        try:
            async with asyncio.TaskGroup() as group:
                with tick_every_second(app.wakeups.notify_all):
                    sending = start_sending(app, group)
                    group.create_task(
                        run_when_signalled(app, app.wakeups.incoming, partial(_process_inbound_mail, app, reception))
                    )
                    start_imap_pollers(app, group, mailboxes, smtp_config, reception)
                    start_worker_processes(app, group, workers - 1)
                    group.create_task(web_server.serve(sockets=[web_socket]))
                    group.create_task(_watch_database_ownership(app, check_ownership))
                    group.create_task(_run_maintenance(app))
                    # Read from ten catalogues when first asked for: not in the loop, and before the first mail.
                    group.create_task(asyncio.to_thread(lambda: app.vocabulary))
                    app.wakeups.notify_all()
                    try:
                        yield ListeningPorts(smtp_server.port, web_socket.getsockname()[1])
                    finally:
                        app.wakeups.closing.set()
                        app.wakeups.notify_all()
                        web_server.should_exit = True
                        # Not as tasks of the group: where a part of it failed it takes no more.
                        await asyncio.gather(smtp_server.close(), cancel_after_timeout(sending))
        finally:
            await app.close()


def _make_files_private(app: App, intake: IntakeSettings) -> None:
    """What older versions, or a copy put back, left for others to read is ours alone from now on."""
    database = Path(str(app.database.engine.url.database)) if app.database.has_one_writer else None
    if changed := make_private(database, intake.spool):
        _log.warning("made private", files=[str(file) for file in changed])


def _smtp_server_config(app: App, intake: IntakeSettings) -> SmtpServerConfig:
    return SmtpServerConfig(
        host=intake.host,
        port=intake.port,
        protocol=intake.protocol,
        hostname=app.site.domain,
        domain=app.site.domain,
        spool=intake.spool,
        certificate=Certificate(intake.tls_certificate, intake.tls_key) if intake.tls_certificate else None,
        own_servers=parse_networks(intake.mail_servers),
        proxies=parse_networks(intake.proxy_from),
        most_octets=int(intake.most_megabytes * _MEGABYTE),
        most_connections=intake.most_connections,
        most_per_address=intake.most_per_address,
    )


def _web_server_config(app: App, web: WebSettings) -> uvicorn.Config:
    return uvicorn.Config(
        web_app(app, web.trusted_proxies),
        proxy_headers=False,  # the pages read them, by the settings alone
        log_config=None,
        access_log=False,
        lifespan="off",
        server_header=False,
        timeout_graceful_shutdown=1,
    )


class WebServer(uvicorn.Server):
    """uvicorn, without its signal handlers: the service has its own."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals alone."""
        yield


async def _process_inbound_mail(app: App, reception: MailReceiver) -> None:
    """Act on what came in; a mail that breaks us is tried again, and parked the third time.

    Slowly while a crowd is at the mail door: its servers wait for our answers, and what it left waits safely.
    """
    more = True
    while more and not app.wakeups.closing.is_set():
        try:
            more = await process_incoming_mails(app, _CROWDED_BATCH if reception.is_busy else BATCH_SIZE)
            if reception.is_busy:
                await sleep_unless_closing(app, _CROWDED_PAUSE_S)
        except DatabaseUnavailable:
            raise
        except Exception:
            _log.exception("a mail broke us")
            return


async def _run_maintenance(app: App) -> None:
    """Ask now and then whether it is time; the ledger knows."""
    while not app.wakeups.closing.is_set():
        try:
            if any((purged := await purge(app)).values()):
                _log.info("tidied", **purged)
            await requeue_orphans(app)
            await send_weekly_reports(app)
        except DatabaseUnavailable as error:
            _log.warning("trouble", what=str(error))
        await sleep_unless_closing(app, _MAINTENANCE_CHECK_EVERY_S)


async def _watch_database_ownership(app: App, check_ownership: Callable[[], None]) -> None:
    """Make sure every few seconds that the database is ours, and where it was; DatabaseOwned, DatabaseMoved end us."""
    while not app.wakeups.closing.is_set():
        try:
            await asyncio.to_thread(check_ownership)
            await app.database.check_files()
        except DatabaseMoved:
            raise
        except DatabaseUnavailable as error:
            _log.warning("trouble", what=str(error))
        await sleep_unless_closing(app, _OWNERSHIP_CHECK_EVERY_S)
