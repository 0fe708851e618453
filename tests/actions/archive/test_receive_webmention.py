"""Webmentions: received and looked at later, shown once an organiser accepts them, gone with their source."""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from typing import Any, ClassVar

import pytest
from sqlalchemy import Connection

from mailer.actions.archive.moderate_webmentions import accept_webmention, list_webmentions, reject_webmention
from mailer.actions.archive.receive_webmention import receive_webmention, verify_webmentions
from mailer.app import App
from mailer.domain.abuse_limits import MAX_MENTIONS_PER_HOST, MAX_MENTIONS_PER_SOURCE
from mailer.domain.letters.webmention import MOST_TRIES, Webmention, WebmentionState
from mailer.domain.mailing_list import ArchiveMode
from mailer.errors import NotFound, WebmentionRefused
from mailer.network.webmention_source import FetchedSource, SourceClient, SourceState
from mailer.settings.archive_table import ArchiveSettings
from mailer.store import campaigns, mailing_lists
from mailer.store.letters import webmentions
from mailer.store.queue.queue_tables import campaign as campaign_table
from tests.support.app_helpers import (
    ADMIN,
    DOMAIN,
    ROSA,
    Clock,
    import_rows,
    launch_campaign,
    open_list,
    send_campaigns,
)
from tests.support.fake_relay import FakeRelay
from tests.support.fake_web_server import FakeWebServer, http_answer

HOST = "forum.example.org"
SOURCE = f"https://{HOST}/notes/1"
HTML = "Content-Type: text/html"


def _make_public(tx: Connection) -> None:
    mailing_lists.change(tx, 1, {"archive": ArchiveMode.PUBLIC})


@pytest.fixture
async def web() -> AsyncIterator[FakeWebServer]:
    async with FakeWebServer(HOST) as server:
        yield server


@pytest.fixture
async def letter(app: App, relay: FakeRelay) -> str:
    """The page of a letter that everybody may read."""
    await open_list(app)
    await app.database.write(_make_public)
    await import_rows(app, f"{ROSA},Rosa,en")
    number = await launch_campaign(app)
    await send_campaigns(app)
    return f"https://{DOMAIN}/archive/appeals/{number}-come-to-the-harvest-forum"


@pytest.fixture
def open_app(app: App, web: FakeWebServer) -> App:
    """The service with Webmentions on, and one other site in its internet."""

    async def resolve(_host: str, _port: int) -> Sequence[tuple[str, int]]:
        return [("127.0.0.1", web.port)]

    sources = SourceClient(resolve=resolve, make_ssl_context=web.make_ssl_context)
    return replace(app, archive=ArchiveSettings(webmention=True), sources=sources)


def page_about(letter: str, title: str = "Notes on seeds") -> bytes:
    return http_answer(f'<title>{title}</title><a href="{letter}">it</a>'.encode(), "200 OK", HTML)


async def mentions(app: App) -> list[Webmention]:
    return list((await list_webmentions(app, ADMIN, tuple(WebmentionState))).items)


async def shown(app: App) -> list[str | None]:
    return [one.title for one in await app.database.read(webmentions.list_accepted, 1, 10)]


async def test_a_mention_is_fetched_later_and_shown_once_an_organiser_accepts_it(
    open_app: App, web: FakeWebServer, letter: str
) -> None:
    web.answers["/notes/1"] = page_about(letter)
    await receive_webmention(open_app, SOURCE, f"{letter}#seeds", client="192.0.2.7")
    requested_at_once = list(web.requests)

    looked_at = await verify_webmentions(open_app)
    (one,) = (await list_webmentions(open_app, ADMIN)).items
    before = await shown(open_app)
    await accept_webmention(open_app, ADMIN, one.id)

    assert (requested_at_once, looked_at, before) == ([], 1, [])
    assert (one.source, one.target, one.title, one.state) == (SOURCE, letter, "Notes on seeds", WebmentionState.WAITING)
    assert await shown(open_app) == ["Notes on seeds"]
    assert await verify_webmentions(open_app) == 0
    await reject_webmention(open_app, ADMIN, one.id)
    assert await shown(open_app) == []


