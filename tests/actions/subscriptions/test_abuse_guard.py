"""The abuse guard: nobody can use the service to bomb a person with letters, nor learn who is on a list."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import Connection, func, select

from mailer.actions.inbound.receive import receive
from mailer.actions.lists.show_list import show_list
from mailer.actions.subscriptions.abuse_guard import may_send_auto_reply
from mailer.actions.subscriptions.confirm import confirm
from mailer.actions.subscriptions.show_person import show_person
from mailer.actions.subscriptions.subscribe import process_request, subscribe
from mailer.app import App
from mailer.domain.address import Address
from mailer.domain.consent import Channel, Evidence
from mailer.domain.incoming_message import IncomingMessage
from mailer.domain.subscription_request import SubscriptionRequest
from mailer.entrypoints.web.application import web_app
from mailer.errors import NotFound
from mailer.settings.intake_tables import HearingSettings, ShieldSettings
from mailer.store.database import Database
from mailer.store.people_tables import consent, incoming, subscriber, subscription, tally
from mailer.store.queue.queue_tables import delivery
from tests.support.app_helpers import (
    ADA,
    ADMIN,
    DOMAIN,
    EMMA,
    MALLORY,
    ROSA,
    Clock,
    import_rows,
    open_list,
    receive_person_mail,
    receive_raw_mail,
    recipients,
    send_notices,
    text_of,
    token_in,
)
from tests.support.fake_relay import FakeRelay
from tests.support.running_service import running_service

BY_FORM = Evidence(Channel.FORM)


@pytest.fixture
def database_url(sqlite_template: Path, tmp_path: Path) -> str:
    """The database is not the point here: what speaks SQL is tried on both with the store."""
    return f"sqlite:///{shutil.copy(sqlite_template, tmp_path / 'mailer.db')}"


async def ask(app: App, address: str, list_name: str = "appeals", **more: Any) -> None:
    """Somebody asks for this address, and the letters it causes go out."""
    await subscribe(app, SubscriptionRequest(list_name=list_name, address=Address(address), evidence=BY_FORM, **more))
    await send_notices(app)


async def rows(app: App, *tables: Any) -> list[int]:
    def work(tx: Connection) -> list[int]:
        return [tx.execute(select(func.count()).select_from(one)).scalar_one() for one in tables]

    return await app.database.read(work)


async def state_of(app: App, address: str, list_name: str = "appeals") -> str | None:
    try:
        return str((await show_person(app, ADMIN, address)).subscriptions.get(list_name))
    except NotFound:
        return None


@pytest.mark.parametrize("requests", [1000, pytest.param(5000, marks=pytest.mark.slow)])
async def test_thousands_of_requests_for_one_victim_cause_one_letter_and_few_rows(
    app: App, relay: FakeRelay, requests: int
) -> None:
    await open_list(app)
    victims = [Address(f"ro.sa+{number}@gmail.com") for number in range(requests)]

    def flood(tx: Connection, first: int) -> None:
        for number in range(first, first + 500):
            source = f"192.0.2.{number % 200}"
            process_request(
                tx,
                app,
                SubscriptionRequest(list_name="appeals", address=victims[number], evidence=BY_FORM, source=source),
            )

    for first in range(0, requests, 500):
        await app.database.write(flood, first)
    await send_notices(app)

    assert len(relay.letters) == 1
    assert await rows(app, subscriber, subscription, consent, delivery) == [21, 21, 21, 1]
    assert (await rows(app, tally))[0] < 210


async def test_forms_and_mails_from_many_places_cause_one_letter_to_a_mailbox(
    app: App, relay: FakeRelay, again: Callable[[], App]
) -> None:
    for name in ("appeals", "gardens"):
        await open_list(app, name)
    async with running_service(app) as service:
        for number in range(30):
            await service.browser.post(
                f"/join/{('appeals', 'gardens')[number % 2]}",
                data={"email": f"rosa+{number}@example.org", "again": str(number % 2)},
                headers={"x-forwarded-for": f"192.0.2.{number}"},
            )
        await service.browser.post("/join/appeals", data={"email": "last@example.org"})
        await relay.wait_for(2)

    later = again()
    for number in range(30):
        await receive_person_mail(later, "gardens-join", sender=f"Rosa+m{number}@example.org", body=str(number))

    assert len(relay.letters) == 2
    assert sorted(recipients(relay)) == ["last@example.org", "rosa+0@example.org"]


async def test_deferred_requests_are_asked_one_by_one_as_the_person_confirms(app: App, relay: FakeRelay) -> None:
    for name in ("appeals", "gardens", "library"):
        await open_list(app, name)
    await ask(app, ROSA)
    await ask(app, ROSA, "gardens", name="Mallory was here", language="de")
    await ask(app, ROSA, "library")
    await ask(app, "rosa+other@example.org", "library")
    before = len(relay.letters)

    await confirm(app, token_in(relay.letters[0], "confirm"), BY_FORM)
    await send_notices(app)
    after_one = relay.letters[1:]
    asked = next(letter for letter in after_one if "/confirm/" in text_of(letter))
    await confirm(app, token_in(asked, "confirm"), BY_FORM)
    await send_notices(app)

    assert before == 1
    assert len(after_one) == 2  # the welcome, and the oldest request
    assert "Open Gardens" in text_of(asked)
    assert b"Mallory was here" not in asked.content
    assert len(relay.letters) == 5
    assert any("Open Library" in text_of(letter) and "/confirm/" in text_of(letter) for letter in relay.letters[3:])
    assert set(recipients(relay)) == {ROSA}
    acts = [line.act for line in (await show_person(app, ADMIN, ROSA)).consents if line.list_name == "gardens"]
    assert acts == ["held", "asked", "confirmed"]


async def test_an_answered_letter_does_not_count_against_the_mailbox(app: App, relay: FakeRelay) -> None:
    for name in ("appeals", "gardens", "library", "seeds"):
        await open_list(app, name)
    await ask(app, ROSA)
    await confirm(app, token_in(relay.letters[0], "confirm"), BY_FORM)

    await ask(app, ROSA, "gardens")
    await ask(app, ROSA, "library")
    asked = next(letter for letter in relay.letters[1:] if "/confirm/" in text_of(letter))
    await confirm(app, token_in(asked, "confirm"), BY_FORM)
    await ask(app, ROSA, "seeds")

    titles = [title for letter in relay.letters for title in ("Library", "Seeds") if f"Open {title}" in text_of(letter)]
    assert "Open Gardens" in text_of(asked)
    assert titles == ["Library"]
    assert await state_of(app, ROSA, "seeds") == "pending"


async def test_a_deferred_request_may_be_repeated_a_day_later(app: App, relay: FakeRelay, clock: Clock) -> None:
    for name in ("appeals", "gardens"):
        await open_list(app, name)
    await ask(app, ROSA)
    await ask(app, ROSA, "gardens")
    await ask(app, ROSA, "gardens", resend=True)
    clock.advance(hours=24)

    await ask(app, ROSA, "gardens")
    await ask(app, ROSA, "gardens", resend=True)
    await ask(app, ROSA, "gardens", resend=True)

    assert ["Gardens" in text_of(letter) for letter in relay.letters] == [False, True, True]


async def test_subscribers_get_the_already_subscribed_letter_no_oftener_than_others_are_asked(
    app: App, relay: FakeRelay
) -> None:
    await open_list(app)
    await import_rows(app, f"{EMMA},Emma,en")

    for again in (False, False, True, True, True):
        await ask(app, EMMA, resend=again)

    assert len(relay.letters) == 2


async def test_an_authenticated_sender_is_asked_at_once_for_each_list_up_to_a_limit(app: App, relay: FakeRelay) -> None:
    await open_list(app)
    await open_list(app, "gardens")
    await ask(app, ROSA)

    for number in range(30):
        await ask(app, ROSA, ("appeals", "gardens")[number % 2], authenticated=True, source="192.0.2.1")

    assert len(relay.letters) == 1 + 20


async def test_an_authenticated_mail_that_is_processed_twice_is_answered_once(app: App, relay: FakeRelay) -> None:
    await open_list(app)

    for _ in range(3):
        await ask(app, ROSA, authenticated=True, in_reply_to="<one@example.org>")

    assert len(relay.letters) == 1


async def test_beyond_the_limit_of_a_source_nothing_is_written(app: App, relay: FakeRelay, clock: Clock) -> None:
    await open_list(app)

    for number in range(25):
        await ask(app, f"person{number}@example.org", source=f"2001:db8::{number:x}")
    within = len(relay.letters)
    persons = await rows(app, subscriber, subscription, consent)
    await ask(app, "else@example.org", source="2001:db8:0:1::1")
    clock.advance(hours=1)
    await ask(app, "later@example.org", source="2001:db8::1")

    assert within == 20
    assert persons == [20, 20, 20]
    assert recipients(relay)[20:] == ["else@example.org", "later@example.org"]


@pytest.mark.parametrize("limit", ["per_domain", "per_list"])
async def test_beyond_the_limit_of_a_domain_or_list_requests_are_deferred_and_authenticated_ones_are_counted_apart(
    app: App, relay: FakeRelay, clock: Clock, limit: str
) -> None:
    app = replace(app, shield=ShieldSettings(**{limit: 3}))
    await open_list(app)

    for number in range(5):
        await ask(app, f"person{number}@example.org")
    within = len(relay.letters)
    waiting = await state_of(app, "person4@example.org")
    await ask(app, ROSA, authenticated=True)
    clock.advance(hours=1)
    await ask(app, "person4@example.org")

    assert (within, waiting) == (3, "pending")
    assert recipients(relay)[3:] == [ROSA, "person4@example.org"]


async def test_deferred_requests_are_limited_too(app: App) -> None:
    app = replace(app, shield=ShieldSettings(per_list=3))
    await open_list(app)

    for number in range(12):
        await ask(app, f"person{number}@example.org")

    assert await rows(app, subscriber, subscription, delivery) == [6, 6, 3]


async def test_a_list_with_few_confirmations_is_throttled_for_a_day_and_its_owner_gets_one_notice(
    app: App, relay: FakeRelay, clock: Clock
) -> None:
    app = replace(app, shield=ShieldSettings(collapse_after=10, collapse_ratio=0.2))
    await open_list(app)
    for number in range(10):
        await ask(app, f"person{number}@example.org")
    await confirm(app, token_in(relay.letters[0], "confirm"), BY_FORM)
    clock.advance(hours=2)

    await ask(app, "stranger@example.org")
    clock.advance(minutes=30)
    await ask(app, "another@example.org")
    await ask(app, ROSA, authenticated=True)
    quiet = await show_list(app, ADMIN, "appeals")
    clock.advance(days=1)
    await ask(app, "stranger@example.org")

    notices = [letter for letter in relay.letters if letter.recipient == ADA]
    assert len(notices) == 1
    assert "10" in text_of(notices[0])
    assert [one for one in recipients(relay) if one in {"stranger@example.org", "another@example.org", ROSA}] == [
        ROSA,
        "stranger@example.org",
    ]
    assert quiet.throttled_until == clock.now - timedelta(minutes=30)


async def test_a_list_with_confirmations_is_not_throttled(app: App, relay: FakeRelay, clock: Clock) -> None:
    app = replace(app, shield=ShieldSettings(collapse_after=4, collapse_ratio=0.5))
    await open_list(app)
    for number in range(4):
        await ask(app, f"person{number}@example.org")
    for letter in relay.letters[:2]:
        await confirm(app, token_in(letter, "confirm"), BY_FORM)
    clock.advance(hours=2)

    await ask(app, ROSA)

    assert ROSA in recipients(relay)
    assert (await show_list(app, ADMIN, "appeals")).throttled_until is None


async def test_every_kind_of_automatic_letter_counts_against_the_mailbox(app: App, clock: Clock) -> None:
    await open_list(app)

    async def may(address: str, **more: Any) -> bool:
        how = {"authenticated": False} | more
        return await app.database.write(may_send_auto_reply, app, Address(address), **how)

    answers = [await may(ROSA), await may("rosa+x@example.org"), await may(ROSA, authenticated=True), await may(EMMA)]
    from_one_place = [await may(f"p{number}@example.org", source="192.0.2.7") for number in range(22)]
    clock.advance(days=1)

    assert answers == [True, False, True, True]
    assert from_one_place == [True] * 20 + [False] * 2
    assert await may(ROSA)


async def test_the_form_answers_alike_and_at_once_for_every_address(app: App, relay: FakeRelay) -> None:
    await open_list(app)
    await import_rows(app, f"{EMMA},Emma,en")
    async with running_service(app) as service:
        answers = [await service.browser.post("/join/appeals", data={"email": one}) for one in (EMMA, ROSA)]
        unknown = await service.browser.post("/join/nothing", data={"email": ROSA})
        wrong = await service.browser.post("/join/appeals", data={"email": "rosa at home"})
        await relay.wait_for(2)

        assert {answer.status_code for answer in answers} == {200}
        assert len({re.sub(r"(emma|rosa)@example\.org", "", answer.text) for answer in answers}) == 1
        assert (unknown.status_code, wrong.status_code) == (404, 422)
        assert await rows(app, incoming) == [2]


async def test_a_form_is_refused_while_the_inbox_is_full(app: App) -> None:
    await open_list(app)
    small = replace(app, intake=app.intake.model_copy(update={"most_waiting": 1}))
    await receive(small, IncomingMessage(sender=EMMA, recipients=()))

    transport = httpx.ASGITransport(web_app(small), raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://lists.example.org") as browser:
        answer = await browser.post("/join/appeals", data={"email": ROSA})

    assert answer.status_code == 503
    assert await rows(app, incoming) == [1]


@pytest.mark.parametrize("kept", [False, True])
async def test_the_ip_address_of_a_request_is_recorded_only_where_the_settings_say_so(
    app: App, relay: FakeRelay, kept: bool
) -> None:
    app = replace(app, hearing=HearingSettings(keep_client_address=kept))
    await open_list(app)
    async with running_service(app) as service:
        await service.browser.post("/join/appeals", data={"email": ROSA}, headers={"x-forwarded-for": "192.0.2.9"})
        token = token_in((await relay.wait_for(1))[0], "confirm")
        await service.browser.post(f"/confirm/{token}", headers={"x-forwarded-for": "192.0.2.9"})
        evidence = [line.evidence for line in (await show_person(app, ADMIN, ROSA)).consents]

    assert evidence == ([{"client": "192.0.2.9"}] * 2 if kept else [{}, {}])


async def test_nothing_that_a_requester_wrote_stands_in_a_letter(app: App, relay: FakeRelay) -> None:
    await open_list(app)
    marks = {f"mark{number}" for number in range(12)}
    mark = iter(sorted(marks))
    mail = EmailMessage()
    mail["From"] = f'"Buy {next(mark)}" <{ROSA}>'
    mail["To"] = f"{next(mark)} <appeals-join@{DOMAIN}>"
    mail["Message-ID"] = f"<{next(mark)} not one>"
    for field in ("Subject", "Reply-To", "Sender", "References", "X-Mailer", "Content-Language"):
        mail[field] = f"{next(mark)} https://buy.example"
    mail.set_content(f"join {next(mark)} https://buy.example")

    await receive_raw_mail(app, mail.as_bytes(), "appeals-join")
    await receive_raw_mail(app, mail.as_bytes().replace(b"rosa@", b"bea@"), "appeals-request", sender="bea@example.org")
    async with running_service(app) as service:
        form = {name: f"{next(mark)} https://buy.example" for name in ("name", "language")}
        await service.browser.post("/join/appeals", data=form | {"email": MALLORY, "more": "mark0"})
        await relay.wait_for(3)

    assert sorted(recipients(relay)) == ["bea@example.org", MALLORY, ROSA]
    for letter in relay.letters:
        assert not re.search(rb"mark\d|buy\.example", letter.content), letter.content


async def test_a_second_database_thread_sees_the_same_counters(database_url: str, app: App) -> None:
    """Two processes that share a ledger share the limits."""
    await open_list(app)
    other = Database(database_url)

    first = await app.database.write(may_send_auto_reply, app, Address(ROSA), authenticated=False)
    second = await other.write(may_send_auto_reply, app, Address(ROSA), authenticated=False)
    await other.close()

    assert (first, second) == (True, False)
