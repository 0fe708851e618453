"""The house that tests live in: an App with invented secrets, its cast, and short ways to have things done."""

from __future__ import annotations

import io
import os
import re
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

import pytest
from sqlalchemy import Connection, insert

from mailer.actions.campaigns.launch import launch_due
from mailer.actions.campaigns.new_campaign import new_campaign
from mailer.actions.campaigns.schedule import send_now
from mailer.actions.delivery.send import send
from mailer.actions.delivery.send_worker import start_worker
from mailer.actions.imports.import_people import import_people
from mailer.actions.imports.import_report import ImportResult
from mailer.actions.inbound.process_mail import process_incoming_mails
from mailer.actions.inbound.receive import receive
from mailer.actions.lists.edit_list import add_list
from mailer.app import App
from mailer.domain.accounts.actor import unix_user
from mailer.domain.address import parse_address
from mailer.domain.consent import Channel, Evidence
from mailer.domain.incoming_message import IncomingMessage
from mailer.domain.keyring import Keyring
from mailer.domain.mailing_list import MailingList
from mailer.domain.site import Site
from mailer.domain.suppression import EVERY_LIST, SuppressionReason
from mailer.mail.compose.templates import Templates
from mailer.relay.route import Priority
from mailer.relay.smtp_connection import Relay
from mailer.settings.intake_tables import IntakeSettings
from mailer.store import mailing_lists
from mailer.store.database import Database
from mailer.store.people_tables import suppression
from mailer.store.queue.worker_presence import WorkerPresence
from tests.support.fake_relay import FakeRelay
from tests.support.fake_relay_session import ReceivedLetter

on_postgresql = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
"""For a test of concurrent writers: SQLite has one writer."""
ROOT = Path(__file__).parents[2]
THOROUGH = "MAILER_TEST_LONG" in os.environ
"""Whether state machines take their time: `make crash`."""
DOMAIN = "lists.example.org"
MAIL_SERVER = "mx.example.org"
ROSA, EMMA, BEA, MALLORY, ADA = (f"{name}@example.org" for name in ("rosa", "emma", "bea", "mallory", "ada"))
ADMIN = unix_user("ada")
"""Who acts where a test is not about who may."""
LINK_EVIDENCE = Evidence(Channel.LINK, {"client": "test"})

APPEAL = """\
---
subject: Come to the harvest forum
lead: One evening on seeds.
event:
  name: Harvest forum
  place: The old barn
  starts: 2027-03-05T19:00
  zone: Europe/Berlin
action:
  label: Say that you come
  url: https://forum.example.org/come
closing: The forum's people
source: The forum's bulletin
tags: [harvest, seeds]
---
Dear {{ name or "friend" }},

bring **your own** seeds.
"""


