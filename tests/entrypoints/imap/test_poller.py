"""Mail is fetched from an IMAP mailbox and processed like mail that comes by SMTP."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from mailer.actions.subscriptions.show_person import show_person
from mailer.app import App
from mailer.domain.token import Purpose, sign_token
from mailer.entrypoints.service.serve import run_service
from mailer.errors import MailboxUnavailable
from mailer.network.imap_mailbox import Mailbox, OpenMailbox
from mailer.settings.toml_tables import WebSettings
from mailer.store import incoming_mails
from mailer.store.imap_positions import ImapPosition, get_position
from tests.support.app_helpers import ADMIN, DOMAIN, ROSA, Clock, make_app, open_list, recipients
from tests.support.fake_imap import PASSWORD, FakeImap
from tests.support.fake_relay import FakeRelay

JOIN = f"appeals-join@{DOMAIN}"


@pytest.fixture
async def app(sqlite_template: Path, tmp_path: Path, clock: Clock, relay: FakeRelay) -> AsyncIterator[App]:
    """The service before any door is open."""
    file = await asyncio.to_thread(shutil.copy, sqlite_template, tmp_path / "mailer.db")
    made = make_app(f"sqlite:///{file}", clock, relay.port)
    spool = {"spool": tmp_path / "spool", "port": 0, "keep_free_megabytes": 0}
    made = replace(made, intake=made.intake.model_copy(update=spool))
    await open_list(made)
    yield made
    await made.close()


@pytest.fixture
async def imap() -> AsyncIterator[FakeImap]:
    """At the provider of our domain's mail."""
    async with FakeImap() as fake:
        yield fake


def mailbox(imap: FakeImap, **changed: Any) -> Mailbox:
    """How we get in."""
    log = {"host": "127.0.0.1", "port": imap.port, "tls": "none", "username": "lists", "password": PASSWORD}
    return Mailbox(**log | changed)


@asynccontextmanager
async def fetching(app: App, imap: FakeImap, **changed: Any) -> AsyncIterator[None]:
    """The whole service, which looks into the mailbox."""
    again = replace(app, wakeups=type(app.wakeups)(), database=type(app.database)(str(app.database.engine.url)))
    async with run_service(again, again.intake, WebSettings(port=0), [mailbox(imap, **changed)]):
        yield


def mail(*fields: str, to: str = JOIN, body: str = "", sender: str = f"<{ROSA}>") -> bytes:
    """As it lies in the mailbox."""
    head = [f"Return-Path: {sender}", *fields, f"From: Rosa <{ROSA}>", f"To: {to}", "Subject: hello", ""]
    return "\r\n".join([*head, body]).encode() + b"\r\n"


async def saved_position(app: App, imap: FakeImap) -> ImapPosition | None:
    return await app.database.read(get_position, mailbox(imap).name)


async def listened(imap: FakeImap, times: int = 1) -> None:
    """Until the service has dealt with all there is, and listens for more, so many times."""
    await imap.wait_until(lambda: imap.commands.count("IDLE") >= times)


async def test_rosas_request_in_the_mailbox_is_answered_once_though_it_is_fetched_twice(
    app: App, imap: FakeImap, relay: FakeRelay, clock: Clock
) -> None:
    imap.put(mail("Received: from a by b; 1", "Received: from c by a; 1"))

    async with fetching(app, imap):
        await listened(imap)
        await relay.wait_for(1)
    imap.renumber()
    clock.advance(days=6)
    async with fetching(app, imap):
        await listened(imap, 2)

    assert recipients(relay) == [ROSA]
    assert (await show_person(app, ADMIN, ROSA)).subscriptions == {"appeals": "pending"}
    assert await app.database.read(incoming_mails.count_all) == 1
    assert await saved_position(app, imap) == ImapPosition(uid_validity=2, last_uid=1)
    assert not any(one.startswith(("SELECT", "UID STORE", "UID MOVE")) for one in imap.commands)


async def test_mail_that_comes_during_idle_is_fetched_at_once(app: App, imap: FakeImap, relay: FakeRelay) -> None:
    async with fetching(app, imap, every_s=1500):
        await listened(imap)

        imap.put(mail(to=f"Somebody <x@example.net>, appeals+JOIN@{DOMAIN.upper()}"))

        await relay.wait_for(1)
    assert recipients(relay) == [ROSA]


async def test_a_server_without_idle_is_polled(app: App, relay: FakeRelay) -> None:
    async with FakeImap("IMAP4rev1") as imap, fetching(app, imap, every_s=0.01):
        await imap.wait_until(lambda: sum(one.startswith("UID SEARCH") for one in imap.commands) > 2)
        imap.put(mail())

        await relay.wait_for(1)


async def test_a_bounce_that_quotes_a_list_id_is_fetched(app: App, imap: FakeImap) -> None:
    token = sign_token(app.site.keyring, Purpose.RETURN_PATH, 1)
    to = f"bounce+{token}@{DOMAIN}"
    imap.put(mail(f"Delivered-To: {to}", f"List-Id: <appeals.{DOMAIN}>", to="undisclosed", sender="<>"))

    async with fetching(app, imap):
        await listened(imap)

    assert await app.database.read(incoming_mails.count_all) == 1


