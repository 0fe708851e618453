"""Live numbers come once a second from one count for all, and end with the campaign, the session or the service."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest

from mailer.actions.accounts.sessions import list_sessions, revoke_session
from mailer.actions.campaigns.pause_resume_cancel import cancel, pause
from mailer.app import App
from mailer.entrypoints.web.application import web_app
from mailer.entrypoints.web.console import live_snapshots, live_stream
from mailer.entrypoints.web.console.live_snapshots import LiveSnapshots
from tests.support.app_helpers import ADMIN, EMMA, ROSA, import_rows, launch_campaign, open_list
from tests.support.console_helpers import ADA_OWNER, VERA_VIEWER, Person, add_organiser
from tests.support.running_service import RunningService, running_service

PATIENCE_S = 30


class Watcher:
    """Reads a stream of events."""

    def __init__(self, response: httpx.Response) -> None:
        self.response = response
        self._lines = response.aiter_lines()

    async def next_event(self) -> tuple[str, Any]:
        """The name of the next event, and its data; ("end", None) at the end of the stream."""
        name, data = "message", ""
        async with asyncio.timeout(PATIENCE_S):
            async for line in self._lines:
                field, _, value = line.partition(": ")
                if field == "event":
                    name = value
                elif field == "data":
                    data = value
                elif not line and data:
                    return name, json.loads(data) if name == "message" else data
        return "end", None

    async def wait_for(self, name: str) -> None:
        """Read until an event of this name."""
        while (event := await self.next_event())[0] != name:
            assert event[0] != "end"


@pytest.fixture
async def campaign_id(app: App) -> int:
    """A campaign that two people wait for, and that is not sent before it is resumed."""
    await open_list(app)
    await import_rows(app, f"{EMMA},Emma,en", f"{ROSA},Rosa,en")
    number = await launch_campaign(app)
    await pause(app, ADMIN, number)
    return number


@pytest.fixture
async def service(app: App, campaign_id: int) -> AsyncIterator[RunningService]:
    async with running_service(app) as running:
        yield running


@asynccontextmanager
async def watching(service: RunningService, campaign_id: int, who: Person = ADA_OWNER) -> AsyncIterator[Watcher]:
    word = await add_organiser(service.app, who)
    path = f"/console/campaigns/{campaign_id}/live/stream"
    async with service.browser.stream("GET", path, headers={"Cookie": f"__Host-mailer={word}"}) as response:
        yield Watcher(response)


async def test_numbers_come_as_they_change_and_done_when_it_is_over(service: RunningService, campaign_id: int) -> None:
    async with watching(service, campaign_id) as watcher:
        name, first = await watcher.next_event()
        await cancel(service.app, ADMIN, campaign_id)
        numbers = [first]
        while (event := await watcher.next_event())[0] == "message":
            numbers.append(event[1])

    assert watcher.response.headers["content-type"] == "text/event-stream; charset=utf-8"
    assert watcher.response.headers["cache-control"] == "no-store"
    assert (name, first["state"], first["headline"]) == ("message", "paused", "Paused: 2 letters wait.")
    assert first["counts"]["queued"] == [2, "2", "100.0%"]
    assert event == ("done", "over")
    assert (numbers[-1]["state"], numbers[-1]["counts"]["cancelled"][0]) == ("cancelled", 2)


async def test_a_revoked_session_sees_no_more(
    service: RunningService, campaign_id: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live_stream, "_SESSION_CHECKED_EVERY", 1)
    async with watching(service, campaign_id) as watcher:
        await watcher.next_event()
        [session] = await list_sessions(service.app, ADMIN)
        await revoke_session(service.app, ADMIN, session.id)

        assert (await watcher.next_event())[0] == "done"


async def test_who_asks_for_the_head_alone_gets_it_at_once(app: App, campaign_id: int) -> None:
    word = await add_organiser(app, VERA_VIEWER)
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(web_app(app)), base_url=app.site.url, cookies={"__Host-mailer": word}
    ) as browser:
        answer = await asyncio.wait_for(browser.head(f"/console/campaigns/{campaign_id}/live/stream"), 5)

    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/event-stream")


async def test_the_service_ends_at_once_and_does_not_say_that_it_is_over(app: App, campaign_id: int) -> None:
    async with running_service(app) as service:
        async with watching(service, campaign_id) as watcher:
            await watcher.next_event()
            began = time.monotonic()
            app.wakeups.closing.set()
            ended = await watcher.next_event()

    assert ended == ("end", None)
    assert time.monotonic() - began < 5


async def test_when_too_many_watch_one_more_is_told_to_come_back(
    service: RunningService, campaign_id: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live_stream, "MOST_WATCHERS", 1)
    async with watching(service, campaign_id) as first:
        await first.next_event()
        async with watching(service, campaign_id, VERA_VIEWER) as second:
            pass

    assert second.response.status_code == 503
    assert second.response.headers["retry-after"] == "60"


async def test_a_browser_that_leaves_is_counted_no_more(
    service: RunningService, campaign_id: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live_stream, "MOST_WATCHERS", 1)
    async with watching(service, campaign_id) as first:
        await first.next_event()

    word = await add_organiser(service.app, VERA_VIEWER)
    path, headers = f"/console/campaigns/{campaign_id}/live/stream", {"Cookie": f"__Host-mailer={word}"}
    async with asyncio.timeout(PATIENCE_S):
        while True:
            async with service.browser.stream("GET", path, headers=headers) as response:
                if response.status_code == 200:
                    break
            await asyncio.sleep(0.1)


async def test_one_count_serves_everybody_who_watches(app: App, campaign_id: int) -> None:
    snapshots = LiveSnapshots(app)

    seen = await asyncio.gather(*(snapshots.get(campaign_id) for _ in range(50)))
    snapshots.forget(campaign_id)
    later = await snapshots.get(campaign_id)

    assert len({id(one) for one in seen}) == 1
    assert later is not seen[0]


async def test_a_slow_count_is_made_rarely(app: App, campaign_id: int, monkeypatch: pytest.MonkeyPatch) -> None:
    async def slow(*given: Any) -> Any:
        await asyncio.sleep(0.3)
        return await quick(*given)

    quick = live_snapshots.live_status
    monkeypatch.setattr(live_snapshots, "live_status", slow)

    assert (await LiveSnapshots(app).get(campaign_id)).rest_s >= 3
