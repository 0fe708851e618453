"""A house to look at in the console: organisers of each role, people in three scripts, campaigns in every state."""

from __future__ import annotations

import asyncio
import atexit
import shutil
import socket
import tempfile
import time
from collections.abc import AsyncIterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
from sqlalchemy import Connection

from mailer.actions.accounts.sessions import open_session
from mailer.actions.campaigns.drafts import load_draft, save_draft
from mailer.actions.campaigns.edition_audience import AudienceChoice
from mailer.actions.campaigns.launch import launch_due
from mailer.actions.campaigns.new_campaign import new_campaign
from mailer.actions.campaigns.pause_resume_cancel import cancel, pause
from mailer.actions.campaigns.schedule import schedule, send_now
from mailer.actions.lists.edit_list import add_list
from mailer.app import App
from mailer.domain.accounts.role import Grant, Permission, Role
from mailer.domain.address import parse_address
from mailer.domain.campaign import WhenUncertain
from mailer.entrypoints.web.application import web_app
from mailer.mail.compose.templates import Templates
from mailer.mail.templates.example_templates import read_example
from mailer.store import mailing_lists
from mailer.store.accounts import organisers
from mailer.store.letters import letter_templates, webmentions
from tests.support.app_helpers import ADA, ADMIN, ROOT, Clock, import_rows, make_app, send_campaigns
from tests.support.fake_relay import FakeRelay
from tests.support.pseudo_language import PSEUDO, write_pseudo_catalogue
from tests.support.running_service import RunningService, running_service

if TYPE_CHECKING:
    from playwright.async_api import BrowserContext

ZONE = "Europe/Berlin"


@dataclass(frozen=True, kw_only=True, slots=True)
class Person:
    """An organiser of the tests."""

    name: str
    role: Role
    language: str = "en"
    on_list: str | None = "appeals"
    speaks: str | None = None

    @property
    def address(self) -> str:
        """Where they read mail."""
        return f"{self.name.lower()}@example.org"


ADA_OWNER = Person(name="Ada", role=Role.OWNER, on_list=None)
LEA_LIST_OWNER = Person(name="Lea", role=Role.OWNER)
SAMIR_SENDER = Person(name="Samir", role=Role.SENDER)
EMMA_EDITOR = Person(name="Emma", role=Role.EDITOR)
TUANA_TRANSLATOR = Person(name="Tuana", role=Role.TRANSLATOR, speaks="tr")
VERA_VIEWER = Person(name="Vera", role=Role.VIEWER)
PEOPLE = (ADA_OWNER, LEA_LIST_OWNER, SAMIR_SENDER, EMMA_EDITOR, TUANA_TRANSLATOR, VERA_VIEWER)
PSEUDO_OWNER = Person(name="Orit", role=Role.OWNER, on_list=None, language=PSEUDO)
"""Owns the site as Ada does, and reads the console in the pseudo-language."""


def may(who: Person, permission: Permission, language: str | None = "en") -> bool:
    """Whether they hold the permission on the list `appeals`."""
    on_list = 1 if who.on_list else None
    return Grant(role=who.role, mailing_list_id=on_list, language=who.speaks).allows(permission, 1, language)


_NAMES = {
    "en": ("Rosa", "Nils Bergström", "Maria Fernanda de Albuquerque Cavalcanti", ""),
    "tr": ("Gülşah Öztürk", "İbrahim", "Ayşe Çağlar"),
    "ar": ("ليلى", "عبد الرحمن الخطيب"),
}
_LETTER = """\
---
subject: {subject}
lead: One evening on seeds.
closing: The forum's people
source: The forum's bulletin
tags: [harvest, seeds]
---
Dear {{{{ name or "friend" }}}},

bring **your own** seeds.
"""
_UNSENT = {
    "draft": "Come to the harvest forum",
    "scheduled": "What we did in March",
    "paused": "An evening on apple trees, with questions, answers, a long walk and a very long subject",
    "cancelled": "The walk that did not happen",
    "sending": "A letter that takes its time",
}
_TURKISH = """\
---
subject: Hasat forumuna gelin
language: tr
source: Forum bülteni
---
Merhaba {{ name or "dostum" }},

tohumlarınızı getirin.
"""


class TickingClock(Clock):
    """A clock that goes, and can be moved by hand besides: pages of a running service show time passing."""

    def __init__(self, at: datetime | None = None) -> None:
        super().__init__()
        self.now = at or self.now
        self._began = time.monotonic()

    def __call__(self) -> datetime:
        return self.now + timedelta(seconds=time.monotonic() - self._began)


