"""The SMTP server in a process of its own: killed before the 250, and its memory under load."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from mailer.app import App
from tests.actions.inbound.test_receive import LARGE, OWNER, files, stored
from tests.support.app_helpers import ROOT, open_list
from tests.support.smtp_client import MAIL, SmtpClient

MEGABYTE = 2**20
pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@asynccontextmanager
async def server_process(app: App, folder: Path, *words: str) -> AsyncIterator[tuple[asyncio.subprocess.Process, int]]:
    """The door's process, and its port."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "tests.support.smtp_server_process"),
        app.database.engine.url.render_as_string(),
        str(folder),
        *words,
        cwd=ROOT,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    try:
        yield process, int(await asyncio.wait_for(process.stdout.readline(), 30))
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def greeted(port: int) -> SmtpClient:
    client = SmtpClient(*await asyncio.open_connection("127.0.0.1", port))
    await client.read_reply()
    return client


async def test_after_a_kill_before_the_250_the_repeated_message_is_stored_once(app: App, tmp_path: Path) -> None:
    await open_list(app)
    async with server_process(app, tmp_path, "stuck") as (process, port):
        client = await greeted(port)
        await client.begin_mail(OWNER)
        client.writer.write(LARGE + b".\r\n")
        assert process.stdout is not None
        await asyncio.wait_for(process.stdout.readline(), 10)
        process.kill()

        assert b"250" not in await client.read_to_end()
        await client.disconnect()
    assert (await stored(app), len(files(tmp_path))) == (0, 1)

    async with server_process(app, tmp_path) as (process, port):
        assert files(tmp_path) == []  # swept
        for mail in (LARGE, LARGE, MAIL):
            client = await greeted(port)
            await client.begin_mail(OWNER)
            assert (await client.send_command(mail + b".")).startswith("250")
            await client.disconnect()
        process.kill()
    assert (await stored(app), len(files(tmp_path))) == (2, 1)


@pytest.mark.slow
async def test_twenty_mails_of_ten_megabytes_at_once_need_less_than_a_hundred_megabytes(
    app: App, tmp_path: Path
) -> None:
    await open_list(app)
    async with server_process(app, tmp_path) as (process, port):
        idle = await weight(process)

        await asyncio.gather(*(pour(port, number) for number in range(20)))

        assert await weight(process) - idle < 100
    assert await stored(app) == 20
    assert sum((tmp_path / "spool" / name).stat().st_size for name in files(tmp_path)) > 200 * MEGABYTE


async def weight(process: asyncio.subprocess.Process) -> float:
    """The most memory it ever had, in MB."""
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(b"\n")
    while (line := await process.stdout.readline()) == b"written\n":
        pass
    return float(line)


async def pour(port: int, number: int) -> None:
    client = await greeted(port)
    await client.begin_mail(OWNER)
    client.writer.write(f"Subject: picture {number}\r\n\r\n".encode())
    for _ in range(10):
        client.writer.write(b"x" * MEGABYTE + b"\r\n")
        await client.writer.drain()
    assert (await asyncio.wait_for(client.send_command(b"."), 30)).startswith("250")
    await client.disconnect()
