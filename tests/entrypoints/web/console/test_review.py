"""Review: one sentence, mistakes that forbid, warnings that are ticked, and an hour that is never past."""

from __future__ import annotations

import re

import httpx
import pytest

from mailer.actions.campaigns.drafts import load_draft, save_draft
from mailer.actions.campaigns.live_status import live_status
from mailer.actions.lists.edit_list import set_list
from mailer.app import App
from mailer.domain.accounts.audit import AuditLine
from mailer.domain.campaign import Campaign, CampaignState
from mailer.entrypoints.web.console.session_cookie import form_token
from mailer.store.accounts import audit_log
from tests.support.app_helpers import ADMIN
from tests.support.console_helpers import (
    ADA_OWNER,
    EMMA_EDITOR,
    SAMIR_SENDER,
    VERA_VIEWER,
    Furniture,
    Person,
    http_browser,
)

HOUR = {"date": "2027-03-20", "time": "09:00", "zone": "Europe/Berlin"}


def review_of(furniture: Furniture, name: str = "draft") -> str:
    return f"/console/campaigns/{furniture.campaigns[name]}/review"


async def form(
    browser: httpx.AsyncClient, furniture: Furniture, who: Person = SAMIR_SENDER, name: str = "draft", **fields: str
) -> dict[str, str]:
    """The form of the page as it is now, with these fields."""
    page = (await browser.get(review_of(furniture, name))).text
    digest = re.search(r'name="digest" value="(\w+)"', page)
    return {"digest": digest[1] if digest else "", "form_token": form_token(furniture.words[who.name])} | fields


async def write(house_app: App, campaign_id: int, old: str, new: str) -> None:
    draft = await load_draft(house_app, ADMIN, campaign_id, "en")
    assert old in draft.text
    await save_draft(house_app, ADMIN, campaign_id, "en", version=draft.version, text=draft.text.replace(old, new))


async def campaign(house_app: App, furniture: Furniture, name: str = "draft") -> Campaign:
    return (await live_status(house_app, ADMIN, furniture.campaigns[name])).campaign


async def last_lines(house_app: App) -> list[AuditLine]:
    return list((await house_app.database.read(audit_log.list_page)).items)


async def test_the_sentence_says_what_when_to_how_many_and_who_gets_nothing(
    browser: httpx.AsyncClient, furniture: Furniture
) -> None:
    page = (await browser.get(review_of(furniture))).text

    said = re.sub(r"<[^>]+>", "", page[page.index('<p class="hero">') : page.index("<section>")])
    assert re.search(
        r"Come to the harvest forum goes on \w+ \d+ Mar, \d\d:\d\d Berlin \(in .*\) to 30 people of Open Appeals\.",
        said,
    )
    assert "These get nothing: 1 unconfirmed." in said
    assert "The first letter goes at" in said
    assert "10 people read Arabic and get English: there is no such edition." in said
    assert "Schedule for 30 people" in page


async def test_five_letters_of_readers_that_differ_are_a_click_away(
    browser: httpx.AsyncClient, furniture: Furniture
) -> None:
    page = (await browser.get(review_of(furniture))).text

    letters = re.findall(rf'href="/console/campaigns/{furniture.campaigns["draft"]}/preview/(\w+)\?reader=(\d+)"', page)
    assert len(set(letters)) == 5
    assert {language for language, _ in letters} == {"en", "tr"}


async def test_one_button_schedules_at_the_proposed_hour(
    browser: httpx.AsyncClient, house_app: App, furniture: Furniture
) -> None:
    page = (await browser.get(review_of(furniture))).text
    proposed = {
        name: re.search(rf'name="{name}"[^>]*value="([^"]+)"', page)[1]  # type: ignore[index]
        for name in ("date", "time", "zone")
    }

    answer = await browser.post(f"{review_of(furniture)}/schedule", data=await form(browser, furniture, **proposed))

    scheduled = await campaign(house_app, furniture)
    assert (answer.status_code, scheduled.state) == (303, CampaignState.SCHEDULED)
    assert scheduled.local_time == f"{proposed['date']}T{proposed['time']}:00"
    assert answer.headers["location"].endswith("/live?done=scheduled")