@dataclass(frozen=True, kw_only=True, slots=True)
class Furniture:
    """A database with all that stands in a house."""

    file: Path
    at: datetime
    """The hour it was finished."""
    campaigns: Mapping[str, int]
    """Ids by what became of them: draft, scheduled, sending, paused, sent, uncertain, cancelled."""
    words: Mapping[str, str]
    """The word of each organiser's session, by name."""


@dataclass(frozen=True, kw_only=True, slots=True)
class House:
    """The running service, and what stands in it."""

    service: RunningService
    relay: FakeRelay
    clock: TickingClock
    url: str
    campaigns: Mapping[str, int]
    words: Mapping[str, str]

    @property
    def app(self) -> App:
        """The service's App."""
        return self.service.app


async def sign_in(context: BrowserContext, house: House, who: Person) -> None:
    """Give a browser the cookie of an organiser's session."""
    await context.add_cookies([{"name": "mailer", "value": house.words[who.name], "url": house.url}])


def furnish_database(
    migrated: Path, folder: Path, *, is_empty: bool = False, people: tuple[Person, ...] = (*PEOPLE, PSEUDO_OWNER)
) -> Furniture:
    """Furnish a copy of a migrated SQLite file; an empty house has only these organisers."""
    file = Path(shutil.copy(migrated, folder / "furnished.db"))

    async def furnish() -> Furniture:
        clock = TickingClock()
        async with FakeRelay() as relay:
            app = make_app(f"sqlite:///{file}", clock, relay.port)
            campaigns = {} if is_empty else await add_furniture(app, clock, relay)
            words = {one.name: await add_organiser(app, one) for one in people}
            await app.close()
        return Furniture(file=file, at=clock(), campaigns=campaigns, words=words)

    # In a thread: this thread's loop is that of the tests.
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, furnish()).result()


@asynccontextmanager
async def open_house(furniture: Furniture, relay: FakeRelay, folder: Path) -> AsyncIterator[House]:
    """Run the service on plain HTTP on loopback, on a copy of this database."""
    port = _free_port()
    app = furnished_app(furniture, folder, relay_port=relay.port, web_port=port)
    clock = app.clock
    assert isinstance(clock, TickingClock)
    campaigns, words = furniture.campaigns, furniture.words
    async with running_service(app, port=port) as service:
        yield House(service=service, relay=relay, clock=clock, url=app.site.url, campaigns=campaigns, words=words)


def furnished_app(furniture: Furniture, folder: Path, *, relay_port: int = 9, web_port: int = 9) -> App:
    """The service on a copy of this database, in the folder; its console also speaks the pseudo-language."""
    database_url = f"sqlite:///{shutil.copy(furniture.file, folder / 'house.db')}"
    made = make_app(database_url, TickingClock(furniture.at), relay_port)
    site = replace(made.site, url=f"http://127.0.0.1:{web_port}")
    return replace(made, site=site, console_templates=Templates(ROOT / "templates", _console_locale()))


@cache
def _console_locale() -> Path:
    """The console's catalogues and the pseudo-language's; one folder for a process, since templates are compiled for
    each anew."""
    locale = Path(tempfile.mkdtemp(prefix="console-locale-"))
    atexit.register(shutil.rmtree, locale)
    for catalogue in (ROOT / "mailer" / "locale" / "console").glob("*.po"):
        shutil.copy(catalogue, locale)
    write_pseudo_catalogue(ROOT / "templates", locale)
    return locale


@asynccontextmanager
async def http_browser(app: App, furniture: Furniture, who: Person | None) -> AsyncIterator[httpx.AsyncClient]:
    """What a browser sends from a page of the console of a `furnished_app`, without one; None is not signed in."""
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(web_app(app)),
        base_url=app.site.url,
        cookies={"mailer": furniture.words[who.name]} if who else {},
        headers={"Sec-Fetch-Site": "same-origin"},
    ) as browser:
        yield browser


async def add_organiser(app: App, person: Person) -> str:
    """Store an organiser with one role; returns the word of a session of theirs."""
    now, address = app.clock(), parse_address(person.address)
    organiser_id, _ = await app.database.write(
        organisers.add, address, name=person.name, language=person.language, zone=ZONE, now=now
    )
    list_id = await app.database.read(_list_id, person.on_list) if person.on_list else None
    grant = Grant(role=person.role, mailing_list_id=list_id, language=person.speaks)
    await app.database.write(organisers.add_grant, organiser_id, grant)
    word, _ = await open_session(app, organiser_id, device="Chromium on Linux")
    return word


