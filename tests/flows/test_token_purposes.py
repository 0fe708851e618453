"""One purpose for each token: what one address's token does, another's cannot, nor on another list."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from mailer.actions.inbound.receive import is_known_recipient
from mailer.actions.subscriptions.show_person import show_person
from mailer.app import App
from mailer.domain.delivery import Kind, Notice
from mailer.domain.token import Purpose, read_token, sign_token
from mailer.store import subscriptions
from mailer.store.queue import deliveries
from tests.support.app_helpers import (
    ADA,
    ADMIN,
    BEA,
    DOMAIN,
    EMMA,
    MALLORY,
    ROSA,
    import_rows,
    launch_campaign,
    open_list,
    parse_letter,
    receive_person_mail,
    receive_raw_mail,
    send_campaigns,
)
from tests.support.fake_relay import FakeRelay

VACATION = "I am on holiday until Monday."
MACHINES = (
    {"Auto_Submitted": "auto-generated"},
    {"Auto_Submitted": "auto-replied", "Subject": "unsubscribe"},
    {"Precedence": "bulk", "Subject": "unsubscribe"},
)
"""What mail programs write to the address in List-Unsubscribe."""


async def state_of(app: App, address: str, list_name: str = "appeals") -> str | None:
    return (await show_person(app, ADMIN, address)).subscriptions.get(list_name)


def reply_to(relay: FakeRelay) -> str:
    """Where an answer to the last letter goes."""
    return parse_letter(relay.letters[-1])["Reply-To"].partition("@")[0]


def way_out(relay: FakeRelay) -> str:
    """The address in List-Unsubscribe of the last letter."""
    found = re.search(r"<mailto:([^@]+)@", parse_letter(relay.letters[-1])["List-Unsubscribe"])
    assert found
    return found[1]


async def newsletter(app: App, relay: FakeRelay) -> str:
    """Rosa's way out of a letter she got."""
    await open_list(app)
    await import_rows(app, f"{ROSA},Rosa,en")
    await launch_campaign(app)
    await send_campaigns(app)
    return way_out(relay)


@pytest.mark.parametrize(
    "fields",
    [
        {"Auto_Submitted": "auto-replied", "Subject": "Automatic reply: Do you want to leave Open Appeals?"},
        {"Precedence": "bulk"},
        {"X_Autoreply": "yes"},
        {"Subject": "Out of office: Do you want to leave Open Appeals?"},
    ],
)
async def test_no_vacation_program_takes_its_person_off_but_her_mail_program_does(
    app: App, relay: FakeRelay, fields: dict[str, str]
) -> None:
    out = await newsletter(app, relay)
    await receive_person_mail(app, "appeals-leave")
    question = reply_to(relay)

    await receive_person_mail(
        app, question, body=VACATION, In_Reply_To=parse_letter(relay.letters[-1])["Message-ID"], **fields
    )
    await receive_person_mail(app, question, body="", **fields)
    stayed = await state_of(app, ROSA)
    await receive_person_mail(app, out, **fields)

    assert question != out
    assert (stayed, await state_of(app, ROSA)) == ("confirmed", "unsubscribed")


async def test_what_answers_the_question_without_a_mark_and_without_an_answer_goes_to_people(
    app: App, relay: FakeRelay
) -> None:
    await newsletter(app, relay)
    await receive_person_mail(app, "appeals-leave")
    question = reply_to(relay)
    unmarked = (
        VACATION,
        "Ticket 4711 has been opened. We will be back to you within two days.",
        "Ik ben afwezig tot 4 maart en lees mijn mail niet.",
        "Bea is no longer with us. Please write to office@example.org instead.",
        "To prove that you are no robot, open https://example.org/allow",
    )

    for body in unmarked:
        await receive_person_mail(app, question, body=body, Subject="Re: Do you want to leave Open Appeals?")
    stayed = await state_of(app, ROSA)
    await receive_person_mail(app, question, body="yes\n\n> Do you want to leave?", Subject="Re: Do you want to leave?")

    assert (stayed, await state_of(app, ROSA)) == ("confirmed", "unsubscribed")
    assert [letter.recipient for letter in relay.letters[2:]] == [ADA] * len(unmarked)


@pytest.mark.parametrize("machine", MACHINES)
async def test_the_way_out_of_a_letter_is_obeyed_whoever_sends_it(
    app: App, relay: FakeRelay, machine: dict[str, str]
) -> None:
    out = await newsletter(app, relay)

    await receive_person_mail(app, out, sender="robot@provider.example.net", **machine)

    assert await state_of(app, ROSA) == "unsubscribed"


