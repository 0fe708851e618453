"""However the service ends, the mail door is closed in order first: what was begun is answered for, and kept."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from mailer.app import App
from mailer.domain.incoming_message import IncomingMessage
from mailer.entrypoints.service import jobs
from mailer.store import incoming_mails
from mailer.store.incoming_group_commit import IncomingGroupCommit
from tests.support.app_helpers import DOMAIN, ROSA, open_list
from tests.support.running_service import running_service

MAIL = f"HELO there\r\nMAIL FROM:<{ROSA}>\r\nRCPT TO:<appeals@{DOMAIN}>\r\nDATA\r\n"


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_a_part_that_fails_ends_the_service_and_a_mail_on_its_way_is_written_down_and_answered(
    app: App, again: Callable[[], App], monkeypatch: pytest.MonkeyPatch
) -> None:
    fails, begun, may_write = asyncio.Event(), asyncio.Event(), asyncio.Event()
    write_down, messages = IncomingGroupCommit.commit, []

    async def purge(_: App) -> dict[str, int]:
        await fails.wait()
        raise RuntimeError("a fault of the test")

    async def write_down_slowly(self: IncomingGroupCommit, message: IncomingMessage) -> None:
        begun.set()
        await may_write.wait()
        await write_down(self, message)

    async def clients(port: int) -> None:
        idle, idle_line = await asyncio.open_connection("127.0.0.1", port)
        await idle.readline()
        busy, busy_line = await asyncio.open_connection("127.0.0.1", port)
        await busy.readline()
        for line in MAIL.splitlines(keepends=True):
            busy_line.write(line.encode())
            await busy.readline()
        busy_line.write(b"Subject: seeds\r\n\r\nI have some.\r\n.\r\n")
        await begun.wait()
        fails.set()
        messages.append(await idle.readline())
        may_write.set()
        messages.append(await busy.readline())
        idle_line.close()
        busy_line.close()

    await open_list(app)
    monkeypatch.setattr(jobs, "purge", purge)
    monkeypatch.setattr(IncomingGroupCommit, "commit", write_down_slowly)
    with pytest.RaisesGroup(pytest.RaisesExc(RuntimeError, match="a fault of the test"), flatten_subgroups=True):
        async with asyncio.timeout(20), running_service(app) as service:
            talking = asyncio.create_task(clients(service.ports.intake_port))
            await asyncio.Event().wait()
    await talking

    assert [line[:3] for line in messages] == [b"421", b"250"]
    assert await again().database.read(incoming_mails.count_waiting, 9) == 1