async def test_a_looping_and_a_too_large_message_are_skipped_and_logged_once(app: App, imap: FakeImap) -> None:
    imap.put(mail(f"List-Id: <appeals.{DOMAIN}>"))
    imap.put(mail(body="beans\r\n" * 2 * 10**6))

    with capture_logs() as log:
        async with fetching(app, imap):
            await listened(imap)
        async with fetching(app, imap):
            await listened(imap, 2)

    left = [line["reason"] for line in log if line["event"].startswith("skipped message")]
    assert left == ["the message loops", "the message is too large"]
    assert await app.database.read(incoming_mails.count_all) == 0
    assert sum("BODY.PEEK[]" in one and one.startswith("UID FETCH 2") for one in imap.commands) == 0


async def test_of_mail_to_other_addresses_only_the_header_is_read(app: App, imap: FakeImap) -> None:
    imap.put(mail(to="ada@example.org"))
    imap.put(mail(to=f"nobody@{DOMAIN}"))
    imap.put(mail(to=f'"{JOIN}" <ada@example.org>'))
    imap.put(mail())

    async with fetching(app, imap, done_folder="Done"):
        await listened(imap)

    assert list(imap.folders["INBOX"]) == [1, 2, 3]
    assert list(imap.folders["Done"]) == [4]
    assert not any("BODY.PEEK[]" in one for one in imap.commands if not one.startswith("UID FETCH 4"))
    assert all(not messages.flags for messages in imap.folders["INBOX"].values())


async def test_without_move_a_message_is_copied_and_only_it_is_expunged(app: App) -> None:
    async with FakeImap("IMAP4rev1 IDLE UIDPLUS") as imap:
        imap.put(mail(to="ada@example.org"))
        imap.put(mail())

        async with fetching(app, imap, done_folder="Done"):
            await listened(imap)

        assert (list(imap.folders["INBOX"]), list(imap.folders["Done"])) == ([1], [2])
        assert "UID EXPUNGE 2" in imap.commands


async def test_a_new_uid_validity_rereads_a_week_of_mail(app: App, imap: FakeImap, relay: FakeRelay) -> None:
    imap.put(mail(to=f"appeals-help@{DOMAIN}"), datetime(2027, 2, 10, tzinfo=UTC))
    imap.put(mail(to=f"appeals-help@{DOMAIN}"), datetime(2027, 2, 22, 7, tzinfo=UTC))

    async with fetching(app, imap):
        await listened(imap)
    first = await saved_position(app, imap)
    imap.renumber()
    imap.put(mail())
    async with fetching(app, imap):
        await listened(imap, 2)
        await relay.wait_for(1)

    assert first == ImapPosition(uid_validity=1, last_uid=2)
    assert await saved_position(app, imap) == ImapPosition(uid_validity=2, last_uid=3)
    assert await app.database.read(incoming_mails.count_all) == 1


async def test_a_lost_connection_to_the_mailbox_is_restored(app: App, imap: FakeImap, relay: FakeRelay) -> None:
    async with fetching(app, imap):
        await listened(imap)
        await imap.stop()
        await imap.start()
        imap.put(mail())

        await relay.wait_for(1)


async def test_five_megabytes_go_to_the_spool_in_chunks(app: App, imap: FakeImap) -> None:
    body = "a row of beans\r\n" * 330_000
    uid = imap.put(mail(to=f"appeals-owner@{DOMAIN}", body=body))

    async with fetching(app, imap):
        await listened(imap)
        pieces = [one for one in imap.commands if one.startswith(f"UID FETCH {uid} (BODY.PEEK[]")]

    assert len(pieces) == len(body) // (256 * 1024) + 1
    assert await app.database.read(incoming_mails.count_all) == 1


async def test_a_message_that_the_server_refuses_to_give_is_skipped(
    app: App, imap: FakeImap, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mailer.actions.inbound.fetch_mailbox._MOST_ATTEMPTS", 1)
    imap.unreadable_uids.add(imap.put(mail()))
    imap.put(mail(to=f"appeals-owner@{DOMAIN}"))

    async with fetching(app, imap):
        await listened(imap)

    assert await app.database.read(incoming_mails.count_all) == 1
    assert await saved_position(app, imap) == ImapPosition(uid_validity=1, last_uid=2)


async def test_the_service_stops_at_once_during_idle(app: App, imap: FakeImap) -> None:
    async with fetching(app, imap, every_s=1500):
        await listened(imap)
        began = asyncio.get_running_loop().time()

    assert asyncio.get_running_loop().time() - began < 2


async def test_the_error_for_a_wrong_password_does_not_contain_it(imap: FakeImap) -> None:
    with pytest.raises(MailboxUnavailable, match="cannot be opened") as refusal:
        await asyncio.to_thread(OpenMailbox, mailbox(imap, password="sesam open"))

    assert refusal.value.refused
    assert "sesam" not in str(refusal.value)
    assert "sesam" not in repr(mailbox(imap, password="sesam open"))
