"""Today through the HTTP door: the sentence, what needs somebody, what comes and went, the first steps."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import httpx
import pytest
from sqlalchemy import event, insert, update

from mailer.actions.campaigns.approve import approve
from mailer.actions.campaigns.new_campaign import new_campaign
from mailer.actions.campaigns.pause_resume_cancel import pause
from mailer.actions.campaigns.schedule import schedule
from mailer.actions.lists.edit_list import set_list
from mailer.actions.maintenance.check_health import check_health
from mailer.app import App
from mailer.domain.accounts.role import Grant, Role
from mailer.domain.health_check import HealthReports
from mailer.entrypoints.web.console.session_cookie import form_token
from mailer.store import mailing_lists
from mailer.store.people_tables import incoming
from mailer.store.queue.queue_tables import campaign
from tests.support.app_helpers import (
    ADA,
    ADMIN,
    APPEAL,
    BEA,
    DOMAIN,
    EMMA,
    ROSA,
    Clock,
    import_rows,
    launch_campaign,
    open_list,
    send_campaigns,
)
from tests.support.console_client import browser_of

SITE = f"https://{DOMAIN}"
OURS = {"Sec-Fetch-Site": "same-origin"}
OWNER = Grant(role=Role.OWNER)


@pytest.fixture
async def ada(app: App) -> AsyncIterator[httpx.AsyncClient]:
    """Owns the site."""
    async with await browser_of(app, ADA, OWNER) as browser:
        yield browser


async def today(browser: httpx.AsyncClient) -> str:
    """The page, its words on one line."""
    response = await browser.get("/console")
    assert response.status_code == 200, response.text
    return " ".join(response.text.split())


def sentence(page: str) -> str:
    found = re.search(r'<h1 class="hero">(.*?)</h1>', page)
    assert found
    return found[1].strip()


async def test_a_house_in_which_a_letter_went_is_well(app: App, ada: httpx.AsyncClient) -> None:
    await open_list(app)
    await import_rows(app, f"{ROSA},,", f"{EMMA},,")
    await launch_campaign(app)
    await send_campaigns(app)
    await check_health(app, ADMIN)

    page = await today(ada)

    assert sentence(page).startswith("All is well. Nothing waits.")
    assert "Needs you" not in page
    assert "First steps" not in page
    assert "Come to the harvest forum" in page
    assert "Relays and DNS were checked Mon 1 Mar, 09:00 Berlin" in page


async def test_a_new_house_is_led_step_by_step_and_each_is_ticked_by_fact(app: App, ada: httpx.AsyncClient) -> None:
    def done(page: str) -> list[str]:
        return re.findall(r'<li class="done"> <h3>([^<]*)<', page)

    page = await today(ada)
    assert sentence(page) == "4 steps to the first letter."
    assert done(page) == []
    assert app.wakeups.health.is_set(), "opening the page has relays checked"

    await check_health(app, ADMIN)
    page = await today(ada)
    assert sentence(page) == "3 steps to the first letter."
    assert done(page) == ["Sending works"]
    assert 'href="/console/lists">Add a list' in page

    await open_list(app)
    await import_rows(app, f"{ROSA},,", invite=True)
    assert done(await today(ada)) == ["Sending works", "A list"], "who has not confirmed gets no letter"

    await import_rows(app, f"{EMMA},,")
    page = await today(ada)
    assert sentence(page) == "One step to the first letter."
    assert 'action="/console/campaigns/new"' in page


async def test_a_relay_that_is_silent_needs_the_owner_and_nobody_else_learns_which(app: App) -> None:
    mailing_list = await open_list(app)
    silent = replace(app, relays=(replace(app.relays[0], port=1),), health=HealthReports())
    await check_health(silent, ADMIN)

    async with await browser_of(silent, ADA, OWNER) as ada:
        page = await today(ada)
        assert sentence(page).startswith("One thing needs you.")
        assert "The check “relay 127.0.0.1:1” fails" in page
    async with await browser_of(silent, EMMA, Grant(role=Role.EDITOR, mailing_list_id=mailing_list.id)) as emma:
        page = await today(emma)
        assert "Sending is disturbed" in page
        assert "127.0.0.1" not in page


async def test_whoever_owns_the_site_checks_it_again(app: App, ada: httpx.AsyncClient) -> None:
    token = form_token(ada.cookies["__Host-mailer"])

    response = await ada.post("/console/check", data={"form_token": token}, headers=OURS)

    assert (response.status_code, response.headers["location"]) == (303, "/console?done=checked")
    assert "Everything was checked again." in (await ada.get("/console?done=checked")).text
    assert app.health.latest().checked_at == app.clock()


async def test_a_paused_campaign_is_shown_with_since_when_and_why(
    app: App, ada: httpx.AsyncClient, clock: Clock
) -> None:
    await open_list(app)
    await import_rows(app, f"{ROSA},,")
    campaign_id = await launch_campaign(app)
    clock.advance(minutes=10)
    await pause(app, ADMIN, campaign_id)
    clock.advance(hours=3)

    page = await today(ada)

    assert "The campaign is paused. Since Mon 1 Mar, 09:10 Berlin (3 hours ago)." in page
    assert f'href="/console/campaigns/{campaign_id}">Resume or cancel it' in page


async def test_who_may_not_see_readers_reads_no_address_in_why_a_campaign_stopped(app: App) -> None:
    mailing_list = await open_list(app)
    await import_rows(app, f"{ROSA},,")
    campaign_id = await launch_campaign(app)
    await pause(app, ADMIN, campaign_id)
    remark = f"cannot be written for {ROSA}: no city"
    stopped = update(campaign).where(campaign.c.id == campaign_id).values(remark=remark)
    await app.database.write(lambda tx: tx.execute(stopped))

    async with await browser_of(app, EMMA, Grant(role=Role.EDITOR, mailing_list_id=mailing_list.id)) as emma:
        assert ROSA in await today(emma)
    async with await browser_of(app, BEA, Grant(role=Role.VIEWER, mailing_list_id=mailing_list.id)) as bea:
        page = await today(bea)
        assert ROSA not in page
        assert "no city" in page
        assert ROSA not in (await bea.get("/console/campaigns")).text


async def test_a_campaign_whose_hour_is_past_is_late(app: App, ada: httpx.AsyncClient, clock: Clock) -> None:
    await open_list(app)
    await import_rows(app, f"{ROSA},,")
    campaign_id = await launch_campaign(app)
    values = {"state": "scheduled", "scheduled_at": app.clock(), "launched_at": None}
    late = update(campaign).where(campaign.c.id == campaign_id).values(values)
    await app.database.write(lambda tx: tx.execute(late))
    clock.advance(minutes=5)
    assert "Its hour is past" not in await today(ada), "it may be a busy minute"

    clock.advance(minutes=1)

    assert "Its hour is past" in await today(ada)


async def test_a_throttled_list_and_parked_mails_need_somebody(app: App, ada: httpx.AsyncClient) -> None:
    mailing_list = await open_list(app)
    until = app.clock() + timedelta(hours=3)
    await app.database.write(mailing_lists.set_throttled_until, mailing_list.id, until)
    row = {"sender": EMMA, "recipients": [f"appeals@{DOMAIN}"], "raw": b"x", "request": {}, "state": "parked"}
    for _ in range(2):
        await app.database.write(lambda tx: tx.execute(insert(incoming).values(received_at=app.clock(), **row)))

    page = await today(ada)

    assert sentence(page).startswith("2 things need you.")
    assert "wait until Mon 1 Mar, 12:00 Berlin (in 3 hours)." in page
    assert "2 incoming mails are parked" in page


async def test_more_than_five_needs_are_counted(app: App, ada: httpx.AsyncClient) -> None:
    await open_list(app)
    await import_rows(app, f"{ROSA},,")
    for _ in range(7):
        await pause(app, ADMIN, await launch_campaign(app))

    page = await today(ada)

    assert sentence(page).startswith("7 things need you.")
    assert page.count("Resume or cancel it") == 5
    assert "2 more are shown once some of these are done." in page


async def test_the_next_hours_are_told_in_both_zones(app: App, ada: httpx.AsyncClient) -> None:
    await open_list(app)
    await import_rows(app, f"{ROSA},,")
    campaign_id = await launch_campaign(app)
    again = update(campaign).where(campaign.c.id == campaign_id).values(state="draft", launched_at=None)
    await app.database.write(lambda tx: tx.execute(again))
    await schedule(app, ADMIN, campaign_id, local_time="2027-03-02T09:00", zone="Europe/Istanbul")

    assert "Tue 2 Mar, 07:00 Berlin (in 22 hours; 09:00 Istanbul)" in await today(ada)


async def test_one_learns_nothing_of_lists_on_which_one_has_no_role(app: App) -> None:
    walks, _ = await open_list(app, "walks"), await open_list(app)
    await import_rows(app, f"{ROSA},,")
    await pause(app, ADMIN, await launch_campaign(app))

    async with await browser_of(app, BEA, Grant(role=Role.OWNER, mailing_list_id=walks.id)) as bea:
        page = await today(bea)

    assert "harvest" not in page
    assert "Needs you" not in page


async def test_a_draft_of_somebody_else_waits_for_ones_approval(app: App, clock: Clock) -> None:
    mailing_list = await open_list(app)
    await set_list(app, ADMIN, "appeals", needs_approval=True)
    await import_rows(app, f"{ROSA},,")
    grant = Grant(role=Role.EDITOR, mailing_list_id=mailing_list.id)
    emma = replace(ADMIN, name=EMMA)
    campaign_id = await new_campaign(app, emma, list_name="appeals", texts={"appeal.md": APPEAL})
    async with await browser_of(app, BEA, grant) as bea, await browser_of(app, EMMA, grant) as writer:
        assert "somebody who approves" not in await today(bea), "it may still be being written"
        clock.advance(minutes=10)

        assert f'href="/console/campaigns/{campaign_id}/review">Read it' in await today(bea)
        assert "somebody who approves" not in await today(writer), "nobody approves their own words"

        await approve(app, replace(ADMIN, name=BEA), campaign_id)
        assert "somebody who approves" not in await today(bea)


async def test_who_joined_and_left_is_drawn_by_day_and_told_by_week(app: App, ada: httpx.AsyncClient) -> None:
    await open_list(app)
    assert "Nobody joined or left in the last 90 days." in await today(ada)
    await import_rows(app, f"{ROSA},,", f"{EMMA},,")

    page = await today(ada)

    assert "<b>2</b> joined in 90 days" in page
    assert "<b>0</b> left in 90 days" in page
    assert page.count("<polyline") == 2
    assert re.search(r'>Mon 1 Mar</th><td class="number">2</td><td class="number">0</td>', page)


async def test_today_asks_the_database_little(app: App, ada: httpx.AsyncClient) -> None:
    await open_list(app)
    await import_rows(app, f"{ROSA},,")
    for _ in range(3):
        await launch_campaign(app)
    await pause(app, ADMIN, 1)
    asked: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        if not statement.startswith(("BEGIN", "COMMIT", "ROLLBACK")):
            asked.append(statement)

    event.listen(app.database.engine, "before_cursor_execute", note)
    await today(ada)
    event.remove(app.database.engine, "before_cursor_execute", note)

    assert 0 < len(asked) <= 12
