"""Webmentions over HTTP: received where the settings say so, answered alike, and shown below the letter."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import replace

import pytest

from mailer.actions.archive.moderate_webmentions import accept_webmention, list_webmentions
from mailer.actions.archive.receive_webmention import verify_webmentions
from mailer.actions.lists.edit_list import set_list
from mailer.app import App
from mailer.network.webmention_source import SourceClient
from mailer.settings.archive_table import ArchiveSettings
from tests.support.app_helpers import ADMIN, EMMA, ROSA, import_rows, launch_campaign, open_list, send_campaigns
from tests.support.fake_relay import FakeRelay
from tests.support.fake_web_server import FakeWebServer, http_answer
from tests.support.running_service import RunningService, running_service

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
SITE = "https://lists.example.org"
PATH = "/archive/appeals/1-come-to-the-harvest-forum"
SOURCE = "https://forum.example.org/notes/1"
ENGLISH = "---\nsubject: Come to the harvest forum\n---\nCome.\n"
TURKISH = "---\nsubject: Hasat forumuna gelin\nlanguage: tr\n---\nGel.\n"


@pytest.fixture
async def letter(app: App, relay: FakeRelay) -> None:
    """Ada's public list, and a letter in two languages."""
    await open_list(app)
    await import_rows(app, f"{EMMA},Emma,en", f"{ROSA},Rosa,tr")
    await set_list(app, ADMIN, "appeals", archive="public")
    await launch_campaign(app, en=ENGLISH, tr=TURKISH)
    await send_campaigns(app)


@pytest.fixture
async def web() -> AsyncIterator[FakeWebServer]:
    async with FakeWebServer("forum.example.org") as server:
        page = f'<title>Notes &lt;on&gt; seeds</title><a class="u-in-reply-to" href="{SITE}{PATH}">'
        server.answers["/notes/1"] = http_answer(page.encode(), "200 OK", "Content-Type: text/html")
        yield server


@pytest.fixture
async def service(app: App, letter: None, web: FakeWebServer) -> AsyncIterator[RunningService]:
    """The service with Webmentions on."""

    async def resolve(_host: str, _port: int) -> Sequence[tuple[str, int]]:
        return [("127.0.0.1", web.port)]

    sources = SourceClient(resolve=resolve, make_ssl_context=web.make_ssl_context)
    async with running_service(replace(app, archive=ArchiveSettings(webmention=True), sources=sources)) as running:
        yield running


async def test_a_mention_is_found_sent_verified_accepted_and_shown(service: RunningService) -> None:
    page = await service.browser.get(PATH)
    endpoint = page.headers["link"]
    sent = await service.browser.post("/webmention", data={"source": SOURCE, "target": f"{SITE}{PATH}"})
    # The running service's own job may have been quicker.
    await verify_webmentions(service.app)
    (one,) = (await list_webmentions(service.app, ADMIN)).items
    before = (await service.browser.get(PATH)).text
    await accept_webmention(service.app, ADMIN, one.id)
    after = (await service.browser.get(PATH)).text

    assert endpoint == f'<{SITE}/webmention>; rel="webmention"'
    assert f'<link rel="webmention" href="{SITE}/webmention">' in page.text
    assert sent.status_code == 202
    assert SOURCE not in before
    assert f'<a href="{SOURCE}" rel="nofollow noreferrer ugc"><bdi>Notes &lt;on&gt; seeds</bdi></a>' in after
    assert "Mentioned elsewhere" in after
    turkish = await service.browser.get("/archive/appeals/1-hasat-forumuna-gelin/tr")
    assert "Başka yerlerde anılıyor" in turkish.text


async def test_the_answer_is_the_same_for_whatever_letter_there_is_or_is_not(service: RunningService) -> None:
    targets = (f"{SITE}{PATH}", f"{SITE}/archive/appeals/99-x", f"{SITE}/archive/secret/1-x")
    answers = [await service.browser.post("/webmention", data={"source": SOURCE, "target": one}) for one in targets]
    bad = [
        await service.browser.post("/webmention", data=one)
        for one in ({}, {"source": SOURCE}, {"source": SOURCE, "target": f"{SITE}/join/appeals"})
    ]

    assert {(one.status_code, one.text) for one in answers} == {(202, answers[0].text)}
    assert [one.status_code for one in bad] == [400, 400, 400]
    assert bad[2].text == "the target is not the page of a letter here\n"
    assert (await service.browser.get("/webmention")).status_code == 405


async def test_where_the_settings_do_not_say_so_nothing_is_taken_and_no_page_offers_it(app: App, letter: None) -> None:
    async with running_service(app) as running:
        page = await running.browser.get(PATH)
        sent = await running.browser.post("/webmention", data={"source": SOURCE, "target": f"{SITE}{PATH}"})

    assert "link" not in page.headers
    assert "webmention" not in page.text
    assert sent.status_code == 404


async def test_letters_that_answer_each_other_lead_to_each_other_in_each_language(
    app: App, letter: None, relay: FakeRelay
) -> None:
    answers = f"answers: {SITE}{PATH}\nsubject:"
    thanks = (ENGLISH.replace("subject: Come to the", "subject: Thanks for the"), TURKISH.replace("forumuna", "için"))
    english, turkish = (text.replace("subject:", answers) for text in thanks)
    await launch_campaign(app, en=english, tr=turkish)
    await send_campaigns(app)
    async with running_service(app) as running:
        first = (await running.browser.get(PATH)).text
        first_turkish = (await running.browser.get("/archive/appeals/1-hasat-forumuna-gelin/tr")).text
        second = (await running.browser.get("/archive/appeals/2-thanks-for-the-harvest-forum")).text
        second_turkish = (await running.browser.get("/archive/appeals/2-hasat-icin-gelin/tr")).text

    link = (
        f'<a href="{SITE}/archive/appeals/2-thanks-for-the-harvest-forum"><bdi>Thanks for the harvest forum</bdi></a>'
    )
    assert f"<h2>Answered by</h2>\n<ul>\n<li>{link}" in first
    assert f'<a href="{SITE}/archive/appeals/2-hasat-icin-gelin/tr"><bdi>Hasat için gelin</bdi></a>' in first_turkish
    assert f'<a class="u-in-reply-to" href="{SITE}{PATH}"><bdi>Come to the harvest forum</bdi></a>' in second
    assert f'<a class="u-in-reply-to" href="{SITE}{PATH}"><bdi>Hasat forumuna gelin</bdi></a>' in second_turkish
