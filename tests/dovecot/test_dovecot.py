"""The mailbox against the real Dovecot: all ways of TLS, mail pushed to us, a large one, and nothing marked as read."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from mailer.app import App
from mailer.entrypoints.service.serve import run_service
from mailer.network.imap_mailbox import Mailbox
from mailer.settings.toml_tables import WebSettings
from tests.support.app_helpers import ADA, DOMAIN, ROSA, Clock, make_app, open_list, recipients
from tests.support.fake_relay import FakeRelay
from tests.support.real_dovecot import ACCOUNT, PASSWORD, Dovecot, running_dovecot


@pytest.fixture(scope="session")
def started() -> Iterator[Dovecot]:
    with running_dovecot() as running:
        yield running


@pytest.fixture
def dovecot(started: Dovecot, monkeypatch: pytest.MonkeyPatch) -> Dovecot:
    """We trust its certificate, as we would any other."""
    monkeypatch.setenv("SSL_CERT_FILE", str(started.certificate))
    return started


@pytest.fixture
async def app(sqlite_template: Path, tmp_path: Path, relay: FakeRelay) -> App:
    """On the machine's own clock, as Dovecot is."""
    file = await asyncio.to_thread(shutil.copy, sqlite_template, tmp_path / "mailer.db")
    made = make_app(f"sqlite:///{file}", Clock(), relay.port)
    changed = {"spool": tmp_path / "spool", "port": 0, "keep_free_megabytes": 0}
    return replace(made, intake=made.intake.model_copy(update=changed), clock=lambda: datetime.now(UTC))


def mail(to: str, body: str = "") -> bytes:
    head = [f"Return-Path: <{ROSA}>", f"From: Rosa <{ROSA}>", f"To: {to}", f"Message-ID: <{datetime.now(UTC)}@x>"]
    return "\r\n".join([*head, "", body]).encode() + b"\r\n"


@pytest.fixture(params=["tls", "starttls", "none"])
def mailbox(request: pytest.FixtureRequest, dovecot: Dovecot) -> Mailbox:
    return Mailbox(
        host="localhost",
        port=dovecot.tls if request.param == "tls" else dovecot.plain,
        tls=request.param,
        username=ACCOUNT,
        password=PASSWORD,
        done_folder="Done",
        every_s=1500,
    )


async def test_mail_is_fetched_and_pushed_however_the_line_is_guarded(
    app: App, dovecot: Dovecot, mailbox: Mailbox, relay: FakeRelay
) -> None:
    await open_list(app)
    dovecot.delete_mails("INBOX", "Done")
    dovecot.add_mail(mail(f"appeals-owner@{DOMAIN}", "a row of beans\r\n" * 330_000))
    dovecot.add_mail(mail("ada@example.org"))

    async with run_service(app, app.intake, WebSettings(port=0), [mailbox]):
        await relay.wait_for(1)
        await asyncio.to_thread(dovecot.add_mail, mail(f"appeals-join@{DOMAIN}"))
        await relay.wait_for(2)

    assert set(recipients(relay)) == {ADA, ROSA}
    assert dovecot.status("INBOX") == "INBOX messages=1 unseen=1"
    assert dovecot.status("Done") == "Done messages=2 unseen=2"
