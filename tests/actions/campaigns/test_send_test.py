"""Test letters: the campaign's letter with a mark, to those who may get one, and nobody's subscription changes."""

from __future__ import annotations

from typing import Any

import pytest

from mailer.actions.campaigns.drafts import load_draft, new_letter, save_draft
from mailer.actions.campaigns.editions import add_edition, remove_edition
from mailer.actions.campaigns.launch import launch_due
from mailer.actions.campaigns.new_campaign import new_campaign
from mailer.actions.campaigns.schedule import send_now
from mailer.actions.campaigns.send_test import MOST_PER_HOUR, list_tests, send_test
from mailer.actions.lists.edit_list import set_list
from mailer.actions.lists.media import add_media
from mailer.actions.subscriptions.show_person import show_person
from mailer.app import App
from mailer.domain.accounts.actor import Actor, Door
from mailer.domain.accounts.role import Grant, Role
from mailer.domain.delivery import DeliveryState
from mailer.domain.token import NOBODY, Purpose, read_token
from mailer.errors import CampaignFileRefused, NotFound, NotPermitted, WrongState
from mailer.store.accounts import audit_log
from tests.support.app_helpers import (
    ADA,
    ADMIN,
    APPEAL,
    BEA,
    EMMA,
    MALLORY,
    ROSA,
    Clock,
    import_rows,
    open_list,
    parse_letter,
    receive_person_mail,
    recipients,
    send_campaigns,
    send_notices,
    text_of,
    token_in,
)
from tests.support.fake_relay import FakeRelay
from tests.support.media_samples import PDF, photo
from tests.support.running_service import running_service

EMMA_WRITES = Actor(name=EMMA, door=Door.CONSOLE, grants=(Grant(role=Role.EDITOR),), organiser_id=7)
TURKISH = APPEAL.replace("subject: Come to the harvest forum", "subject: Foruma gel\nlanguage: tr")


@pytest.fixture
async def campaign(app: App) -> int:
    """A campaign in two languages for Ada's list, of which Rosa is a reader."""
    await open_list(app)
    await import_rows(app, f"{ROSA},Rosa,tr")
    return await new_campaign(app, ADMIN, list_name="appeals", texts={"a.md": APPEAL, "a.tr.md": TURKISH})


async def test_a_test_letter_is_the_campaigns_letter_with_a_mark_before_its_subject(
    app: App, relay: FakeRelay, campaign: int
) -> None:
    assert await send_test(app, ADMIN, campaign, [ROSA]) == 2
    await send_notices(app)
    await send_now(app, ADMIN, campaign, wait_s=0)
    await launch_due(app)
    await send_campaigns(app)

    letters = sorted(relay.letters, key=lambda one: str(parse_letter(one)["Subject"]).replace("Foruma", "~"))
    english, turkish, real = map(parse_letter, letters)

    assert [str(one["Subject"]) for one in (english, turkish, real)] == [
        "[Test] Come to the harvest forum",
        "[Test] Foruma gel",
        "Foruma gel",
    ]
    personal = {"Subject", "Message-ID", "List-Unsubscribe", "Reply-To", "CFBL-Feedback-ID", "Content-Type"}
    fields = [{name: str(value) for name, value in one.items() if name not in personal} for one in (turkish, real)]
    assert fields[0] == fields[1]
    words = [text_of(one).replace(token_in(one, "leave"), "TOKEN") for one in letters[1:]]
    assert words[0] == words[1]


async def test_a_tester_who_reads_the_list_gets_the_values_known_of_them_and_another_the_fallbacks(
    app: App, relay: FakeRelay, campaign: int
) -> None:
    await send_test(app, ADMIN, campaign, [ROSA, BEA], languages=["en"])
    await send_notices(app)

    texts = {one.recipient: text_of(one) for one in relay.letters}
    assert ("Dear Rosa" in texts[ROSA], "Dear friend" in texts[BEA]) == (True, True)


