"""Whatever breaks in the sending path, and wherever it waits: all letters are accepted, and nothing is left hanging."""

from __future__ import annotations

import asyncio
import itertools
import os
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from sqlalchemy import Connection, func, select
from structlog.testing import capture_logs

from mailer.actions.campaigns.report import campaign_status
from mailer.app import App, Wakeups
from mailer.domain.campaign import CampaignState
from mailer.domain.delivery import DeliveryState
from mailer.entrypoints.service import background_tasks as loops
from mailer.mail.dkim.signing import Signer
from mailer.network.signing_pool import SigningPool
from mailer.store import campaigns
from mailer.store.queue.queue_tables import claim
from tests.support.app_helpers import ADMIN, DOMAIN, Clock, import_rows, launch_campaign, open_list
from tests.support.await_faults import AwaitSite, FaultMode, Faults
from tests.support.fake_relay import FakeRelay

PEOPLE = [f"person{number}@example{number % 3}.org" for number in range(8)]
CONNECTIONS, LINES = 4, 3
"""One is kept for notices."""
EACH = "MAILER_TEST_LONG" in os.environ
A_FEW = 10


@pytest.fixture
async def signing_app(app: App, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[App]:
    """Its letters are signed by a process, and it does not rest after trouble."""

    async def no_pause(app: App, seconds: float) -> None:
        await asyncio.sleep(0.001)

    monkeypatch.setattr(loops, "sleep_unless_closing", no_pause)
    signers = (Signer(domain=DOMAIN, selector="s", key=generate_private_key(65537, 1024)),)
    signing = SigningPool(signers, 1)
    yield replace(app, signers=signers, signing_pool=signing, lease=timedelta(days=99))
    await signing.close()


@asynccontextmanager
async def sending(app: App) -> AsyncIterator[list[asyncio.Task[None]]]:
    """The service, as far as it sends; the tasks that do."""
    async with asyncio.TaskGroup() as group:
        tasks = loops.start_sending(app, group)
        try:
            yield tasks
        finally:
            app.wakeups.closing.set()
            app.wakeups.notify_all()
            await loops.cancel_after_timeout(tasks)


async def until_sent(app: App, clock: Clock, campaign_id: int) -> None:
    """A campaign that was launched is sent, and nobody holds anything; however often the service has to be started."""
    while not await app.database.read(over, campaign_id):
        await asyncio.to_thread(app.presence.close)
        app = replace(app, wakeups=Wakeups())
        with suppress_faults():
            await send_until(app, clock, campaign_id)


@contextmanager
def suppress_faults() -> Iterator[None]:
    """A fault that ends the service is as good as any: it is started again."""
    try:
        yield
    except* Exception as faults:
        if faults.split(lambda one: "a fault of the test" in str(one))[1]:
            raise


async def send_until(app: App, clock: Clock, campaign_id: int) -> None:
    """The service sends until a campaign is over, or one of its tasks has ended."""
    async with sending(app) as tasks:
        while not await app.database.read(over, campaign_id) and not any(task.done() for task in tasks):
            await app.database.write(let_go_on, campaign_id)
            app.wakeups.notify_all()
            await asyncio.sleep(0.005)
            clock.advance(seconds=30)


def let_go_on(tx: Connection, campaign_id: int) -> None:
    """As its owner does with a campaign that paused since a letter could not be written."""
    campaigns.change_state(tx, campaign_id, CampaignState.SENDING, from_states=(CampaignState.PAUSED,))


def over(tx: Connection, campaign_id: int) -> bool:
    state = tx.exec_driver_sql(f"SELECT state FROM campaign WHERE id = {campaign_id}").scalar_one()
    claims = tx.execute(select(func.count()).select_from(claim).where(claim.c.campaign_id == campaign_id)).scalar_one()
    return state == CampaignState.SENT and not claims


async def found_after(app: App, relay: FakeRelay, clock: Clock) -> str:
    """What is wrong after a blast, in words; nothing where all is well."""
    relay.letters.clear()
    campaign_id = await launch_campaign(app)
    try:
        async with asyncio.timeout(20):
            await until_sent(app, clock, campaign_id)
    except TimeoutError:
        return f"it never ends: {(await campaign_status(app, ADMIN, campaign_id)).counts}"
    status, got = await campaign_status(app, ADMIN, campaign_id), Counter(letter.recipient for letter in relay.letters)
    if status.counts != {DeliveryState.ACCEPTED: len(PEOPLE)} or set(got) != set(PEOPLE):
        return f"not all have it: {status.counts} {got}"
    if max(got.values()) > 2 or got.total() - len(PEOPLE) > LINES:
        return f"more repeats than connections: {got}"
    if len({(letter.recipient, letter.content) for letter in relay.letters}) != len(PEOPLE):
        return "a repeat is another letter"
    return ""


def cases(faults: Faults, kind: str) -> list[tuple[AwaitSite, FaultMode]]:
    """Each of the awaits that were met, broken in each way; or a few all over the path, others on each database."""
    every = list(itertools.product(sorted(faults.sites), FaultMode))
    return every if EACH else every[3 * (kind == "sqlite") :: len(every) // A_FEW | 1]


async def test_whichever_await_breaks_everybody_has_the_letter_and_nothing_hangs(
    signing_app: App, relay: FakeRelay, clock: Clock
) -> None:
    app, faults = replace(signing_app, relays=(replace(signing_app.relays[0], connections=CONNECTIONS),)), Faults()
    relay.end_sessions(lambda _: 3)
    await open_list(app)
    await import_rows(app, *(f"{one},,en" for one in PEOPLE))
    asyncio.get_running_loop().set_task_factory(faults.task_factory)
    assert await found_after(app, relay, clock) == ""
    wrong, met = {}, 0

    with capture_logs():
        for site, mode in cases(faults, app.database.engine.dialect.name):
            faults.inject(site, mode)
            if found := await found_after(app, relay, clock):
                wrong[site, mode] = found
            met += faults.was_hit
            faults.clear()
    asyncio.get_running_loop().set_task_factory(None)

    assert wrong == {}
    assert met >= A_FEW / 2