async def test_a_page_that_does_not_link_to_the_letter_or_is_gone_is_forgotten(
    open_app: App, web: FakeWebServer, letter: str
) -> None:
    web.answers["/notes/1"] = http_answer(f"<p>{letter}".encode(), "200 OK", HTML)
    for path in ("notes/1", "gone"):
        await receive_webmention(open_app, f"https://{HOST}/{path}", letter, client=None)

    assert await verify_webmentions(open_app) == 2
    assert await mentions(open_app) == []


async def test_one_that_is_sent_again_is_updated_and_a_new_title_is_asked_about_again(
    open_app: App, web: FakeWebServer, letter: str
) -> None:
    web.answers["/notes/1"] = page_about(letter)
    await receive_webmention(open_app, SOURCE, letter, client=None)
    await verify_webmentions(open_app)
    (one,) = await mentions(open_app)
    await accept_webmention(open_app, ADMIN, one.id)

    await receive_webmention(open_app, SOURCE, letter, client=None)
    same_while_unseen = await shown(open_app)
    await verify_webmentions(open_app)
    unchanged = await shown(open_app)
    web.answers["/notes/1"] = page_about(letter, "Buy now")
    await receive_webmention(open_app, SOURCE, letter, client=None)
    await verify_webmentions(open_app)
    renamed = await mentions(open_app)
    web.answers["/notes/1"] = http_answer(b"", "410 Gone")
    await receive_webmention(open_app, SOURCE, letter, client=None)
    await verify_webmentions(open_app)

    assert same_while_unseen == unchanged == ["Notes on seeds"]
    assert [(other.id, other.title, other.state) for other in renamed] == [(one.id, "Buy now", WebmentionState.WAITING)]
    assert await mentions(open_app) == []


async def test_a_source_that_cannot_be_had_is_asked_for_later_and_what_was_accepted_stays(
    open_app: App, web: FakeWebServer, letter: str, clock: Clock
) -> None:
    web.answers["/notes/1"] = page_about(letter)
    await receive_webmention(open_app, SOURCE, letter, client=None)
    await verify_webmentions(open_app)
    await accept_webmention(open_app, ADMIN, (await mentions(open_app))[0].id)
    for path in ("/notes/1", "/down"):
        web.answers[path] = http_answer(b"", "503 Busy")
        await receive_webmention(open_app, f"https://{HOST}{path}", letter, client=None)

    tried = []
    for _ in range(MOST_TRIES + 1):
        tried.append(await verify_webmentions(open_app))
        clock.advance(hours=2)

    assert tried == [2, 2, 2, 0]
    assert [one.source for one in await mentions(open_app)] == [SOURCE]
    assert await shown(open_app) == ["Notes on seeds"]


async def test_a_source_that_leads_nowhere_keeps_no_other_from_being_looked_at(
    open_app: App, web: FakeWebServer, letter: str
) -> None:
    web.answers["/lure"] = http_answer(b"", "302 Found", "Location: https://[")
    web.answers["/notes/1"] = page_about(letter)
    for path in ("/lure", "/notes/1"):
        await receive_webmention(open_app, f"https://{HOST}{path}", letter, client=None)

    assert await verify_webmentions(open_app) == 2
    assert [one.title for one in await mentions(open_app) if one.state is WebmentionState.WAITING] == ["Notes on seeds"]


class PageWatch(bytes):
    """A page that notes in which thread it is read."""

    read_in: ClassVar[list[str]] = []

    def decode(self, *args: Any, **kwargs: Any) -> str:
        self.read_in.append(threading.current_thread().name)
        return super().decode(*args, **kwargs)


class WatchedSources(SourceClient):
    """An internet of one watched page."""

    async def fetch(self, url: str) -> FetchedSource:
        return FetchedSource(state=SourceState.FOUND, url=url, content_type="text/html", content=PageWatch(b"<p>"))


async def test_while_a_page_is_read_others_can_write(open_app: App, letter: str) -> None:
    """Others' pages may take seconds; the one thread that writes into the database does not read them."""
    await receive_webmention(open_app, SOURCE, letter, client=None)

    assert await verify_webmentions(replace(open_app, sources=WatchedSources())) == 1
    assert PageWatch.read_in != []
    assert not any(name.startswith("database") for name in PageWatch.read_in)


