"""Editions in the console: which go, who gets which, who agrees, and the rest of them later."""

from __future__ import annotations

import re

import httpx

from mailer.actions.campaigns.drafts import load_draft, save_draft
from mailer.actions.campaigns.review import review
from mailer.actions.lists.edit_list import set_list
from mailer.app import App
from mailer.entrypoints.web.console.session_cookie import form_token
from tests.support.app_helpers import ADMIN
from tests.support.console_helpers import SAMIR_SENDER, TUANA_TRANSLATOR, Furniture, Person, http_browser


def _token(furniture: Furniture, who: Person = SAMIR_SENDER) -> dict[str, str]:
    return {"form_token": form_token(furniture.words[who.name])}


async def test_the_review_tells_who_gets_which_edition_and_lets_one_go_alone(
    browser: httpx.AsyncClient, house_app: App, furniture: Furniture
) -> None:
    draft = furniture.campaigns["draft"]
    here, form = f"/console/campaigns/{draft}", _token(furniture)

    before = (await browser.get(f"{here}/review")).text
    none = await browser.post(f"{here}/editions/choose", data=form)
    chosen = await browser.post(f"{here}/editions/choose", data=form | {"sent": "tr"})
    after = (await browser.get(f"{here}/review")).text

    assert "10 read Arabic, which has no edition" in before
    assert "Schedule for 30 people" in before
    assert none.status_code == 409
    assert "tick at least one edition" in none.text
    assert chosen.headers["location"] == f"{here}/review?done=saved"
    assert "Schedule for 10 people" in after
    assert re.search(r'name="sent" value="en"(?! checked)', after)
    assert re.search(r'name="sent" value="tr" checked', after)
    assert (await review(house_app, ADMIN, draft)).campaign.languages == ("tr",)


async def test_an_edition_is_approved_by_its_translator_where_the_list_asks_for_it(
    house_app: App, furniture: Furniture
) -> None:
    await set_list(house_app, ADMIN, "appeals", needs_approval=True)
    draft = furniture.campaigns["draft"]
    here = f"/console/campaigns/{draft}"
    async with http_browser(house_app, furniture, TUANA_TRANSLATOR) as tuana:
        page, write = (await tuana.get(f"{here}/editions")).text, (await tuana.get(f"{here}/write/tr")).text
        [(path, digest)] = re.findall(r'action="([^"]+/approve)".*?name="digest" value="(\w+)"', page, re.DOTALL)
        form = _token(furniture, TUANA_TRANSLATOR)
        stale = await tuana.post(path, data=form | {"digest": "0" * 64})
        done = await tuana.post(path, data=form | {"digest": digest})
        approved = (await tuana.get(f"{here}/editions")).text

    assert "Approve this edition" in write
    assert path == f"{here}/write/tr/approve"
    assert stale.status_code == 409
    assert "after you reviewed" in stale.text
    assert done.headers["location"] == f"{here}/editions?done=edition-approved"
    assert approved.count("not approved") == 1
    assert "/approve" not in approved
    assert TUANA_TRANSLATOR.address in approved
    [edition] = [one for one in (await review(house_app, ADMIN, draft)).editions if one.language == "tr"]
    assert edition.approved_by == (TUANA_TRANSLATOR.address,)


async def test_a_stale_edition_is_on_the_board_and_is_ticked_in_the_review(
    browser: httpx.AsyncClient, house_app: App, furniture: Furniture
) -> None:
    number = furniture.campaigns["draft"]
    draft = await load_draft(house_app, ADMIN, number, "en")
    await save_draft(house_app, ADMIN, number, "en", version=draft.version, fields={"body": "Another text."})

    board = (await browser.get("/console/campaigns")).text
    page = (await browser.get(f"/console/campaigns/{number}/review")).text

    assert "Turkish is stale" in board
    assert "stale since English changed" in page
    assert "The first edition was changed after this one." in page


async def test_the_other_editions_are_sent_from_the_report(
    browser: httpx.AsyncClient, house_app: App, furniture: Furniture
) -> None:
    alone = furniture.campaigns["cancelled"]
    page = (await browser.get(f"/console/campaigns/{alone}/report")).text
    answer = await browser.post(f"/console/campaigns/{alone}/rest", data=_token(furniture))
    review_page = (await browser.get(answer.headers["location"])).text
    again = await browser.post(f"/console/campaigns/{alone}/rest", data=_token(furniture))

    assert "Sent were: English." in page
    assert "Send the other editions" in page
    assert "Nobody gets it whom" in review_page
    assert "Schedule for 10 people" in review_page
    assert again.status_code == 409