@pytest.mark.parametrize(
    ("fields", "body", "after"),
    [
        ({"Auto_Submitted": "auto-replied"}, VACATION, "confirmed"),
        ({"Subject": "Automatic reply: Do you want to leave?"}, "", "confirmed"),
        ({"In_Reply_To": "<x@lists.example.org>"}, "no", "confirmed"),
        ({}, "No, that was not me!", "confirmed"),
        ({"In_Reply_To": "<x@lists.example.org>"}, "", "unsubscribed"),
        ({"Subject": "unsubscribe"}, "", "unsubscribed"),
    ],
)
async def test_an_answer_to_a_question_of_the_version_before_counts_as_an_answer(
    app: App, relay: FakeRelay, fields: dict[str, str], body: str, after: str
) -> None:
    out = await newsletter(app, relay)

    def asked_by_the_version_before(tx) -> None:
        rosa = subscriptions.get(tx, 1)
        question = Notice(
            kind=Kind.CONFIRM_LEAVING,
            address=ROSA,
            suppression_key=rosa.suppression_key,
            language="en",
            mailing_list_id=1,
        )
        deliveries.add_notice(tx, replace(question, subscription_id=rosa.id), app.clock())

    await app.database.write(asked_by_the_version_before)
    await receive_person_mail(app, out, body=body, **fields)

    assert await state_of(app, ROSA) == after


async def test_the_letter_that_asks_holds_nothing_that_its_requester_wrote(app: App, relay: FakeRelay) -> None:
    await open_list(app)
    await import_rows(app, f"{ROSA},Rosa,en")
    spam = {"Subject": "BUYNOW", "References": "<BUYNOW@example.com>", "Keywords": "BUYNOW"}

    for to in ("appeals-leave", "appeals-join", "appeals-help", "appeals-request"):
        for sender in (f'"BUYNOW" <{ROSA}>', f'"BUYNOW" <{EMMA}>', f"BUYNOW <{BEA}>", f"BUYNOW <m@{to}.example>"):
            raw = f"From: {sender}\r\nTo: {to}@{DOMAIN}\r\nMessage-ID: <BUYNOW.{to}@example.com>\r\n"
            raw += "".join(f"{name}: {value}\r\n" for name, value in spam.items()) + "\r\nBUYNOW\r\n"
            await receive_raw_mail(app, raw.encode(), to, sender=MALLORY)

    assert len(relay.letters) >= 4
    for letter in relay.letters:
        assert b"BUYNOW" not in letter.content
        assert parse_letter(letter)["In-Reply-To"] is None


async def test_a_token_does_only_what_it_was_made_for_and_on_its_own_list(app: App, relay: FakeRelay) -> None:
    for name in ("appeals", "news"):
        await open_list(app, name)
        await import_rows(app, f"{ROSA},Rosa,en", list_name=name)
    keyring = app.site.keyring
    tokens = {purpose: sign_token(keyring, purpose, 1) for purpose in Purpose}
    takes = {
        "appeals-confirm": {Purpose.CONFIRM},
        "appeals-leave": {Purpose.LEAVE, Purpose.LEAVE_REPLY},
        "appeals-unsubscribe": {Purpose.LEAVE, Purpose.LEAVE_REPLY},
        "appeals-reply": {Purpose.REPLY},
        "bounce": {Purpose.RETURN_PATH},
        "cfbl": {Purpose.RETURN_PATH, Purpose.COMPLAINT},
        "news-confirm": set(),
        "news-leave": set(),
        "news-reply": set(),
    }

    known = {
        local: {
            purpose for purpose, token in tokens.items() if await is_known_recipient(app, f"{local}+{token}@{DOMAIN}")
        }
        for local in takes
    }
    # Not by a mail either that came where nobody asked the door.
    for local in ("news-confirm", "news-leave", "news-reply"):
        for token in tokens.values():
            await receive_person_mail(app, f"{local}+{token}", body="unsubscribe")

    assert known == takes
    assert [await state_of(app, ROSA, name) for name in ("appeals", "news")] == ["confirmed", "confirmed"]
    assert relay.letters == []
    assert len(set(tokens.values())) == len(Purpose)


async def test_what_stands_in_every_letter_speaks_of_complaints_and_of_no_bounce(app: App, relay: FakeRelay) -> None:
    await newsletter(app, relay)
    shown = parse_letter(relay.letters[-1])["CFBL-Feedback-ID"]

    assert read_token(app.site.keyring, Purpose.COMPLAINT, shown) == 1
    assert not await is_known_recipient(app, f"bounce+{shown}@{DOMAIN}")
    assert await is_known_recipient(app, f"cfbl+{shown}@{DOMAIN}")
