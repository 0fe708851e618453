"""Receiving mail into a real database: what gets 250 is stored once; what cannot be stored gets 4xx."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from mailer.actions.inbound.process_mail import process_incoming_mails
from mailer.actions.inbound.receive import MailReceiver
from mailer.app import App
from mailer.domain.incoming_message import IncomingMessage
from mailer.entrypoints.smtp.handler import SmtpServerConfig
from mailer.entrypoints.smtp.server import SmtpServer, start_smtp_server
from mailer.settings.intake_tables import IntakeSettings
from mailer.store import incoming_mails
from mailer.store.incoming_group_commit import IncomingGroupCommit
from mailer.store.spool import SpoolFile
from tests.support.app_helpers import DOMAIN, open_list
from tests.support.smtp_client import MAIL, SmtpClient, connect

OWNER = f"appeals-owner@{DOMAIN}"
LARGE = b"From: Rosa <rosa@example.org>\r\nSubject: pictures\r\n\r\n" + b"a row of beans\r\n" * 6000


@asynccontextmanager
async def open_smtp(app: App, folder: Path, **changed: Any) -> AsyncIterator[tuple[App, SmtpServer]]:
    """The door before this App's database; whether there is room is looked at each time."""
    settings = IntakeSettings(port=0, spool=folder / "spool", keep_free_megabytes=0).model_copy(update=changed)
    app = replace(app, intake=settings)
    place = SmtpServerConfig(
        host="127.0.0.1", port=0, protocol="smtp", hostname=DOMAIN, domain=DOMAIN, spool=settings.spool
    )
    server = await start_smtp_server(place, MailReceiver(app, settings, cache_s=0))
    try:
        yield app, server
    finally:
        await server.close()


@contextmanager
def unreadable(app: App) -> Iterator[None]:
    """The database's tables are elsewhere, so that every statement fails as it would on a broken disk."""
    with sqlite3.connect(str(app.database.engine.url.database)) as connection:
        for table in ("incoming", "mailing_list"):
            connection.execute(f"ALTER TABLE {table} RENAME TO {table}_elsewhere")
    yield
    with sqlite3.connect(str(app.database.engine.url.database)) as connection:
        for table in ("incoming", "mailing_list"):
            connection.execute(f"ALTER TABLE {table}_elsewhere RENAME TO {table}")


async def arriving(server: SmtpServer) -> SmtpClient:
    client = await connect(server)
    await client.read_reply()
    return client


async def stored(app: App) -> int:
    return await app.database.read(incoming_mails.count_all)


def files(folder: Path) -> list[str]:
    spool = folder / "spool"
    return sorted(path.name for path in spool.iterdir()) if spool.exists() else []


async def test_a_repeated_message_is_answered_and_stored_once(app: App, tmp_path: Path) -> None:
    await open_list(app)
    async with open_smtp(app, tmp_path) as (_, server):
        clients = [await arriving(server) for _ in range(6)]
        for number, client in enumerate(clients):
            await client.begin_mail(OWNER)
            client.writer.write((LARGE if number % 2 else MAIL) + b".\r\n")  # all share the next commits

        assert [(await client.read_reply())[:3] for client in clients] == ["250"] * 6
        for client in clients:
            await client.disconnect()
    assert await stored(app) == 2
    assert len(files(tmp_path)) == 1


async def test_a_message_that_cannot_be_stored_does_not_affect_others(app: App, tmp_path: Path) -> None:
    logbook = IncomingGroupCommit(app.database, tmp_path, app.clock)
    broken = {"what": object()}
    messages = [IncomingMessage(sender="", recipients=(OWNER,), form=request) for request in ({}, broken, {})]

    results = await asyncio.gather(*map(logbook.commit, messages), return_exceptions=True)

    assert [isinstance(one, Exception) for one in results] == [False, True, False]
    assert await stored(app) == 2


async def test_a_large_message_is_processed_whole_and_its_file_deleted(app: App, tmp_path: Path) -> None:
    await open_list(app)
    async with open_smtp(app, tmp_path) as (app, server):
        client = await arriving(server)
        await client.begin_mail(OWNER)
        assert (await client.send_command(LARGE + b".")).startswith("250")
        assert len(files(tmp_path)) == 1

        while await process_incoming_mails(app):
            pass

        assert files(tmp_path) == []
        await client.disconnect()


async def test_orphaned_spool_files_are_deleted_and_others_are_not(app: App, tmp_path: Path) -> None:
    app = replace(app, intake=IntakeSettings(spool=tmp_path / "spool"))
    orphan, at_work, referenced = (SpoolFile(tmp_path / "spool") for _ in range(3))
    orphan.close()
    referenced.close()
    message = IncomingMessage(sender="", recipients=(OWNER,), spool_name=referenced.name)
    await app.database.write(incoming_mails.add, [message], app.clock())

    await MailReceiver(app, app.intake).delete_orphaned_files()

    assert files(tmp_path) == sorted([at_work.name, referenced.name])
    at_work.discard()


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_mail_is_refused_while_the_disk_is_full_or_too_many_messages_wait(app: App, tmp_path: Path) -> None:
    await open_list(app)
    for hindered in ({"keep_free_megabytes": 10**9}, {"most_waiting": 1}):
        async with open_smtp(app, tmp_path, **hindered) as (there, server):
            if "most_waiting" in hindered:
                message = IncomingMessage(sender="", recipients=(OWNER,), raw=MAIL)
                await there.database.write(incoming_mails.add, [message], there.clock())
            client = await arriving(server)
            await client.send_command("EHLO home.example.org")

            assert (await client.send_command("MAIL FROM:<rosa@example.org>")).startswith("452 4.3.1")
            assert (await client.send_command("NOOP")).startswith("250")

            if "most_waiting" in hindered:
                while await process_incoming_mails(there):
                    pass
                assert (await client.send_command("MAIL FROM:<rosa@example.org>")).startswith("250")
            await client.disconnect()


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_every_reply_is_451_while_the_database_is_down(app: App, tmp_path: Path) -> None:
    await open_list(app)
    async with open_smtp(app, tmp_path) as (_, server):
        begun, at_rcpt, at_mail = [await arriving(server) for _ in range(3)]
        await begun.begin_mail(OWNER)
        await at_rcpt.send_command("EHLO home.example.org")
        await at_rcpt.send_command("MAIL FROM:<rosa@example.org>")
        await at_mail.send_command("EHLO home.example.org")
        with unreadable(app):
            assert (await begun.send_command(LARGE + b"."))[:3] == "451"
            assert (await at_rcpt.send_command(f"RCPT TO:<{OWNER}>"))[:3] == "451"
            assert (await at_mail.send_command("MAIL FROM:<rosa@example.org>")).startswith("452 4.3.1")

        for client in (begun, at_mail):
            await client.begin_mail(OWNER)
            assert (await client.send_command(LARGE + b".")).startswith("250")
        for client in (begun, at_rcpt, at_mail):
            await client.disconnect()
    assert await stored(app) == 1
    assert len(files(tmp_path)) == 1
