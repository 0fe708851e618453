"""The archive over HTTP: what everybody reads, what subscribers read, and what nobody does."""

from __future__ import annotations

import io
import re
from collections.abc import AsyncIterator
from dataclasses import replace

import httpx
import pytest
from PIL import Image

from mailer.actions.lists.edit_list import set_list
from mailer.actions.lists.media import add_media
from mailer.app import App
from tests.support.app_helpers import (
    ADMIN,
    APPEAL,
    EMMA,
    ROSA,
    Clock,
    import_rows,
    launch_campaign,
    open_list,
    send_campaigns,
    text_of,
)
from tests.support.fake_relay import FakeRelay
from tests.support.running_service import RunningService, running_service

TURKISH = """\
---
subject: Hasat forumuna gelin
language: tr
event:
  name: Hasat forumu
  place: Eski ahır
  starts: 2027-03-05T19:00
  zone: Europe/Berlin
tags: [hasat]
---
Merhaba {{ name or "dostum" }},

tohumlarınızı getirin.
"""


@pytest.fixture
async def service(app: App, relay: FakeRelay) -> AsyncIterator[RunningService]:
    """The running service with Ada's list, which is public, and a letter in two languages that Emma and Rosa got."""
    await open_list(app)
    await import_rows(app, f"{EMMA},Emma,en", f"{ROSA},Rosa,tr")
    await set_list(app, ADMIN, "appeals", archive="public")
    await launch_campaign(app, en=APPEAL, tr=TURKISH)
    await send_campaigns(app)
    async with running_service(app) as running:
        yield running


PAGE = "/archive/appeals/1-come-to-the-harvest-forum"
TURKISH_PAGE = "/archive/appeals/1-hasat-forumuna-gelin/tr"
SITE = "https://lists.example.org"


async def get(service: RunningService, path: str, status: int = 200, **headers: str) -> httpx.Response:
    answer = await service.browser.get(path, headers={name.replace("_", "-"): value for name, value in headers.items()})
    assert answer.status_code == status, answer.text
    return answer


async def test_a_letter_stands_on_the_web_as_a_reader_gets_it_of_whom_nothing_is_known(service: RunningService) -> None:
    page = (await get(service, PAGE)).text

    assert "Come to the harvest forum</h1>" in page
    assert "Dear friend" in page
    assert "<strong>your own</strong>" in page
    assert "Friday, 5 March 2027, 19:00, Berlin time" in page
    assert '<a href="https://forum.example.org/come">Say that you come</a>' in page
    assert not re.search(r"Emma|Rosa|/leave/|<script|<style| style=", page)


async def test_the_pages_of_a_public_archive_may_be_kept_for_five_minutes_and_asked_about(
    service: RunningService,
) -> None:
    for path in ("/archive/appeals", PAGE, "/archive/appeals/feed.atom"):
        answer = await get(service, path)
        again = await get(service, path, 304, If_None_Match=answer.headers["etag"])
        weak = await get(service, path, 304, If_None_Match=f'"other", W/{answer.headers["etag"]}')
        head = await service.browser.head(path)

        assert answer.headers["cache-control"] == "public, max-age=300"
        assert "x-robots-tag" not in answer.headers
        assert "noindex" not in answer.text
        assert again.content == weak.content == head.content == b""
        assert head.headers["etag"] == answer.headers["etag"]
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "sandbox" in policy
        assert "script" not in policy


async def test_each_edition_has_a_page_that_names_the_others(service: RunningService) -> None:
    english, turkish = (await get(service, PAGE)).text, (await get(service, TURKISH_PAGE)).text

    links = [
        f'<link rel="alternate" hreflang="x-default" href="{SITE}{PAGE}">',
        f'<link rel="alternate" hreflang="en" href="{SITE}{PAGE}">',
        f'<link rel="alternate" hreflang="tr" href="{SITE}{TURKISH_PAGE}">',
    ]
    for page in (english, turkish):
        assert re.findall("<link rel=.alternate. hreflang=.*>", page) == links
    assert f'<link rel="canonical" href="{SITE}{PAGE}">' in english
    assert f'<link rel="canonical" href="{SITE}{TURKISH_PAGE}">' in turkish
    assert '<html lang="tr"' in turkish
    assert "Ne zaman: 5 Mart 2027 Cuma 19:00" in turkish
    assert "Merhaba dostum" in turkish
    assert f'<a href="{PAGE}" hreflang="en" lang="en">English</a>' in turkish


async def test_the_default_edition_is_found_by_its_language_too(service: RunningService) -> None:
    page = (await get(service, f"{PAGE}/en")).text

    assert f'<link rel="canonical" href="{SITE}{PAGE}">' in page


