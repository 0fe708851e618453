"""The archive in the console: asked about once before the first letter, switched on the report, set with the list."""

from __future__ import annotations

import re

import httpx
import pytest

from mailer.actions.archive.archive_index import archive_index
from mailer.actions.archive.open_archive import open_public
from mailer.actions.lists.edit_list import set_list
from mailer.actions.lists.show_list import show_list
from mailer.app import App
from mailer.domain.mailing_list import ArchiveMode
from mailer.entrypoints.web.console.session_cookie import form_token
from tests.support.app_helpers import ADMIN
from tests.support.console_helpers import LEA_LIST_OWNER, SAMIR_SENDER, Furniture, Person, http_browser

HOUR = {"date": "2027-03-20", "time": "09:00", "zone": "Europe/Berlin"}
QUESTION = "letters be read on the web, too?"


def token(furniture: Furniture, who: Person) -> dict[str, str]:
    return {"form_token": form_token(furniture.words[who.name])}


async def archive_of_list(app: App) -> ArchiveMode | None:
    return (await show_list(app, ADMIN, "appeals")).mailing_list.archive


@pytest.mark.parametrize("mode", ["off", "subscribers", "public"])
async def test_before_the_first_letter_whoever_manages_the_list_is_asked_once(
    house_app: App, furniture: Furniture, mode: str
) -> None:
    path = f"/console/campaigns/{furniture.campaigns['draft']}/review"
    async with http_browser(house_app, furniture, LEA_LIST_OWNER) as lea:
        page = (await lea.get(path)).text
        digest = re.search(r'name="digest" value="(\w+)"', page)
        assert digest
        checked = re.findall(r'name="archive" value="(\w+)" checked', page)
        fields = HOUR | token(furniture, LEA_LIST_OWNER) | {"digest": digest[1], "archive": mode}
        answer = await lea.post(f"{path}/schedule", data=fields)
        after = (await lea.get(path)).text

    assert QUESTION in page
    assert checked == ["off"]
    assert answer.status_code == 303
    assert await archive_of_list(house_app) == mode
    assert QUESTION not in after


async def test_who_may_not_change_the_list_is_not_asked(
    browser: httpx.AsyncClient, house_app: App, furniture: Furniture
) -> None:
    path = f"/console/campaigns/{furniture.campaigns['draft']}/review"

    assert QUESTION not in (await browser.get(path)).text
    assert await archive_of_list(house_app) is None


async def test_a_letter_is_taken_out_and_put_back_on_its_report(
    browser: httpx.AsyncClient, house_app: App, furniture: Furniture
) -> None:
    await set_list(house_app, ADMIN, "appeals", archive="public")
    archive = await open_public(house_app, "appeals")
    number = furniture.campaigns["sent"]
    seen = []
    for archived in ("off", "on"):
        before = (await browser.get(f"/console/campaigns/{number}/report")).text
        fields = token(furniture, SAMIR_SENDER) | {"archived": archived}
        answer = await browser.post(f"/console/campaigns/{number}/archive", data=fields)
        entries = (await archive_index(house_app, archive, "en")).entries
        seen.append((f"/archive/appeals/{number}-letter" in before, number in {one.campaign_id for one in entries}))
        assert answer.headers["location"].startswith(f"/console/campaigns/{number}/report?done=")

    assert seen == [(True, False), (False, True)]


async def test_the_list_says_and_changes_who_may_read_its_letters(house_app: App, furniture: Furniture) -> None:
    form = {"title": "Open Letters", "owner": "ada@example.org", "language": "en", "zone": "Europe/Berlin"}
    form |= {"hard_after": "1", "soft_limit": "3"} | token(furniture, LEA_LIST_OWNER)
    async with http_browser(house_app, furniture, LEA_LIST_OWNER) as lea:
        unasked = (await lea.get("/console/lists/appeals/change")).text
        await lea.post("/console/lists/appeals/change", data=form | {"archive": ""})
        untouched = await archive_of_list(house_app)
        await lea.post("/console/lists/appeals/change", data=form | {"archive": "public"})
        shown = (await lea.get("/console/lists/appeals")).text
        chosen = (await lea.get("/console/lists/appeals/change")).text
        wrong = await lea.post("/console/lists/appeals/change", data=form | {"archive": "everybody"})

    assert '<option value="" selected>not chosen yet: nobody</option>' in unasked
    assert untouched is None
    assert '/archive/appeals">everybody: each letter has a page</a>' in shown
    assert '<option value="public" selected>' in chosen
    assert "not chosen yet" not in chosen
    assert wrong.status_code == 422