async def test_now_means_in_half_a_minute(browser: httpx.AsyncClient, house_app: App, furniture: Furniture) -> None:
    before = house_app.clock()

    answer = await browser.post(
        f"{review_of(furniture)}/schedule", data=await form(browser, furniture, when="now", date="", time="", zone="")
    )

    goes_at = (await campaign(house_app, furniture)).scheduled_at
    assert answer.status_code == 303
    assert goes_at is not None
    assert 30 <= (goes_at - before).total_seconds() < 60


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"date": "2027-03-01"}, "This hour is past; choose one that is ahead."),
        ({"date": "2027-03-28", "time": "02:30"}, "does not exist in Europe/Berlin"),
        ({"zone": "Atlantis"}, "is not a time zone"),
        ({"date": ""}, "is not a date and time"),
        ({"over": "soon"}, "is not a duration"),
    ],
)
async def test_an_hour_that_cannot_be_had_is_said_beside_its_field_and_never_means_now(
    browser: httpx.AsyncClient, house_app: App, furniture: Furniture, changed: dict[str, str], said: str
) -> None:
    fields = await form(browser, furniture, **HOUR | changed)

    answer = await browser.post(f"{review_of(furniture)}/schedule", data=fields)

    assert answer.status_code == 422
    assert said in answer.text
    assert 'aria-invalid="true"' in answer.text
    assert (await campaign(house_app, furniture)).state is CampaignState.DRAFT


async def test_what_another_hour_means_can_be_seen_without_scheduling(
    browser: httpx.AsyncClient, house_app: App, furniture: Furniture
) -> None:
    fields = await form(browser, furniture, **HOUR, act="look", over="6h")

    page = (await browser.post(f"{review_of(furniture)}/schedule", data=fields)).text

    assert "Sat 20 Mar, 09:00 Berlin" in page
    assert "the last about Sat 20 Mar, 15:00 Berlin: they are spread." in page
    assert (await campaign(house_app, furniture)).state is CampaignState.DRAFT


async def test_a_mistake_forbids_and_leads_to_its_line(
    browser: httpx.AsyncClient, house_app: App, furniture: Furniture
) -> None:
    fields = await form(browser, furniture, **HOUR)
    await write(house_app, furniture.campaigns["draft"], "bring **your own** seeds", "{{ unknown_thing")

    page = (await browser.get(review_of(furniture))).text
    answer = await browser.post(f"{review_of(furniture)}/schedule", data=fields)

    assert "With these it cannot be sent." in page
    assert re.search(rf'href="/console/campaigns/{furniture.campaigns["draft"]}/write/en\?line=\d+"', page)
    assert "Schedule for" not in page
    assert answer.status_code in {409, 422}
    assert (await campaign(house_app, furniture)).state is CampaignState.DRAFT


async def test_a_warning_is_ticked_with_a_name(
    browser: httpx.AsyncClient, house_app: App, furniture: Furniture
) -> None:
    await write(house_app, furniture.campaigns["draft"], "bring **your own** seeds", "bring TK seeds")
    page = (await browser.get(review_of(furniture))).text
    keys = re.findall(r'name="accept" value="(\w+)"', page)  # that TK was left, and that the translation is stale
    assert len(keys) == 2

    unticked = await browser.post(f"{review_of(furniture)}/schedule", data=await form(browser, furniture, **HOUR))
    ticks = {"accept": keys}
    ticked = await browser.post(f"{review_of(furniture)}/schedule", data=await form(browser, furniture, **HOUR) | ticks)

    assert unticked.status_code == 409
    assert "Nothing was done" in unticked.text
    assert ticked.status_code == 303
    accepted = next(one for one in await last_lines(house_app) if one.act == "accept warning")
    assert accepted.actor == SAMIR_SENDER.address


