"""Pages are in the reader's language, errors included, and a used link shows its result."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from mailer.actions.subscriptions.show_person import show_person
from mailer.app import App
from mailer.domain.token import Purpose, sign_token
from tests.support.app_helpers import ADMIN, EMMA, ROSA, Clock, import_rows, open_list, token_in
from tests.support.fake_relay import FakeRelay
from tests.support.running_service import RunningService, running_service

LANGUAGES = ("ar", "de", "en", "es", "fr", "it", "pt", "ru", "tr", "zh")
ENGLISH = {"accept-language": "en"}


@pytest.fixture
def database_url(sqlite_template: Path, tmp_path: Path) -> str:
    """SQLite: the database is not the point."""
    return f"sqlite:///{shutil.copy(sqlite_template, tmp_path / 'mailer.db')}"


@pytest.fixture
async def service(app: App) -> AsyncIterator[RunningService]:
    """The running service; Emma, who reads Spanish, is on Ada's English list."""
    await open_list(app)
    await import_rows(app, f"{EMMA},Emma,es")
    async with running_service(app) as running:
        yield running


def link(service: RunningService, way: str, subscription_id: int = 1) -> str:
    purpose = {"leave": Purpose.LEAVE, "confirm": Purpose.CONFIRM, "rejoin": Purpose.REJOIN, "never": Purpose.NEVER}
    return f"/{way}/{sign_token(service.app.site.keyring, purpose[way], subscription_id)}"


async def test_the_page_after_a_button_keeps_its_language(
    service: RunningService, relay: FakeRelay, clock: Clock
) -> None:
    browser = service.browser
    await browser.post("/join/appeals", data={"email": ROSA, "language": "tr"})
    confirm = f"/confirm/{token_in((await relay.wait_for(1))[0], 'confirm')}"
    shown = []

    for way in (confirm, link(service, "leave"), link(service, "rejoin")):
        shown += [await browser.get(way, headers=ENGLISH), await browser.post(way, headers=ENGLISH)]
    await browser.post(link(service, "leave"))
    clock.advance(days=3)
    for way in (link(service, "rejoin"), link(service, "never")):
        shown += [await browser.get(way, headers=ENGLISH), await browser.post(way, headers=ENGLISH)]

    languages = [(answer.status_code, answer.headers["content-language"]) for answer in shown]
    assert languages == [(200, "tr")] * 2 + [(200, "es")] * 5 + [(410, "es")] + [(200, "es")] * 2


async def test_a_used_link_shows_its_result_and_changes_nothing(
    service: RunningService, relay: FakeRelay, clock: Clock
) -> None:
    browser = service.browser

    await browser.post("/join/appeals", data={"email": ROSA})
    confirm = f"/confirm/{token_in((await relay.wait_for(1))[0], 'confirm')}"
    pages = {way: [await browser.post(way), await browser.get(way)] for way in (confirm, link(service, "leave"))}
    states = [(await show_person(service.app, ADMIN, one)).subscriptions for one in (ROSA, EMMA)]
    for way in (link(service, "rejoin"), link(service, "never")):
        pages[way] = [await browser.post(way), await browser.get(way)]
    await browser.post(link(service, "leave", 2))
    clock.advance(days=3)
    long_ago = await browser.get(link(service, "leave", 2))

    assert {answer.status_code for both in pages.values() for answer in both} == {200}
    for posted, looked in pages.values():
        assert posted.text == looked.text
    assert states == [{"appeals": "confirmed"}, {"appeals": "unsubscribed"}]
    assert ("You have left Open Appeals" in long_ago.text, "<form" in long_ago.text) == (True, False)


async def test_errors_of_a_form_are_shown_in_the_readers_language(service: RunningService) -> None:
    for address in ("rosa@@example", "jörg@example.org", "", "rosa@example..org", "<b>@example.org"):
        errors = {}
        for language in LANGUAGES:
            answer = await service.browser.post(
                "/join/appeals", data={"email": address}, headers={"accept-language": language}
            )
            assert (answer.status_code, answer.headers["content-language"]) == (422, language), address
            errors[language] = answer.text.partition('role="alert">')[2].partition("</p>")[0]

        assert len(set(errors.values())) == len(LANGUAGES), address
        assert all(errors.values()), address


async def test_a_form_in_a_charset_that_no_browser_sends_is_no_fault_of_ours(service: RunningService) -> None:
    part = b'--x\r\nContent-Disposition: form-data; name="email"\r\n\r\n\\ud800+2AA-\xff\r\n--x--\r\n'

    for charset, status in (("unicode_escape", 422), ("utf-7", 422), ("undefined", 400)):
        kind = {"content-type": f"multipart/form-data; boundary=x; charset={charset}"}
        answer = await service.browser.post("/join/appeals", content=part, headers=kind)
        assert answer.status_code == status, charset