async def test_the_address_in_a_letter_leads_to_its_page_and_so_does_an_older_title(
    service: RunningService, relay: FakeRelay
) -> None:
    urls = {re.findall(rf"{SITE}(/archive/\S+)", text_of(letter))[0] for letter in relay.letters}
    moved = [await get(service, url, 301) for url in (*sorted(urls), "/archive/appeals/1-what-it-was")]

    assert urls == {"/archive/appeals/1-letter", "/archive/appeals/1-letter/tr"}
    assert [answer.headers["location"] for answer in moved] == [PAGE, TURKISH_PAGE, PAGE]


async def test_own_pictures_and_files_are_on_the_page_and_pictures_of_others_are_linked(
    service: RunningService, app: App, clock: Clock
) -> None:
    octets = io.BytesIO()
    Image.new("RGB", (1200, 800), "green").save(octets, "PNG")
    picture = (await add_media(app, ADMIN, list_name="appeals", name="apples.png", octets=octets.getvalue())).path
    notes = (await add_media(app, ADMIN, list_name="appeals", name="notes.txt", octets=b"Bring a basket.\n")).path
    clock.advance(minutes=1)
    body = f"![Apples]({picture})\n\n![Bread](https://elsewhere.example.org/bread.png)\n"
    await launch_campaign(app, en=f"---\nsubject: Seeds\nattachments: [{notes}]\n---\n{body}")
    await send_campaigns(app)

    page = (await get(service, "/archive/appeals/2-seeds")).text
    feed = (await get(service, "/archive/appeals/feed.atom")).text

    assert re.findall('<img src="([^"]*)" alt="Apples"', page) == [picture]
    assert re.findall("<img", page) == ["<img"]
    assert '<a href="https://elsewhere.example.org/bread.png">Bread</a>' in page
    assert f'<a href="{notes}" dir="auto">notes.txt</a>' in page
    assert f'<meta property="og:image" content="{SITE}{picture}">' in page
    assert f'&lt;img src="{SITE}{picture}"' in feed
    assert f"{SITE}{notes}" in feed
    assert (await get(service, picture)).headers["content-type"] == "image/png"


async def test_each_attachment_is_on_the_page_under_the_name_that_readers_of_the_letter_see(
    service: RunningService, app: App
) -> None:
    octets = {"برنامج.txt": b"Bring a basket.\n", "خريطة.txt": b"Along the river.\n"}
    paths = {
        name: (await add_media(app, ADMIN, list_name="appeals", name=name, octets=content)).path
        for name, content in octets.items()
    }
    await launch_campaign(app, en=f"---\nsubject: Seeds\nattachments: [{', '.join(paths.values())}]\n---\nCome.\n")
    await send_campaigns(app)

    page = (await get(service, "/archive/appeals/2-seeds")).text
    feed = (await get(service, "/archive/appeals/feed.atom")).text

    for name, path in paths.items():
        assert f'<a href="{path}" dir="auto">{name}</a>' in page
        assert f"{path}&quot; dir=&quot;auto&quot;&gt;{name}" in feed or f'{path}" dir="auto"&gt;{name}' in feed


async def test_who_links_to_a_letter_shows_what_open_graph_says_of_it(service: RunningService) -> None:
    page = (await get(service, PAGE)).text

    said = dict(re.findall(r'<meta property="([a-z:_]+)" content="([^"]*)">', page))
    assert said == {
        "og:type": "article",
        "og:title": "Come to the harvest forum",
        "og:description": "One evening on seeds.",
        "og:url": f"{SITE}{PAGE}",
        "og:site_name": "Open Letters",
        "og:locale": "en",
        "og:locale:alternate": "tr",
        "article:published_time": "2027-03-01T08:00:00+00:00",
    }


async def test_the_index_shows_each_letter_in_the_language_of_who_asks(service: RunningService) -> None:
    english = await get(service, "/archive/appeals")
    turkish = await get(service, "/archive/appeals", Accept_Language="tr")

    assert f'<a href="{PAGE}"><bdi lang="en">Come to the harvest forum</bdi></a>' in english.text
    assert f'<a href="{TURKISH_PAGE}"><bdi lang="tr">Hasat forumuna gelin</bdi></a>' in turkish.text
    assert english.headers["vary"] == "Accept-Language"
    assert "/join/appeals" in english.text


