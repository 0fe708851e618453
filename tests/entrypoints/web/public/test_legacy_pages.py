"""Links of other software's letters, over HTTP: whoever they name leaves, anybody else is written to."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from dataclasses import replace
from urllib.parse import urljoin

import pytest
from sqlalchemy import Connection

from mailer.actions.imports.plan_import import plan_import
from mailer.actions.imports.run_import import run_import
from mailer.actions.subscriptions.show_person import show_person
from mailer.app import App
from mailer.domain.imports.legacy_list import LINK_PREFIXES, LegacyList, LegacySoftware
from mailer.importers.export_format import ReadOptions
from mailer.importers.open_export import open_export
from mailer.store import mailing_lists, subscribers
from mailer.store.imports import source_tokens
from mailer.store.retention import erase_subscribers
from tests.support.app_helpers import ADMIN, EMMA, ROSA, import_rows, open_list, text_of
from tests.support.fake_relay import FakeRelay
from tests.support.recognized_exports import all_files
from tests.support.running_service import RunningService, running_service
from tests.support.service_exports import listmonk_page, listmonk_subscriber

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
CAMPAIGN = "11111111-2222-4333-8444-555555555555"
EMMAS = "5f0c2a0e-1234-4c7e-9a51-0a1b2c3d4e5f"
NOBODYS = "00000000-0000-4000-8000-000000000000"
LINK = f"/subscription/{CAMPAIGN}/{EMMAS}"
"""What listmonk writes into its letters."""


@pytest.fixture
async def service(app: App) -> AsyncIterator[RunningService]:
    """A list that was listmonk's and Mailman's before, with Emma on it and on the walks."""
    for name in ("appeals", "walks"):
        await open_list(app, name)
        await import_rows(app, f"{EMMA},Emma,en", list_name=name)
    await app.database.write(_remember_token)
    moved = tuple(
        LegacyList(
            list_name="appeals",
            software=software,
            name="talk",
            addresses=("talk@old.example",),
            paths=LINK_PREFIXES[software],
        )
        for software in (LegacySoftware.LISTMONK, LegacySoftware.MAILMAN21)
    )
    async with running_service(replace(app, legacy_lists=moved)) as running:
        yield running


def _remember_token(tx: Connection, list_name: str = "appeals") -> None:
    person = subscribers.find(tx, address_key=EMMA)
    assert person is not None
    source_tokens.add_tokens(tx, mailing_lists.get_by_name(tx, list_name).id, [(EMMAS, person.id)])


async def states(service: RunningService) -> dict[str, str]:
    return {name: str(state) for name, state in (await show_person(service.app, ADMIN, EMMA)).subscriptions.items()}


async def test_a_known_link_shows_the_button_and_one_click_leaves(service: RunningService) -> None:
    shown = await service.browser.get(LINK)
    before = await states(service)
    left = await service.browser.post(LINK, data={"List-Unsubscribe": "One-Click"})
    again = await service.browser.post(LINK)

    assert shown.status_code == 200
    assert f'<form method="post" action="{LINK}">' in shown.text
    assert before == {"appeals": "confirmed", "walks": "confirmed"}
    assert left.status_code == again.status_code == 200
    assert await states(service) == {"appeals": "unsubscribed", "walks": "confirmed"}
    assert EMMA not in shown.text + left.text


async def test_a_person_of_several_lists_leaves_all_that_the_token_is_of(service: RunningService) -> None:
    await service.app.database.write(_remember_token, "walks")

    shown = await service.browser.get(LINK)
    await service.browser.post(LINK)

    assert "Open Appeals, Open Walks" in shown.text
    assert await states(service) == {"appeals": "unsubscribed", "walks": "unsubscribed"}


async def test_the_token_of_an_erased_person_is_forgotten(service: RunningService) -> None:
    person = await service.app.database.read(lambda tx: subscribers.find(tx, address_key=EMMA))
    assert person is not None
    await service.app.database.write(erase_subscribers, [person.id])

    shown = await service.browser.get(LINK)

    assert await service.app.database.read(source_tokens.find_subscription_ids, EMMAS) == []
    assert 'name="email"' in shown.text


@pytest.mark.parametrize(
    "link",
    [
        f"/subscription/{CAMPAIGN}/{NOBODYS}",
        "/subscription",
        "/mailman/options/talk",
        "/cgi-bin/mailman/options",
    ],
)
async def test_an_unknown_link_asks_for_the_address_and_writes_to_it(
    service: RunningService, relay: FakeRelay, link: str
) -> None:
    shown = await service.browser.get(link)
    posted = await service.browser.post(link, data={"email": EMMA})
    (letter,) = await relay.wait_for(1)

    assert 'name="email"' in shown.text
    assert "Look into your mailbox" in posted.text
    assert letter.recipient == EMMA
    assert "/leave/" in text_of(letter)
    assert await states(service) == {"appeals": "confirmed", "walks": "confirmed"}


async def test_nobody_else_is_written_to(service: RunningService, relay: FakeRelay) -> None:
    link = "/mailman/options/talk/rosa--at--example.org"
    shown = await service.browser.get(link)
    asked = [
        await service.browser.post(link, data={"email": ROSA}),
        await service.browser.post(link, data={"email": EMMA, "website": "https://robot.example"}),
        await service.browser.post(link, data={"email": EMMA}),
    ]
    wrong = await service.browser.post(link, data={"email": "no address"})
    (letter,) = await relay.wait_for(1)

    assert f'value="{ROSA}"' in shown.text
    assert {one.status_code for one in asked} == {200}
    assert wrong.status_code == 422
    assert letter.recipient == EMMA, "the only reader who asked herself"


async def test_the_link_of_an_imported_reader_leaves(service: RunningService) -> None:
    page = listmonk_page(listmonk_subscriber("ida@example.org", Harvest="confirmed") | {"uuid": NOBODYS})
    export = open_export(all_files({"page.json": page}), None, ReadOptions())
    async with await plan_import(service.app, ADMIN, list_name="appeals", export=export) as plan:
        await run_import(service.app, ADMIN, plan)

    shown = await service.browser.get(f"/subscription/{CAMPAIGN}/{NOBODYS}")
    await service.browser.post(f"/subscription/{CAMPAIGN}/{NOBODYS}")

    assert "Leave Open Appeals" in shown.text
    ida = await show_person(service.app, ADMIN, "ida@example.org")
    assert ida.subscriptions == {"appeals": "unsubscribed"}


async def test_links_for_joining_lead_to_the_form(service: RunningService) -> None:
    for link in (f"/subscription/optin/{EMMAS}", "/subscription/form", "/mailman/subscribe/talk"):
        answer = await service.browser.get(link)

        assert (answer.status_code, answer.headers["location"]) == (303, "/join/appeals")
    assert await states(service) == {"appeals": "confirmed", "walks": "confirmed"}


async def test_without_a_legacy_table_such_links_are_unknown(app: App) -> None:
    await open_list(app)
    async with running_service(app) as service:
        assert (await service.browser.get(LINK)).status_code == 404


@pytest.mark.parametrize("way", ["%252e%252e/", "..%2f", "%2e%2e%2f", ".%2f", "a%3Fb%23c/", "%00/", "%252f/"])
async def test_no_link_makes_a_form_that_posts_elsewhere(service: RunningService, way: str) -> None:
    link = f"/mailman/options/{way}{way}{way}console/lists"
    shown = await service.browser.get(link)
    actions = re.findall(r'action="([^"]*)"', shown.text)

    assert [urljoin("https://site.example", one) for one in actions] in ([], [f"https://site.example{link}"])
    assert "%2e" not in "".join(actions).replace("%252e", "").lower()


async def test_a_click_whose_token_is_not_known_is_not_said_to_have_worked(service: RunningService) -> None:
    link = f"/subscription/{CAMPAIGN}/{NOBODYS}"

    assert (await service.browser.post(link, data={"List-Unsubscribe": "One-Click"})).status_code == 422
    assert (await service.browser.post(link)).status_code == 422


async def test_nobody_subscribes_an_old_address_of_ours(service: RunningService, relay: FakeRelay) -> None:
    for address in ("talk-join@old.example", "Talk@old.example", EMMA):
        await service.browser.post("/mailman/options/talk", data={"email": address})
        await service.browser.post("/join/appeals", data={"email": address})
    (letter,) = await relay.wait_for(1)

    assert letter.recipient == EMMA