async def test_a_text_that_was_changed_meanwhile_is_looked_at_again(
    browser: httpx.AsyncClient, house_app: App, furniture: Furniture
) -> None:
    fields = await form(browser, furniture, **HOUR)
    await write(house_app, furniture.campaigns["draft"], "your own", "your best")

    answer = await browser.post(f"{review_of(furniture)}/schedule", data=fields)

    assert answer.status_code == 409
    assert "the texts were changed after you reviewed them" in answer.text
    assert (await campaign(house_app, furniture)).state is CampaignState.DRAFT


async def test_where_two_are_needed_another_has_to_approve(
    browser: httpx.AsyncClient, house_app: App, furniture: Furniture
) -> None:
    await set_list(house_app, ADMIN, "appeals", needs_approval=True)
    page = review_of(furniture)

    alone = await browser.post(f"{page}/schedule", data=await form(browser, furniture, **HOUR))
    async with http_browser(house_app, furniture, EMMA_EDITOR) as emma:
        approving = await emma.post(f"{page}/approve", data=await form(emma, furniture, EMMA_EDITOR))
    shown = (await browser.get(page)).text
    together = await browser.post(f"{page}/schedule", data=await form(browser, furniture, **HOUR))

    assert alone.status_code == 409
    assert approving.headers["location"] == f"{page}?done=approved"
    assert EMMA_EDITOR.address in shown
    assert together.status_code == 303


async def test_a_test_letter_goes_to_oneself_or_to_the_testers_and_its_fate_is_shown(
    browser: httpx.AsyncClient, house_app: App, furniture: Furniture
) -> None:
    await set_list(house_app, ADMIN, "appeals", testers=["nora@example.org"])

    for to in ("me", "testers"):
        answer = await browser.post(f"{review_of(furniture)}/test", data=await form(browser, furniture, to=to))
        assert answer.headers["location"] == f"{review_of(furniture)}?done=test-sent"
    page = (await browser.get(review_of(furniture))).text

    tests = page.partition("Test letters</caption>")[2]
    assert tests.count(f"<bdi>{SAMIR_SENDER.address}</bdi>") == 2
    assert tests.count("<bdi>nora@example.org</bdi>") == 2
    assert "waiting" in tests


async def test_a_paused_campaign_gets_a_corrected_text(
    browser: httpx.AsyncClient, house_app: App, furniture: Furniture
) -> None:
    page = review_of(furniture, "paused")
    shown = (await browser.get(page)).text

    answer = await browser.post(f"{page}/correct", data=await form(browser, furniture, name="paused"))
    after = (await browser.get(page)).text

    assert "Letters keep the old one until you give them the new one here." in shown
    assert "Give 30 letters the new text" in shown
    assert answer.headers["location"].endswith("/live?done=corrected")
    assert "The letters have this text already." in after
    assert (await campaign(house_app, furniture, "paused")).state is CampaignState.PAUSED


async def test_what_is_on_its_way_or_over_is_not_reviewed(browser: httpx.AsyncClient, furniture: Furniture) -> None:
    sending = await browser.get(review_of(furniture, "sending"))
    sent = await browser.get(review_of(furniture, "sent"))

    assert sending.headers["location"].endswith("/live")
    assert sent.headers["location"].endswith("/report")


@pytest.mark.parametrize("who", [VERA_VIEWER, EMMA_EDITOR], ids=lambda one: one.name)
async def test_who_may_not_send_is_offered_no_hour(house_app: App, furniture: Furniture, who: Person) -> None:
    async with http_browser(house_app, furniture, who) as their:
        page = (await their.get(review_of(furniture))).text

    assert "Schedule for" not in page
    assert "Who may send on this list decides on its hour." in page
    assert ("Send a test to me" in page) is (who is EMMA_EDITOR)
    assert bool(re.search(r"appeals\d+@", page)) is (who is EMMA_EDITOR)


async def test_a_form_that_says_nothing_about_the_text_schedules_nothing(house_app: App, furniture: Furniture) -> None:
    async with http_browser(house_app, furniture, ADA_OWNER) as ada:
        token = form_token(furniture.words["Ada"])
        answer = await ada.post(f"{review_of(furniture)}/schedule", data=HOUR | {"form_token": token})

    assert answer.status_code == 409