async def test_no_link_and_no_reply_of_a_test_letter_changes_a_subscription(
    app: App, relay: FakeRelay, campaign: int
) -> None:
    await send_test(app, ADMIN, campaign, [ROSA], languages=["en"])
    await send_notices(app)
    token = token_in(relay.letters[0], "leave")
    reply_to = str(parse_letter(relay.letters[0])["Reply-To"]).partition("@")[0]

    await receive_person_mail(app, f"appeals-leave+{token}", authenticated=True)
    await receive_person_mail(app, reply_to, body="stop", authenticated=True)
    async with running_service(app) as service:
        pages = [await service.browser.get(f"/leave/{token}"), await service.browser.post(f"/leave/{token}")]
        person = await show_person(app, ADMIN, ROSA)

    assert [(one.status_code, "test letter" in one.text) for one in pages] == [(200, True)] * 2
    assert "confirmed" in repr(person.subscriptions["appeals"])


async def test_what_a_tester_replies_reaches_the_owner(app: App, relay: FakeRelay, campaign: int) -> None:
    await send_test(app, ADMIN, campaign, [ROSA], languages=["en"])
    await send_notices(app)
    reply_to = str(parse_letter(relay.letters[0])["Reply-To"]).partition("@")[0]

    await receive_person_mail(app, reply_to, body="The barn is closed that day.", authenticated=True)

    assert recipients(relay)[1:] == [ADA]


async def test_an_organiser_may_send_it_to_herself_the_testers_and_the_owner_only(app: App, campaign: int) -> None:
    await set_list(app, ADMIN, "appeals", testers=[BEA])

    assert await send_test(app, EMMA_WRITES, campaign, [EMMA, BEA, ADA, EMMA.upper()]) == 6
    with pytest.raises(NotPermitted, match="not one of the list's testers"):
        await send_test(app, EMMA_WRITES, campaign, [EMMA, MALLORY])
    viewer = Actor(name=EMMA, door=Door.CONSOLE, grants=(Grant(role=Role.VIEWER),), organiser_id=7)
    with pytest.raises(NotPermitted):
        await send_test(app, viewer, campaign, [EMMA])
    with pytest.raises(NotFound, match="testers"):
        await send_test(app, EMMA_WRITES, campaign, [])


async def test_what_became_of_each_is_shown_and_whether_its_text_is_still_the_same(
    app: App, relay: FakeRelay, campaign: int, clock: Clock
) -> None:
    relay.answers("rcpt", f"550 5.1.1 <{BEA}> nobody here", address=BEA)
    await send_test(app, ADMIN, campaign, [ROSA], languages=["en"])
    await send_test(app, ADMIN, campaign, [BEA], languages=["tr"])
    before = await list_tests(app, EMMA_WRITES, campaign)
    await send_notices(app)
    await save_draft(app, ADMIN, campaign, "tr", version=0, fields={"lead": "Bir akşam"})

    after = await list_tests(app, EMMA_WRITES, campaign)

    assert [(one.address, one.language, one.state, one.is_current) for one in before] == [
        (BEA, "tr", DeliveryState.QUEUED, True),
        (ROSA, "en", DeliveryState.QUEUED, True),
    ]
    assert [(one.address, one.state, one.is_current) for one in after] == [
        (BEA, DeliveryState.FAILED, False),
        (ROSA, DeliveryState.ACCEPTED, True),
    ]
    assert f"<{BEA}> nobody here" in (after[0].reply or "")
    viewer = Actor(name=ROSA, door=Door.CONSOLE, grants=(Grant(role=Role.VIEWER),), organiser_id=7)
    seen = await list_tests(app, viewer, campaign)
    assert [one.address for one in seen] == ["", ROSA]
    assert "<…> nobody here" in (seen[0].reply or "")


async def test_a_test_of_a_scheduled_campaign_does_not_change_what_goes(
    app: App, relay: FakeRelay, campaign: int
) -> None:
    await send_now(app, ADMIN, campaign, wait_s=30)
    await save_draft(app, ADMIN, campaign, "tr", version=0, fields={"subject": "Changed"})
    await send_test(app, ADMIN, campaign, [BEA], languages=["tr"])
    await send_notices(app)
    await launch_due(_half_a_minute_later(app))
    await send_campaigns(app)

    assert [str(parse_letter(one)["Subject"]) for one in relay.letters] == ["[Test] Changed", "Foruma gel"]


def _half_a_minute_later(app: App) -> App:
    clock: Any = app.clock
    clock.advance(seconds=31)
    return app


