"""The archive that only subscribers read: by the link of their letter, as long as they are subscribed."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator

import httpx
import pytest

from mailer.actions.lists.edit_list import set_list
from mailer.actions.subscriptions.unsubscribe import unsubscribe
from mailer.app import App
from mailer.domain.token import NOBODY, Purpose, sign_token
from tests.support.app_helpers import (
    ADMIN,
    APPEAL,
    EMMA,
    LINK_EVIDENCE,
    import_rows,
    launch_campaign,
    open_list,
    send_campaigns,
    text_of,
    token_in,
)
from tests.support.fake_relay import FakeRelay
from tests.support.running_service import RunningService, running_service


@pytest.fixture
async def service(app: App) -> AsyncIterator[RunningService]:
    """The running service with Ada's list, whose letters subscribers may read, and one that Emma got."""
    await open_list(app)
    await import_rows(app, f"{EMMA},Emma,tr")
    await set_list(app, ADMIN, "appeals", archive="subscribers")
    await launch_campaign(app, en=APPEAL)
    await send_campaigns(app)
    async with running_service(app) as running:
        yield running


async def get(service: RunningService, path: str, status: int = 200) -> httpx.Response:
    answer = await service.browser.get(path)
    assert answer.status_code == status, answer.text
    return answer


def own_path(relay: FakeRelay) -> str:
    """The path of the link in Emma's letter."""
    found = re.search(r"https://lists\.example\.org(/view/[a-z2-7]{29}/1-letter)\s", text_of(relay.letters[0]))
    assert found, text_of(relay.letters[0])
    return found[1]


async def test_emma_reads_her_letter_on_the_web_and_all_others_of_the_list(
    service: RunningService, relay: FakeRelay
) -> None:
    moved = await get(service, own_path(relay), 302)
    page = await get(service, moved.headers["location"])
    index = await get(service, own_path(relay).removesuffix("/1-letter"))
    tagged = await get(service, own_path(relay).removesuffix("/1-letter") + "/tags/seeds")

    assert moved.headers["location"].endswith("/1-come-to-the-harvest-forum")
    assert "Dear friend" in page.text
    for answer in (index, tagged):
        assert f'href="{moved.headers["location"]}"' in answer.text


async def test_her_link_stays_hers(service: RunningService, relay: FakeRelay) -> None:
    page = await get(service, (await get(service, own_path(relay), 302)).headers["location"])
    index = await get(service, own_path(relay).removesuffix("/1-letter"))

    for answer in (page, index):
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert answer.headers["x-robots-tag"] == "noindex"
        assert '<meta name="robots" content="noindex">' in answer.text
        assert '<meta name="referrer" content="no-referrer">' in answer.text
        assert "etag" not in answer.headers
        assert not re.search("canonical|og:|atom", answer.text)
    assert "Disallow: /view/" in (await get(service, "/robots.txt")).text


async def test_whoever_has_left_reads_nothing_any_more(service: RunningService, app: App, relay: FakeRelay) -> None:
    await unsubscribe(app, token_in(relay.letters[0], "leave"), LINK_EVIDENCE)

    gone = await get(service, own_path(relay), 410)

    assert "harvest" not in gone.text


async def test_the_link_can_do_nothing_but_show(service: RunningService, relay: FakeRelay) -> None:
    token = own_path(relay).split("/")[2]

    assert (await service.browser.post(f"/leave/{token}")).status_code == 404
    assert (await service.browser.post(f"/view/{token}")).status_code == 405
    for purpose in set(Purpose) - {Purpose.VIEW}:
        await get(service, f"/view/{sign_token(service.app.site.keyring, purpose, 1)}", 404)


async def test_once_the_archive_is_public_the_link_leads_to_the_page_for_everybody(
    service: RunningService, app: App, relay: FakeRelay
) -> None:
    await set_list(app, ADMIN, "appeals", archive="public")

    moved = await get(service, own_path(relay), 302)

    assert moved.headers["location"] == "/archive/appeals/1-letter"
    assert moved.headers["cache-control"] == "no-store"


async def test_once_there_is_no_archive_the_link_leads_nowhere(
    service: RunningService, app: App, relay: FakeRelay
) -> None:
    await set_list(app, ADMIN, "appeals", archive="off")

    await get(service, own_path(relay), 404)


async def test_the_link_in_a_test_letter_says_what_it_is(service: RunningService) -> None:
    token = sign_token(service.app.site.keyring, Purpose.VIEW, NOBODY)

    shown = await get(service, f"/view/{token}/1-letter")

    assert "it leads to the same letter on the web" in shown.text
    assert "harvest" not in shown.text


async def test_nobody_reads_it_without_a_link(service: RunningService) -> None:
    for path in ("/archive/appeals", "/archive/appeals/1-letter", "/archive/appeals/feed.atom"):
        await get(service, path, 404)