class Clock:
    """A clock moved by hand."""

    def __init__(self) -> None:
        self.now = datetime(2027, 3, 1, 8, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def advance(self, **by: float) -> None:
        """Let time pass: `advance(hours=2)`."""
        self.now += timedelta(**by)


def make_app(database_url: str, clock: Clock, relay_port: int, connections: int = 4) -> App:
    """The service with everything from outside in our hands."""
    house = Site(
        name="Open Letters",
        domain=DOMAIN,
        url=f"https://{DOMAIN}",
        owner="owner@example.net",
        keyring=Keyring(b"p" * 32, ((1, b"k" * 32),)),
    )
    database = Database(database_url)
    return App(
        database=database,
        presence=WorkerPresence(database.engine),
        site=house,
        templates=Templates(ROOT / "templates", ROOT / "mailer" / "locale"),
        console_templates=Templates(ROOT / "templates", ROOT / "mailer" / "locale" / "console"),
        relays=(Relay(host="127.0.0.1", port=relay_port, tls="none", helo=DOMAIN, connections=connections),),
        intake=IntakeSettings(authserv_ids=(MAIL_SERVER,)),
        clock=clock,
        chance=lambda: 0.0,
    )


async def open_list(app: App, name: str = "appeals", language: str = "en") -> MailingList:
    """Ada's list."""
    return await add_list(app, ADMIN, name=name, title=f"Open {name.title()}", owner=ADA, language=language)


async def import_rows(app: App, *rows: str, list_name: str = "appeals", invite: bool = False) -> ImportResult:
    """Import rows of `email,name,language`."""
    file = io.StringIO("email,name,language\n" + "\n".join(rows))
    evidence = Evidence(Channel.IMPORT, {"file": "people.csv"})
    return await import_people(app, ADMIN, list_name=list_name, file=file, evidence=evidence, invite=invite)


async def suppress(
    app: App, address: str, reason: SuppressionReason, *, list_name: str | None, until: datetime | None = None
) -> None:
    """Suppress an address for a list, or with None for all, as an import does."""
    key = app.site.keyring.suppression_key(parse_address(address).key)

    def work(tx: Connection) -> None:
        list_id = mailing_lists.get_by_name(tx, list_name).id if list_name else EVERY_LIST
        values = {"suppression_key": key, "mailing_list_id": list_id, "reason": reason, "until": until}
        tx.execute(insert(suppression).values(created_at=app.clock(), import_run_id=1, **values))

    await app.database.write(work)


async def launch_campaign(app: App, list_name: str = "appeals", **texts: str) -> int:
    """A campaign launched now; its id. Letters are not sent yet."""
    campaign_id = await new_campaign(app, ADMIN, list_name=list_name, texts=texts or {"appeal.md": APPEAL})
    await send_now(app, ADMIN, campaign_id, wait_s=0)
    await launch_due(app)
    return campaign_id


async def send_campaigns(app: App) -> int:
    """Send what is due of campaigns, as a worker that starts now."""
    return await send(await start_worker(app, Priority.CAMPAIGNS))


async def send_notices(app: App) -> int:
    """Send the notices that wait, as a worker that starts now."""
    return await send(await start_worker(app, Priority.NOTICES))


async def receive_person_mail(
    app: App, to: str, sender: str = ROSA, body: str = "", *, authenticated: bool = False, **fields: str
) -> None:
    """A person's mail arrives, and is acted on; and the notices it causes are sent.

    `proven` by the word of our own mail server, which hands it in.
    """
    mail = EmailMessage(policy=policy.SMTP)
    if authenticated:
        domain = sender.rpartition("@")[2]
        mail["Authentication-Results"] = f"{MAIL_SERVER}; dkim=pass header.d={domain}; spf=none"
        mail["Received"] = f"from {domain} ({domain} [192.0.2.9]) by {MAIL_SERVER}; Mon, 1 Mar 2027 08:00:00 +0000"
    mail["From"], mail["To"] = sender, f"{to}@{DOMAIN}"
    mail["Message-ID"] = f"<{abs(hash((to, sender, body, *fields.values())))}@example.org>"
    mail.set_content(body)
    for name, value in fields.items():
        mail[name.replace("_", "-")] = value
    await receive_raw_mail(app, mail.as_bytes(), to, sender)


async def receive_raw_mail(app: App, raw: bytes, to: str, sender: str = ROSA) -> None:
    """Octets arrive for one of our addresses, and are acted on; and the notices they cause are sent."""
    arrived = IncomingMessage(
        sender=sender, recipients=(f"{to}@{DOMAIN}",), raw=raw, client="127.0.0.1", helo=MAIL_SERVER
    )
    await receive(app, arrived)
    while await process_incoming_mails(app):
        pass
    await send_notices(app)


def parse_letter(letter: ReceivedLetter) -> EmailMessage:
    """The letter as a mail program reads it."""
    message = message_from_bytes(letter.content, policy=policy.default)
    assert isinstance(message, EmailMessage)
    return message


def text_of(letter: ReceivedLetter) -> str:
    """Its plain text."""
    body = parse_letter(letter).get_body(("plain",))
    assert body is not None
    return str(body.get_content())


def token_in(letter: ReceivedLetter, page: str) -> str:
    """The token of a personal link in the letter's text."""
    found = re.search(rf"/{page}/([a-z2-7]{{29}})", text_of(letter))
    assert found, text_of(letter)
    return found[1]


def recipients(relay: FakeRelay) -> list[str]:
    """Who got something, in order."""
    return [letter.recipient for letter in relay.letters]
