"""What people ask for in plain words, and who is believed."""

from __future__ import annotations

import pytest

from mailer.actions.subscriptions.show_person import show_person
from mailer.app import App
from tests.support.app_helpers import (
    ADA,
    ADMIN,
    BEA,
    EMMA,
    MALLORY,
    ROSA,
    Clock,
    import_rows,
    launch_campaign,
    open_list,
    parse_letter,
    receive_person_mail,
    recipients,
    send_campaigns,
    text_of,
    token_in,
)
from tests.support.fake_relay import FakeRelay


async def state_of(app: App, address: str, list_name: str = "appeals") -> str | None:
    return (await show_person(app, ADMIN, address)).subscriptions.get(list_name)


def answer_to(relay: FakeRelay) -> str:
    """Where an answer to the last letter goes."""
    return parse_letter(relay.letters[-1])["Reply-To"].partition("@")[0]


async def test_a_proven_senders_leave_acts_at_once_and_is_told(app: App, relay: FakeRelay) -> None:
    await open_list(app)
    await import_rows(app, f"{ROSA},Rosa,en")

    await receive_person_mail(app, "appeals-leave", authenticated=True)

    assert await state_of(app, ROSA) == "unsubscribed"
    assert token_in(relay.letters[0], "rejoin")


async def test_mallory_cannot_take_rosa_off_a_list_she_is_asked_first(app: App, relay: FakeRelay) -> None:
    await open_list(app)
    await import_rows(app, f"{ROSA},Rosa,en")

    await receive_person_mail(app, "appeals-leave")
    asked, before = answer_to(relay), await state_of(app, ROSA)
    await receive_person_mail(app, asked, body="no\n\n> Do you want to leave?")
    stayed = await state_of(app, ROSA)
    await receive_person_mail(app, asked, body="")

    assert (before, stayed, await state_of(app, ROSA)) == ("confirmed", "confirmed", "unsubscribed")
    assert recipients(relay) == [ROSA]


@pytest.mark.parametrize(
    ("said", "subject"),
    [("stop", "Re: Come to the harvest forum"), ("Please unsubscribe me\n\n-- \nRosa", "x"), ("", "unsubscribe")],
)
async def test_a_reply_with_stop_to_a_newsletter_ends_it(app: App, relay: FakeRelay, said: str, subject: str) -> None:
    await open_list(app)
    await import_rows(app, f"{ROSA},Rosa,en")
    await launch_campaign(app)
    await send_campaigns(app)

    # From another of her addresses: it is the address she answers that says who she is.
    await receive_person_mail(app, answer_to(relay), sender="rosa@work.example", body=said, Subject=subject)

    assert await state_of(app, ROSA) == "unsubscribed"
    assert recipients(relay) == [ROSA, ROSA]
    assert token_in(relay.letters[-1], "rejoin")


async def test_any_other_reply_reaches_the_owner_and_changes_nothing(app: App, relay: FakeRelay) -> None:
    await open_list(app)
    await import_rows(app, f"{ROSA},Rosa,en")
    await launch_campaign(app)
    await send_campaigns(app)

    await receive_person_mail(app, answer_to(relay), body="Stop by our stall if you come early!", Subject="Re: Come")

    assert await state_of(app, ROSA) == "confirmed"
    assert relay.letters[-1].recipient == ADA
    assert parse_letter(relay.letters[-1])["Reply-To"].addresses[0].addr_spec == ROSA


@pytest.mark.parametrize(
    ("word", "language", "subject_begins"),
    [("suscribir", "es", "Confirme"), ("abone ol", "tr", "Lütfen"), ("subscribe", "en", "Please")],
)
async def test_a_word_in_her_language_is_answered_in_it(
    app: App, relay: FakeRelay, word: str, language: str, subject_begins: str
) -> None:
    await open_list(app)

    await receive_person_mail(app, "appeals-request", Subject=word)

    assert parse_letter(relay.letters[0])["Subject"].startswith(subject_begins), language


