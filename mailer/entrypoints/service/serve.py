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

from mailer.actions.inbound.process_mail import AT_ONCE, hear
from mailer.actions.inbound.receive import Reception
from mailer.actions.maintenance.purge import tidy
from mailer.actions.maintenance.requeue_orphans import take_back_orphans
from mailer.actions.maintenance.weekly_report import tell_owners
from mailer.app import App
from mailer.entrypoints.imap.poller import start_fetching
from mailer.entrypoints.service.background_tasks import cut_off, pause, start_sending, whenever
from mailer.entrypoints.service.listening_socket import listen
from mailer.entrypoints.service.scheduler import ticking
from mailer.entrypoints.service.worker import start_children
from mailer.entrypoints.smtp.connection_limits import networks
from mailer.entrypoints.smtp.server import IntakeDoor, open_intake
from mailer.entrypoints.smtp.tls_certificate import Certificate
from mailer.entrypoints.web.application import web_app
from mailer.errors import DatabaseMoved, DatabaseOwned, DatabaseUnavailable
from mailer.network.imap_mailbox import Mailbox
from mailer.settings.intake_tables import IntakeSettings
from mailer.settings.toml_tables import WebSettings
from mailer.store.database_files import make_private
from mailer.store.queue.workers import owning

_log = structlog.get_logger()

_OWNER_CHECK_S = 2
_TIDY_CHECK_S = 600
_GIVING_WAY_S, _IN_A_CROWD = 0.5, 2
"""How long acting on mail rests, and on how many it acts before, while many hand in theirs."""
_MEGABYTE = 2**20


@dataclass(frozen=True, slots=True)
class Doors:
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
        loop.add_signal_handler(number, app.bells.closing.set)
    lost: BaseException | None = None
    try:
        async with serving(app, intake, web, mailboxes, workers=workers) as doors:
            _log.info("open", intake=f"{intake.host}:{doors.intake_port}", pages=f"{web.host}:{doors.web_port}")
            await app.bells.closing.wait()
            _log.info("closing")
    except* (DatabaseOwned, DatabaseMoved) as group:
        lost = group.exceptions[0]
    if lost is not None:  # raised here: what an `except*` block raises itself comes in a group on Python before 3.11.4
        raise lost


@asynccontextmanager
async def serving(
    app: App, intake: IntakeSettings, web: WebSettings, mailboxes: Sequence[Mailbox] = (), *, workers: int = 1
) -> AsyncIterator[Doors]:
    """The whole service, one of so many processes that send, while the block runs.

    On leaving, and so when a part of it fails, the mail door is closed in order first: clients are told, and mails that
    are being written down are. Handed letters are awaited, and all else is put down. The pages open last: whoever is
    answered by them finds every door open.
    """
    with owning(app.database.engine) as make_sure, closing(listen(web.host, web.port, "the web door")) as pages_socket:
        _keep_private(app, intake)
        reception = Reception(app, intake)
        await reception.sweep()
        place = _mail_door(app, intake)
        mail_door = await open_intake(place, reception)
        pages = Pages(_pages_config(app, web))
        try:
            async with asyncio.TaskGroup() as group:
                with ticking(app.bells.ring):
                    sending = start_sending(app, group)
                    group.create_task(whenever(app, app.bells.incoming, partial(_hear_all, app, reception)))
                    start_fetching(app, group, mailboxes, place, reception)
                    start_children(app, group, workers - 1)
                    group.create_task(pages.serve(sockets=[pages_socket]))
                    group.create_task(_stay_owner(app, make_sure))
                    group.create_task(_tidy_hourly(app))
                    # Read from ten catalogues when first asked for: not in the loop, and before the first mail.
                    group.create_task(asyncio.to_thread(lambda: app.templates.vocabulary))
                    app.bells.ring()
                    try:
                        yield Doors(mail_door.port, pages_socket.getsockname()[1])
                    finally:
                        app.bells.closing.set()
                        app.bells.ring()
                        pages.should_exit = True
                        # Not as tasks of the group: where a part of it failed it takes no more.
                        await asyncio.gather(mail_door.close(), cut_off(sending))
        finally:
            await app.close()


def _keep_private(app: App, intake: IntakeSettings) -> None:
    """What older versions, or a copy put back, left for others to read is ours alone from now on."""
    database = Path(str(app.database.engine.url.database)) if app.database.has_one_writer else None
    if changed := make_private(database, intake.spool):
        _log.warning("made private", files=[str(file) for file in changed])


def _mail_door(app: App, intake: IntakeSettings) -> IntakeDoor:
    return IntakeDoor(
        host=intake.host,
        port=intake.port,
        protocol=intake.protocol,
        hostname=app.house.domain,
        domain=app.house.domain,
        spool=intake.spool,
        certificate=Certificate(intake.tls_certificate, intake.tls_key) if intake.tls_certificate else None,
        own=networks(intake.mail_servers),
        proxies=networks(intake.proxy_from),
        most_octets=int(intake.most_megabytes * _MEGABYTE),
        most_connections=intake.most_connections,
        most_per_address=intake.most_per_address,
    )


def _pages_config(app: App, web: WebSettings) -> uvicorn.Config:
    return uvicorn.Config(
        web_app(app, web.trusted_proxies),
        proxy_headers=False,  # the pages read them, by the settings alone
        log_config=None,
        access_log=False,
        lifespan="off",
        server_header=False,
        timeout_graceful_shutdown=1,
    )


class Pages(uvicorn.Server):
    """uvicorn, without its signal handlers: the service has its own."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals alone."""
        yield


async def _hear_all(app: App, reception: Reception) -> None:
    """Act on what came in; a mail that breaks us is tried again, and parked the third time.

    Slowly while a crowd is at the mail door: its servers wait for our answers, and what it left waits safely.
    """
    more = True
    while more and not app.bells.closing.is_set():
        try:
            more = await hear(app, _IN_A_CROWD if reception.crowded else AT_ONCE)
            if reception.crowded:
                await pause(app, _GIVING_WAY_S)
        except DatabaseUnavailable:
            raise
        except Exception:
            _log.exception("a mail broke us")
            return


async def _tidy_hourly(app: App) -> None:
    """Ask now and then whether it is time; the ledger knows."""
    while not app.bells.closing.is_set():
        try:
            if any((done := await tidy(app)).values()):
                _log.info("tidied", **done)
            await take_back_orphans(app)
            await tell_owners(app)
        except DatabaseUnavailable as trouble:
            _log.warning("trouble", what=str(trouble))
        await pause(app, _TIDY_CHECK_S)


async def _stay_owner(app: App, make_sure: Callable[[], None]) -> None:
    """Make sure every few seconds that the database is ours, and where it was; DatabaseOwned, DatabaseMoved end us."""
    while not app.bells.closing.is_set():
        try:
            await asyncio.to_thread(make_sure)
            await app.database.check_files()
        except DatabaseMoved:
            raise
        except DatabaseUnavailable as trouble:
            _log.warning("trouble", what=str(trouble))
        await pause(app, _OWNER_CHECK_S)
