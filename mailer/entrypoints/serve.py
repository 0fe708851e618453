"""`mailer serve`: every door, the clock and the sending, in one process and one loop."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, closing, contextmanager, suppress
from dataclasses import dataclass
from functools import partial

import structlog
import uvicorn

from mailer.actions.hearing.hear import hear
from mailer.actions.hearing.receive import receive, recognise
from mailer.actions.posting.desk import Desk, enter
from mailer.actions.sending.launch import launch_due
from mailer.actions.sending.send import send
from mailer.app import App
from mailer.entrypoints.clock import ticking
from mailer.entrypoints.listener import listen
from mailer.entrypoints.smtp import IntakeDoor, open_intake
from mailer.entrypoints.web.pages import web_app
from mailer.errors import DatabaseOwned, DatabaseUnavailable, RelayUnavailable
from mailer.relay.route import Priority
from mailer.settings.toml_tables import IntakeSettings, WebSettings
from mailer.store.workers import owning

_log = structlog.get_logger()

_LONGEST_PAUSE_S = 60
_OWNER_CHECK_S = 5
_HANDED_WAIT_S = 30
"""How long, at the end, the answers to letters already handed are awaited."""


@dataclass(frozen=True, slots=True)
class Doors:
    """Where the service can be reached; the real ports, where 0 was asked for."""

    intake_port: int
    web_port: int


async def serve(app: App, intake: IntakeSettings, web: WebSettings) -> None:
    """Run until SIGINT or SIGTERM. Raises DoorTaken, DatabaseOwned and SettingsRefused before any door is open."""
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, app.bells.closing.set)
    try:
        async with serving(app, intake, web) as doors:
            _log.info("open", intake=f"{intake.host}:{doors.intake_port}", pages=f"{web.host}:{doors.web_port}")
            await app.bells.closing.wait()
            _log.info("closing")
    except* DatabaseOwned as lost:
        raise lost.exceptions[0] from None


@asynccontextmanager
async def serving(app: App, intake: IntakeSettings, web: WebSettings) -> AsyncIterator[Doors]:
    """The whole service while the block runs; on leaving, handed letters are awaited and all else is put down.

    The pages open last: whoever is answered by them finds every door open.
    """
    with owning(app.database.engine) as make_sure, closing(listen(web.host, web.port, "the web door")) as pages_socket:
        mail_door = await open_intake(_mail_door(app, intake), partial(recognise, app), partial(receive, app))
        pages = Pages(_pages_config(app))
        try:
            async with asyncio.TaskGroup() as group:
                with ticking(app.bells.ring):
                    sending = [group.create_task(_send_in(app, priority)) for priority in Priority]
                    group.create_task(_whenever(app, app.bells.incoming, partial(_hear_all, app)))
                    group.create_task(_whenever(app, app.bells.schedule, partial(launch_due, app)))
                    group.create_task(pages.serve(sockets=[pages_socket]))
                    group.create_task(_stay_owner(app, make_sure))
                    app.bells.ring()
                    try:
                        yield Doors(mail_door.port, pages_socket.getsockname()[1])
                    finally:
                        app.bells.closing.set()
                        app.bells.ring()
                        pages.should_exit = True
                        group.create_task(mail_door.close())
                        group.create_task(_cut_off(sending))
        finally:
            await app.database.close()


def _mail_door(app: App, intake: IntakeSettings) -> IntakeDoor:
    domain = app.house.domain
    return IntakeDoor(host=intake.host, port=intake.port, protocol=intake.protocol, hostname=domain, domain=domain)


def _pages_config(app: App) -> uvicorn.Config:
    return uvicorn.Config(
        web_app(app),
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


async def _send_in(app: App, priority: Priority) -> None:
    """Send in one priority, as a new worker after every failure of the ledger: what the old one held is recovered."""
    desk: Desk | None = None

    async def work() -> None:
        nonlocal desk
        try:
            desk = desk or await enter(app, priority)
            await send(desk)
        except DatabaseUnavailable:
            desk = None
            raise

    await _whenever(app, app.bells.queue, work)


async def _hear_all(app: App) -> None:
    """Act on what came in; a mail that breaks us is tried again, and parked the third time."""
    more = True
    while more and not app.bells.closing.is_set():
        try:
            more = await hear(app)
        except DatabaseUnavailable:
            raise
        except Exception:
            _log.exception("a mail broke us")
            return


async def _whenever(app: App, bell: asyncio.Event, work: Callable[[], Awaitable[object]]) -> None:
    """Do the work each time the bell rings; where the relay or the database is down, wait, longer each time."""
    pause_s = 1
    while await bell.wait() and not app.bells.closing.is_set():
        bell.clear()
        try:
            await work()
            pause_s = 1
        except (RelayUnavailable, DatabaseUnavailable) as trouble:
            _log.warning("trouble", what=str(trouble), trying_again_in_s=pause_s)
            with suppress(TimeoutError):
                await asyncio.wait_for(app.bells.closing.wait(), pause_s)
            pause_s = min(pause_s * 2, _LONGEST_PAUSE_S)
            bell.set()


async def _stay_owner(app: App, make_sure: Callable[[], None]) -> None:
    """Make sure every few seconds that the database is ours; DatabaseOwned ends the service."""
    while not app.bells.closing.is_set():
        try:
            await asyncio.to_thread(make_sure)
        except DatabaseUnavailable as trouble:
            _log.warning("trouble", what=str(trouble))
        with suppress(TimeoutError):
            await asyncio.wait_for(app.bells.closing.wait(), _OWNER_CHECK_S)


async def _cut_off(sending: list[asyncio.Task[None]]) -> None:
    """End the wait for a relay that does not answer: those letters are of unknown fate, and known by name."""
    _, pending = await asyncio.wait(sending, timeout=_HANDED_WAIT_S)
    for task in pending:
        task.cancel()
