"""The pages over HTTP: forms are shown by GET, and only a POST acts."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator

import pytest

from mailer.actions.campaigns.report import campaign_status
from mailer.actions.subscriptions.show_person import show_person
from mailer.app import App
from mailer.domain.delivery import DeliveryState
from mailer.domain.suppression import SuppressionReason
from mailer.domain.token import Purpose, sign_token
from tests.support.app_helpers import (
    ADMIN,
    DOMAIN,
    EMMA,
    ROSA,
    Clock,
    import_rows,
    launch_campaign,
    open_list,
    recipients,
    suppress,
    token_in,
)
from tests.support.fake_relay import FakeRelay
from tests.support.running_service import RunningService, running_service

ONE_CLICK = {"List-Unsubscribe": "One-Click"}


@pytest.fixture
async def service(app: App) -> AsyncIterator[RunningService]:
    """The running service with Ada's list and Emma on it."""
    await open_list(app)
    await import_rows(app, f"{EMMA},Emma,en")
    async with running_service(app) as running:
        yield running


async def state_of(service: RunningService, address: str) -> str:
    return str((await show_person(service.app, ADMIN, address)).subscriptions["appeals"])


def leave_link(app: App, subscription_id: int = 1) -> str:
    return f"/leave/{sign_token(app.site.keyring, Purpose.LEAVE, subscription_id)}"


async def test_rosa_joins_by_the_form_and_confirms_by_the_button(service: RunningService, relay: FakeRelay) -> None:
    shown = await service.browser.get("/join/appeals")
    joined = await service.browser.post("/join/appeals", data={"email": ROSA, "name": "Rosa", "language": "tr"})
    confirmation = (await relay.wait_for(1))[0]
    page = f"/confirm/{token_in(confirmation, 'confirm')}"

    looked = [await service.browser.get(page), await service.browser.head(page)]
    before = await state_of(service, ROSA)
    confirmed = await service.browser.post(page)
    twice = await service.browser.post(page)
    letters = await relay.wait_for(2)

    assert [answer.status_code for answer in (shown, joined, *looked, confirmed, twice)] == [200] * 6
    assert 'name="email"' in shown.text
    assert before == "pending"
    assert await state_of(service, ROSA) == "confirmed"
    assert token_in(letters[1], "leave")
    assert "Hoş geldiniz" in letters[1].content.decode() or relay.letters[1].recipient == ROSA


async def test_a_paused_reader_who_asks_again_finds_the_button_which_ends_the_pause(
    service: RunningService, relay: FakeRelay
) -> None:
    await import_rows(service.app, f"{ROSA},Rosa,en")
    await suppress(service.app, ROSA, SuppressionReason.PAUSED, list_name="appeals")
    await service.browser.post("/join/appeals", data={"email": ROSA, "name": "", "language": "en"})
    page = f"/confirm/{token_in((await relay.wait_for(1))[0], 'confirm')}"

    shown = await service.browser.get(page)
    paused = (await show_person(service.app, ADMIN, ROSA)).paused
    await service.browser.post(page)

    assert f'action="{page}"' in shown.text
    assert paused == {"appeals"}
    assert (await show_person(service.app, ADMIN, ROSA)).paused == frozenset()
    assert token_in((await relay.wait_for(2))[1], "leave"), "the welcome letter of which the page speaks"


async def test_the_form_does_not_reveal_who_is_subscribed(service: RunningService, relay: FakeRelay) -> None:
    answers = [
        await service.browser.post("/join/appeals", data={"email": address, "name": "", "language": "en"})
        for address in (EMMA, ROSA)
    ]

    alike = [re.sub(r"(emma|rosa)@example\.org", "", answer.text) for answer in answers]
    assert alike[0] == alike[1]
    assert {answer.status_code for answer in answers} == {200}


async def test_a_second_confirmation_comes_on_request_and_no_third(service: RunningService, relay: FakeRelay) -> None:
    form = {"email": ROSA, "name": "", "language": "en"}

    for again in ("", "", "1", "1"):
        await service.browser.post("/join/appeals", data=form | {"again": again})
    await service.browser.post("/join/appeals", data=form | {"email": "last@example.org"})
    letters = await relay.wait_for(3)

    assert [letter.recipient for letter in letters] == [ROSA, ROSA, "last@example.org"]


async def test_the_form_reports_an_invalid_address(service: RunningService, relay: FakeRelay) -> None:
    answer = await service.browser.post("/join/appeals", data={"email": "rosa@@example", "name": "<Rosa>"})

    assert answer.status_code == 422
    assert 'role="alert"' in answer.text
    assert "&lt;Rosa&gt;" in answer.text
    assert relay.letters == []


async def test_a_request_with_the_hidden_field_filled_in_is_dropped(service: RunningService, relay: FakeRelay) -> None:
    trapped = await service.browser.post("/join/appeals", data={"email": ROSA, "website": "https://buy.example"})
    await service.browser.post("/join/appeals", data={"email": "person@example.org"})
    await relay.wait_for(1)

    assert trapped.status_code == 200
    assert recipients(relay) == ["person@example.org"]