async def test_letters_are_found_by_year_and_by_the_tag_of_any_edition(
    service: RunningService, app: App, clock: Clock
) -> None:
    clock.advance(days=400)
    await launch_campaign(app, en="---\nsubject: Bread\ntags: [Bread & butter/jam]\n---\nBake.\n")
    await send_campaigns(app)

    whole, first = (await get(service, "/archive/appeals")).text, (await get(service, "/archive/appeals/2027")).text
    tagged = [
        (await get(service, f"/archive/appeals/tags/{tag}")).text
        for tag in ("Bread%20%26%20butter%2Fjam", "HASAT", "seeds")
    ]

    assert whole.index("Bread</bdi>") < whole.index("Come to the harvest forum</bdi>")
    assert '<a href="/archive/appeals/2028">2028</a>' in whole
    assert "/archive/appeals/tags/Bread%20%26%20butter%2Fjam" in whole
    assert "Bread</bdi>" not in first
    assert [("Bread</bdi>" in page, "forum</bdi>" in page) for page in tagged] == [
        (True, False),
        (False, True),
        (False, True),
    ]


@pytest.mark.slow
async def test_a_long_index_is_shown_in_pages(service: RunningService, app: App, clock: Clock) -> None:
    for number in range(30):
        clock.advance(minutes=1)
        await launch_campaign(app, en=f"---\nsubject: Letter {number}\n---\nSeeds.\n")
    await send_campaigns(app)

    first = (await get(service, "/archive/appeals")).text
    rest = (await get(service, f"/archive/appeals{re.findall('href=.(.before=[0-9]+)', first)[0]}")).text

    names = [re.findall(r'<bdi lang="en">(.*?)</bdi></a></h3>', page) for page in (first, rest)]
    assert names[0] == [f"Letter {number}" for number in range(29, 4, -1)]
    assert names[1] == ["Letter 4", "Letter 3", "Letter 2", "Letter 1", "Letter 0", "Come to the harvest forum"]
    assert "?before=" not in rest


async def test_a_letter_names_those_before_and_after_it(service: RunningService, app: App, clock: Clock) -> None:
    clock.advance(days=1)
    await launch_campaign(app, en="---\nsubject: Bread\n---\nBake.\n")
    await send_campaigns(app)

    older, newer = (await get(service, TURKISH_PAGE)).text, (await get(service, "/archive/appeals/2-bread")).text

    assert re.findall('rel="(next|prev)" href="([^"]*)"', older) == [("next", "/archive/appeals/2-bread")]
    assert re.findall('rel="(next|prev)" href="([^"]*)"', newer) == [("prev", PAGE)]


async def test_what_is_not_there_is_not_found(service: RunningService) -> None:
    for path in (
        "/archive/appeals/1-come-to-the-harvest-forum/de",
        "/archive/appeals/99-seeds",
        "/archive/appeals/999999999999999999-seeds",
        "/archive/appeals/1900",
        "/archive/appeals/20271",
        "/archive/appeals/seeds",
        "/archive/appeals/tags/nothing",
        "/archive/appeals?before=99",
        "/archive/appeals?before=x",
        "/archive/nobody",
        "/archive/nobody/feed.atom",
        "/archive/appeals/feed.de.atom",
        "/view/" + "a" * 29,
    ):
        answer = await get(service, path, 404)
        assert answer.headers["x-robots-tag"] == "noindex", path


@pytest.mark.parametrize("mode", ["off", "subscribers"])
async def test_an_archive_that_is_not_public_looks_like_none(service: RunningService, app: App, mode: str) -> None:
    nowhere = (await get(service, "/archive/nobody", 404)).text
    await set_list(app, ADMIN, "appeals", archive=mode)

    for path in ("/archive/appeals", PAGE, "/archive/appeals/1-letter", "/archive/appeals/feed.atom"):
        assert (await get(service, path, 404)).text == nowhere


async def test_a_list_that_has_not_chosen_has_no_archive(app: App) -> None:
    await open_list(app)
    await import_rows(app, f"{EMMA},Emma,en")
    await launch_campaign(app)

    async with running_service(app) as running:
        await get(running, "/archive/appeals", 404)


async def test_the_pages_stand_below_the_path_of_the_site(app: App, database_url: str, relay: FakeRelay) -> None:
    await open_list(app)
    await import_rows(app, f"{EMMA},Emma,en")
    below = replace(app, site=replace(app.site, url="https://example.org/lists"))
    await set_list(app, ADMIN, "appeals", archive="public")
    await launch_campaign(below)
    await send_campaigns(below)

    async with running_service(below) as running:
        index = (await get(running, "/lists/archive/appeals")).text
        page = (await get(running, f"/lists{PAGE}")).text
        moved = await get(running, "/lists/archive/appeals/1-letter", 301)

    assert f'href="/lists{PAGE}"' in index
    assert 'href="/lists/archive/appeals"' in page
    assert f'<link rel="canonical" href="https://example.org/lists{PAGE}">' in page
    assert moved.headers["location"] == f"/lists{PAGE}"
    assert f"https://example.org/lists{PAGE.partition('-')[0]}-letter" in text_of(relay.letters[0])