@pytest.mark.parametrize(
    ("source", "target"),
    [
        ("", "{letter}"),
        (SOURCE, ""),
        ("ftp://forum.example.org/", "{letter}"),
        (SOURCE, "https://lists.example.org/join/appeals"),
        (SOURCE, "https://other.example.org/archive/appeals/1-x"),
        (SOURCE, "https://lists.example.org/archive/appeals"),
        ("https://lists.example.org/archive/appeals/2-x", "{letter}"),
        ("{letter}", "{letter}"),
    ],
)
async def test_what_cannot_be_a_mention_is_refused_at_once(
    open_app: App, letter: str, source: str, target: str
) -> None:
    with pytest.raises(WebmentionRefused):
        await receive_webmention(open_app, source.format(letter=letter), target.format(letter=letter), client=None)

    assert await mentions(open_app) == []


async def test_nothing_tells_which_letters_there_are_that_not_everybody_may_read(
    open_app: App, web: FakeWebServer, letter: str
) -> None:
    await receive_webmention(open_app, SOURCE, letter.replace("/1-", "/99-"), client=None)
    await receive_webmention(open_app, SOURCE, letter.replace("appeals", "news"), client=None)
    await open_app.database.write(lambda tx: mailing_lists.change(tx, 1, {"archive": ArchiveMode.SUBSCRIBERS}))
    await receive_webmention(open_app, SOURCE, letter, client=None)

    assert await mentions(open_app) == []


async def test_a_letter_taken_out_of_the_archive_takes_its_unseen_mentions_along(
    open_app: App, web: FakeWebServer, letter: str
) -> None:
    web.answers["/notes/1"] = page_about(letter)
    await receive_webmention(open_app, SOURCE, letter, client=None)
    hide = campaign_table.update().where(campaign_table.c.id == 1).values(archived=False)
    await open_app.database.write(lambda tx: tx.execute(hide).rowcount)

    assert await verify_webmentions(open_app) == 1
    assert await mentions(open_app) == []


async def test_off_by_default_nothing_is_received_nor_fetched(app: App, web: FakeWebServer, letter: str) -> None:
    with pytest.raises(NotFound):
        await receive_webmention(app, SOURCE, letter, client=None)

    assert await verify_webmentions(app) == 0


async def test_one_host_and_one_sender_have_so_many_an_hour(open_app: App, letter: str, clock: Clock) -> None:
    for number in range(MAX_MENTIONS_PER_HOST + 3):
        await receive_webmention(open_app, f"{SOURCE}?{number}", letter, client=f"192.0.2.{number}")
    of_one_host = len(await mentions(open_app))
    clock.advance(hours=2)
    for number in range(MAX_MENTIONS_PER_SOURCE + 3):
        await receive_webmention(open_app, f"https://host{number}.example.org/", letter, client="192.0.2.7")

    assert of_one_host == MAX_MENTIONS_PER_HOST
    assert len(await mentions(open_app)) == MAX_MENTIONS_PER_HOST + MAX_MENTIONS_PER_SOURCE


async def test_what_nobody_accepted_is_deleted_after_ninety_days(
    open_app: App, web: FakeWebServer, letter: str, clock: Clock
) -> None:
    for path in ("/notes/1", "/notes/2"):
        web.answers[path] = page_about(letter)
        await receive_webmention(open_app, f"https://{HOST}{path}", letter, client=None)
    await verify_webmentions(open_app)
    kept, _ = await mentions(open_app)
    await accept_webmention(open_app, ADMIN, kept.id)
    clock.advance(days=91)

    await verify_webmentions(open_app)

    assert [one.id for one in await mentions(open_app)] == [kept.id]


async def test_what_was_not_looked_at_is_neither_listed_nor_decided_on(open_app: App, letter: str) -> None:
    await receive_webmention(open_app, SOURCE, letter, client=None)
    (unseen,) = await mentions(open_app)

    with pytest.raises(NotFound):
        await accept_webmention(open_app, ADMIN, unseen.id)
    assert (await list_webmentions(open_app, ADMIN)).items == ()
    assert (await open_app.database.read(campaigns.get, 1)).id == unseen.campaign_id