def _list_id(tx: Connection, name: str) -> int:
    return mailing_lists.get_by_name(tx, name).id


def _free_port() -> int:
    """A port that was free a moment ago: links and the check of Origin need it before the service listens."""
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        port: int = listener.getsockname()[1]
        return port


async def add_furniture(app: App, clock: TickingClock, relay: FakeRelay) -> dict[str, int]:
    """Add lists, people and campaigns; returns the campaigns' ids by what became of them."""
    await add_list(app, ADMIN, name="appeals", title="Open Appeals", owner=ADA, description="Four letters a year.")
    await add_list(app, ADMIN, name="forum", title="Orman Forumu", owner=ADA, language="tr")
    await add_list(app, ADMIN, name="quiet", title="A list without people", owner=ADA)
    await import_rows(app, *_rows("appeals", 30))
    await import_rows(app, *_rows("forum", 6), list_name="forum")
    await import_rows(app, "pending@example.org,Pia,en", invite=True)
    relay.answers("rcpt", "550 5.1.1 no such person", address="appeals3@example.org")
    relay.answers("rcpt", "452 4.2.2 mailbox full", address="appeals4@example.org", nth=1)
    made = {"sent": await _send(app, "Seeds for the spring")}
    await app.database.write(_add_mention, app, made["sent"])
    clock.advance(days=2)
    relay.drops("dot", address="appeals5@example.org", nth=1)
    made["uncertain"] = await _send(app, "The minutes of the meeting")
    relay.forget_orders()
    clock.advance(days=3)
    example = read_example()
    template = {"name": "walks", "source": example, "html": example, "by": ADA, "now": app.clock()}
    await app.database.write(letter_templates.add, **template)
    made |= await _add_unsent(app)
    return made


def _add_mention(tx: Connection, app: App, campaign_id: int) -> None:
    """A Webmention that waits for an organiser."""
    source, target = "https://garden.example.org/notes/1", f"{app.site.url}/archive/appeals/{campaign_id}-seeds"
    webmentions.receive(tx, campaign_id=campaign_id, source=source, target=target, now=app.clock())
    (mention,) = webmentions.list_due(tx, app.clock(), 1)
    webmentions.record_verified(tx, mention.id, "Bahçe notları: seeds", app.clock())


async def _send(app: App, subject: str) -> int:
    campaign_id = await _add(app, subject)
    await send_now(app, ADMIN, campaign_id, wait_s=0)
    await launch_due(app)
    await send_campaigns(app)
    return campaign_id


async def _add_unsent(app: App) -> dict[str, int]:
    made = {name: await _add(app, subject) for name, subject in _UNSENT.items()}
    await schedule(app, ADMIN, made["scheduled"], local_time="2027-03-20T09:00", zone=ZONE)
    for name in ("paused", "cancelled"):
        languages = ("en",) if name == "cancelled" else ()
        await send_now(app, ADMIN, made[name], wait_s=0, audience=AudienceChoice(languages=languages))
        await launch_due(app)
        await (pause if name == "paused" else cancel)(app, ADMIN, made[name])
    draft = await load_draft(app, ADMIN, made["paused"], "en")
    corrected = draft.text.replace("your own", "your best")
    await save_draft(app, ADMIN, made["paused"], "en", version=draft.version, text=corrected)
    # Spread over hours, it is still being sent whenever a test looks.
    await send_now(app, ADMIN, made["sending"], wait_s=0, over="20h")
    await launch_due(app)
    return made


async def _add(app: App, subject: str) -> int:
    texts = {"en.md": _LETTER.format(subject=subject), "tr.md": _TURKISH}
    return await new_campaign(app, ADMIN, list_name="appeals", texts=texts, when_uncertain=WhenUncertain.PARK)


def furnished_texts(name: str) -> dict[str, str]:
    """The texts of a furnished campaign, by language."""
    text = _LETTER.format(subject=_UNSENT[name])
    return {"en": text.replace("your own", "your best") if name == "paused" else text, "tr": _TURKISH}


def _rows(name: str, number: int) -> list[str]:
    """Rows of people, each language by turns."""
    rows = []
    for index in range(number):
        language = ("en", "tr", "ar")[index % 3]
        names = _NAMES[language]
        rows.append(f"{name}{index}@example.org,{names[index // 3 % len(names)]},{language}")
    return rows