async def test_never_ask_me_again_holds_for_every_list(service: RunningService, relay: FakeRelay) -> None:
    await open_list(service.app, "gardens")
    await service.browser.post("/join/appeals", data={"email": ROSA})
    page = f"/confirm/{token_in((await relay.wait_for(1))[0], 'confirm')}"

    never = await service.browser.post(page, data={"never": "1"})
    for name in ("appeals", "gardens"):
        await service.browser.post(f"/join/{name}", data={"email": ROSA, "again": "1"})
    await import_rows(service.app, f"{ROSA},Rosa,en", list_name="gardens")
    await service.browser.post("/join/appeals", data={"email": "last@example.org"})
    await relay.wait_for(2)

    assert never.status_code == 200
    assert recipients(relay) == [ROSA, "last@example.org"]


@pytest.mark.parametrize("how", ["urlencoded", "multipart", "nothing", "nonsense"])
async def test_one_click_leaves_without_cookie_or_redirect_and_twice_is_fine(service: RunningService, how: str) -> None:
    link = leave_link(service.app)
    bodies = {
        "urlencoded": {"data": ONE_CLICK},
        "multipart": {"files": {name: (None, value) for name, value in ONE_CLICK.items()}},
        "nothing": {},
        "nonsense": {"content": b"\x00--x", "headers": {"content-type": "multipart/form-data; boundary=y"}},
    }

    answers = [await service.browser.post(link, **bodies[how]) for _ in range(2)]  # type: ignore[arg-type]

    assert [answer.status_code for answer in answers] == [200, 200]
    assert not any("set-cookie" in answer.headers or "location" in answer.headers for answer in answers)
    assert await state_of(service, EMMA) == "unsubscribed"


async def test_opening_a_leave_link_changes_nothing(service: RunningService) -> None:
    link = leave_link(service.app)

    answers = [await service.browser.get(link), await service.browser.head(link), await service.browser.options(link)]

    assert [answer.status_code for answer in answers[:2]] == [200, 200]
    assert answers[0].text.count("<button") == 1
    assert EMMA not in answers[0].text
    assert await state_of(service, EMMA) == "confirmed"


async def test_the_goodbye_page_offers_undo_for_two_days(service: RunningService, clock: Clock) -> None:
    goodbye = await service.browser.post(leave_link(service.app))
    undo = re.search(r'action="(/rejoin/[a-z2-7]{29})"', goodbye.text)
    assert undo

    back = await service.browser.post(undo[1])
    state = await state_of(service, EMMA)
    await service.browser.post(leave_link(service.app))
    clock.advance(days=3)
    too_late = await service.browser.post(undo[1])

    assert (back.status_code, state) == (200, "confirmed")
    assert too_late.status_code == 410
    assert await state_of(service, EMMA) == "unsubscribed"


async def test_unknown_altered_and_foreign_tokens_get_the_same_plain_404(service: RunningService) -> None:
    keyring = service.app.site.keyring
    genuine = sign_token(keyring, Purpose.LEAVE, 1)
    tokens = [
        sign_token(keyring, Purpose.LEAVE, 999),
        sign_token(keyring, Purpose.CONFIRM, 1),
        ("a" if genuine[-1] != "a" else "b").join((genuine[:-1], "")),
        genuine[:-1],
        "x",
    ]

    answers = [
        await call(f"/leave/{token}") for token in tokens for call in (service.browser.get, service.browser.post)
    ]
    elsewhere = await service.browser.get("/nothing/here")

    assert {answer.status_code for answer in (*answers, elsewhere)} == {404}
    assert {answer.text for answer in answers} == {elsewhere.text}
    assert await state_of(service, EMMA) == "confirmed"


async def test_a_body_larger_than_any_form_is_refused(service: RunningService) -> None:
    answer = await service.browser.post("/join/appeals", data={"email": ROSA, "name": "x" * 200_000})

    assert answer.status_code == 413


async def test_pages_use_the_readers_language_and_security_headers(service: RunningService) -> None:
    answer = await service.browser.get("/", headers={"accept-language": "nl, tr;q=0.8, en;q=0.5"})

    assert answer.headers["content-language"] == "tr"
    assert 'lang="tr"' in answer.text
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "join/appeals" in answer.text


async def test_leaving_during_a_campaign_stops_that_persons_letter(service: RunningService, relay: FakeRelay) -> None:
    await import_rows(service.app, *(f"person{number}@example.org,,en" for number in range(20)))
    hold = relay.holds("greeting")

    campaign_id = await launch_campaign(service.app)
    service.app.wakeups.notify_all()
    await hold.reached.wait()
    left = await service.browser.post(leave_link(service.app))
    hold.released.set()
    await relay.wait_for(20)
    while (progress := await campaign_status(service.app, ADMIN, campaign_id)).campaign.state != "sent":
        service.app.wakeups.notify_all()
        await asyncio.sleep(0)

    assert left.status_code == 200
    assert EMMA not in recipients(relay)
    assert progress.counts == {DeliveryState.ACCEPTED: 20, DeliveryState.SUPPRESSED: 1}


async def test_health_answers_once_the_service_is_open(service: RunningService) -> None:
    answer = await service.browser.get("/health")
    reader, writer = await asyncio.open_connection("127.0.0.1", service.ports.intake_port)
    greeting = await reader.readline()
    writer.close()

    assert (answer.status_code, answer.text) == (200, "ok\n")
    assert greeting.startswith(f"220 {DOMAIN}".encode())