async def test_a_text_with_an_error_is_not_tested(app: App) -> None:
    await open_list(app)
    letter = await new_letter(app, ADMIN, list_name="appeals")
    await save_draft(app, ADMIN, letter, "en", version=1, fields={"subject": "x", "body": "Dear {{ name }}"})

    with pytest.raises(CampaignFileRefused, match=r"en, line 5: .* lacks a fallback"):
        await send_test(app, ADMIN, letter, [ADA])


async def test_an_edition_stays_while_a_test_letter_of_it_is_under_way(
    app: App, relay: FakeRelay, campaign: int
) -> None:
    await send_test(app, ADMIN, campaign, [BEA], languages=["tr"])
    with pytest.raises(WrongState, match="under way"):
        await remove_edition(app, ADMIN, campaign, "tr")
    await send_notices(app)

    await remove_edition(app, ADMIN, campaign, "tr")

    [one] = (await load_draft(app, ADMIN, campaign)).editions
    assert one.language == "en"
    assert [one.is_current for one in await list_tests(app, ADMIN, campaign)] == [False]


async def test_so_many_test_letters_an_hour_are_enough(app: App, campaign: int, clock: Clock) -> None:
    people = [f"person{number}@example.org" for number in range(MOST_PER_HOUR // 2)]
    await send_test(app, ADMIN, campaign, people)

    with pytest.raises(WrongState, match="in an hour"):
        await send_test(app, ADMIN, campaign, [BEA])
    clock.advance(hours=2)
    assert await send_test(app, ADMIN, campaign, [BEA]) == 2


async def test_the_audit_log_says_how_many_and_not_to_whom(app: App, campaign: int) -> None:
    await add_edition(app, ADMIN, campaign, "de")
    await send_test(app, EMMA_WRITES, campaign, [ADA], languages=["de"])

    line = (await app.database.read(audit_log.list_page)).items[0]

    assert (line.act, line.actor, line.after) == ("send test", EMMA, {"versions": {"de": 1}, "letters": 1})


async def test_a_test_letter_may_have_the_values_of_a_reader_in_the_edition_that_they_get(
    app: App, relay: FakeRelay, campaign: int
) -> None:
    assert await send_test(app, ADMIN, campaign, [ADA], as_reader=ROSA) == 1
    assert await send_test(app, ADMIN, campaign, [ADA], as_reader=ROSA, languages=["en"]) == 1
    await send_notices(app)
    with pytest.raises(NotFound, match="not a confirmed reader"):
        await send_test(app, ADMIN, campaign, [ADA], as_reader=MALLORY)
    translator = Actor(name=EMMA, door=Door.CONSOLE, grants=(Grant(role=Role.VIEWER),), organiser_id=7)
    with pytest.raises(NotPermitted):
        await send_test(app, translator, campaign, [EMMA], as_reader=ROSA)

    subjects = {str(parse_letter(one)["Subject"]) for one in relay.letters}
    assert subjects == {"[Test] Foruma gel", "[Test] Come to the harvest forum"}
    assert recipients(relay) == [ADA, ADA]
    assert all("Dear Rosa" in text_of(one) for one in relay.letters)
    assert all(read_token(app.site.keyring, Purpose.LEAVE, token_in(one, "leave")) == NOBODY for one in relay.letters)


async def test_pictures_and_attachments_come_along(app: App, relay: FakeRelay, campaign: int) -> None:
    apples = await add_media(app, ADMIN, list_name="appeals", name="apples.jpg", octets=photo())
    programme = await add_media(app, ADMIN, list_name="appeals", name="programme.pdf", octets=PDF)
    files = f"pictures: inline\nattachments: [{programme.path}]\nsubject:"
    text = APPEAL.replace("subject:", files, 1) + f"\n![Two apples]({apples.path})\n"
    number = await new_campaign(app, ADMIN, list_name="appeals", texts={"a.md": text})

    await send_test(app, ADMIN, number, [ADA])
    await send_notices(app)

    parts = {part.get_content_type(): part for part in parse_letter(relay.letters[0]).walk()}
    assert parts["application/pdf"].get_filename() == "programme.pdf"
    assert str(parts["image/jpeg"]["Content-ID"]).strip("<>") in str(parts["text/html"].get_content())
