"""Mail comes through the real Postfix: with the snippet that deploy/postfix offers, over LMTP, to `mailer serve`."""

from __future__ import annotations

import asyncio
import os
import smtplib
import socket
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from mailer.store import incoming_mails
from mailer.store.database import Database
from tests.support.app_helpers import DOMAIN, EMMA, ROOT, ROSA, text_of
from tests.support.child_process import ChildProcess, start_process
from tests.support.fake_relay import FakeRelay
from tests.support.real_postfix import Postfix, running_postfix

SNIPPET = (ROOT / "deploy" / "postfix" / "main.cf").read_text()
SETTINGS = """\
[service]
domain = "{domain}"
owner = "ada@example.net"
[intake]
port = {port}
protocol = "lmtp"
[web]
port = 0
[hearing]
check_senders = false
[[relay]]
port = {relay}
"""


@pytest.fixture
def port() -> int:
    """Of our mail door, the same each time it opens."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        number: int = free.getsockname()[1]
        return number


@pytest.fixture
async def house(tmp_path: Path, port: int, relay: FakeRelay) -> Path:
    """A folder with settings, a secret and Ada's list."""
    for words in ("init", "list add appeals --name Appeals --owner ada@example.net"):
        process = await start_process(sys.executable, "-m", "mailer", *words.split(), cwd=tmp_path, env=env(tmp_path))
        assert await process.wait() == 0, process.last_lines
        (tmp_path / "settings.toml").write_text(SETTINGS.format(domain=DOMAIN, port=port, relay=relay.port))
    return tmp_path


@pytest.fixture
async def front(port: int) -> AsyncIterator[Postfix]:
    """Postfix before it."""
    async with running_postfix(SNIPPET.replace("127.0.0.1:8025", f"127.0.0.1:{port}")) as started:
        yield started


def env(folder: Path, **changed: str) -> dict[str, str]:
    return os.environ | {"MAILER_SETTINGS": str(folder / "settings.toml"), "PYTHONPATH": str(ROOT)} | changed


async def serve(folder: Path, **changed: str) -> ChildProcess:
    process = await start_process(sys.executable, "-m", "mailer", "serve", cwd=folder, env=env(folder, **changed))
    await process.wait_for_line("started service")
    return process


async def write(front: Postfix, sender: str, to: str, text: str = "") -> None:
    """Hand a mail to Postfix."""
    mail = f"From: {sender}\r\nTo: {to}@{DOMAIN}\r\nSubject: hello\r\nMessage-ID: <{to}.{sender}>\r\n\r\n{text}\r\n"

    def send() -> None:
        with smtplib.SMTP("127.0.0.1", front.port, timeout=60) as client:
            client.sendmail(sender, [f"{to}@{DOMAIN}"], mail)

    await asyncio.to_thread(send)


async def kept(folder: Path) -> int:
    database = Database(f"sqlite:///{folder}/mailer.db")
    try:
        return await database.read(incoming_mails.count_all)
    finally:
        await database.close()


async def test_mail_through_postfix_arrives_once_and_whole_and_what_is_in_vain_is_refused(
    house: Path, front: Postfix, relay: FakeRelay
) -> None:
    process = await serve(house)

    await write(front, EMMA, "appeals-join")
    (asked,) = await relay.wait_for(1, within_s=30)
    with pytest.raises(smtplib.SMTPRecipientsRefused) as refused:
        await write(front, EMMA, "nobody-join")
    rows = "".join(f"row {number}: beans and peas\r\n" for number in range(10_000))
    await write(front, EMMA, "appeals-owner", rows)
    carried = (await relay.wait_for(2, within_s=30))[1]

    assert asked.recipient == EMMA
    assert "confirm" in text_of(asked)
    assert [code for code, _ in refused.value.recipients.values()] == [550]
    assert carried.recipient == "ada@example.net"
    assert rows.encode().strip() in carried.content
    assert await kept(house) == 2
    assert list((house / "spool").iterdir()) == []
    await process.terminate()


async def test_while_we_have_no_room_postfix_keeps_the_mail_and_brings_it_later(
    house: Path, front: Postfix, relay: FakeRelay
) -> None:
    process = await serve(house)
    await write(front, EMMA, "appeals-join")  # so that Postfix knows the address
    await relay.wait_for(1, within_s=30)
    await process.terminate()

    process = await serve(house, MAILER_INTAKE__KEEP_FREE_MEGABYTES="999999999")
    await write(front, ROSA, "appeals-join")
    await front.wait_for_log("452 4.3.1")
    assert await kept(house) == 1
    await process.terminate()

    process = await serve(house)
    letters = await relay.wait_for(2, within_s=30)
    assert letters[1].recipient == ROSA
    assert await kept(house) == 2
    await process.terminate()