async def test_language_is_changed_for_the_person_who_proves_to_be_one(app: App, relay: FakeRelay) -> None:
    await open_list(app)
    await import_rows(app, f"{ROSA},Rosa,en", f"{EMMA},Emma,en")

    await receive_person_mail(app, "appeals-request", Subject="language Türkçe", authenticated=True)
    await receive_person_mail(app, "appeals-request", sender=EMMA, Subject="language tr")

    assert "Türkçe" in text_of(relay.letters[0])
    assert relay.letters[0].recipient == ROSA
    assert parse_letter(relay.letters[1])["Subject"] == "How to use Open Appeals"


async def test_which_tells_her_own_lists_to_her_alone(app: App, relay: FakeRelay) -> None:
    await open_list(app)
    await open_list(app, "news")
    await import_rows(app, f"{ROSA},Rosa,en")
    await import_rows(app, f"{ROSA},Rosa,en", list_name="news")

    await receive_person_mail(app, "appeals-request", Subject="which")
    await receive_person_mail(app, "appeals-request", sender=BEA, Subject="which")

    assert recipients(relay) == [ROSA, BEA]
    text = " ".join(text_of(relay.letters[0]).split())
    assert all(f"{title}: https://" in text for title in ("Open Appeals", "Open News"))
    assert "There are none." in text_of(relay.letters[1])


@pytest.mark.parametrize("to", ["appeals+subscribe", "appeals-subscribe", "appeals"])
async def test_old_habits_work(app: App, relay: FakeRelay, to: str) -> None:
    await open_list(app)

    await receive_person_mail(app, to, body="subscribe")

    assert await state_of(app, ROSA) == "pending"


async def test_what_is_not_understood_gets_one_short_help_a_day(app: App, relay: FakeRelay, clock: Clock) -> None:
    await open_list(app)

    for _ in range(3):
        await receive_person_mail(app, "appeals-request", body="what on earth is this")
        clock.advance(hours=7)
    await receive_person_mail(app, "appeals-request", body="what on earth is this", authenticated=True)
    clock.advance(hours=4)
    await receive_person_mail(app, "appeals-request", body="what on earth is this")

    assert recipients(relay) == [ROSA, ROSA]


async def test_the_consent_record_says_how_we_know_who_wrote_and_no_ip_address(app: App, relay: FakeRelay) -> None:
    await open_list(app)

    await receive_person_mail(app, "appeals-join", authenticated=True)

    line = (await show_person(app, ADMIN, ROSA)).consents[0].evidence
    assert line["proof"]["by"] == "host"
    assert len(line["proof"]["header_sha256"]) == 64
    assert "127.0.0.1" not in repr(line)


async def test_never_in_answer_to_the_question_is_honoured_by_every_list(app: App, relay: FakeRelay) -> None:
    await open_list(app)
    await open_list(app, "news")
    await receive_person_mail(app, "appeals-join")

    await receive_person_mail(app, answer_to(relay), body="Never ask me again!")
    await receive_person_mail(app, "news-join", authenticated=True)
    await receive_person_mail(app, "news-help", sender="rosa+other@example.org")

    # She is not written to again; that she asks to join after all is for people to decide.
    assert recipients(relay) == [ROSA, ADA]


async def test_mallorys_robot_gets_nothing_out_of_us_and_the_owner_reads_her_mail(app: App, relay: FakeRelay) -> None:
    await open_list(app)
    await import_rows(app, f"{ROSA},Rosa,en")
    await launch_campaign(app)
    await send_campaigns(app)
    reply = answer_to(relay)

    for to in (reply, "appeals", "appeals-owner", "appeals-request", "appeals-help", "appeals-join", "appeals-leave"):
        await receive_person_mail(app, to, sender=MALLORY, body="stop", Subject="stop", Auto_Submitted="auto-replied")

    assert recipients(relay) == [ROSA, ADA]
    assert await state_of(app, ROSA) == "confirmed"
