"""Robots that answer robots: nothing goes round, whatever they make of our letters."""

from __future__ import annotations

import asyncio
import smtplib
from email.message import EmailMessage

from mailer.app import App
from tests.support.app_helpers import (
    ADA,
    DOMAIN,
    EMMA,
    ROSA,
    import_rows,
    launch_campaign,
    open_list,
    parse_letter,
    receive_person_mail,
    recipients,
    send_campaigns,
)
from tests.support.fake_relay import FakeRelay
from tests.support.fake_relay_session import ReceivedLetter
from tests.support.running_service import running_service


def vacation(letter: ReceivedLetter, to: str) -> bytes:
    """What Rosa's vacation program answers to a letter."""
    answer = EmailMessage()
    answer["From"], answer["To"] = ROSA, to
    answer["Subject"] = f"Out of office: {parse_letter(letter)['Subject']}"
    answer["In-Reply-To"] = parse_letter(letter)["Message-ID"]
    answer["Auto-Submitted"] = "auto-replied (vacation)"
    answer.set_content("I am away until the harvest is in.")
    return answer.as_bytes()


async def handed_in(port: int, mail: bytes, sender: str, to: str) -> int:
    """The code of our mail door's last word on it."""

    def hand_in() -> int:
        with smtplib.SMTP("127.0.0.1", port, timeout=10) as client:
            try:
                client.sendmail(sender, [to], mail)
            except smtplib.SMTPResponseException as refusal:
                return refusal.smtp_code
        return 250

    return await asyncio.to_thread(hand_in)


async def test_two_lists_on_one_another_and_a_vacation_program_settle_within_two_letters(
    app: App, relay: FakeRelay
) -> None:
    await open_list(app)
    await open_list(app, "news")
    await import_rows(app, f"news@{DOMAIN},,en", f"{ROSA},Rosa,en")
    await import_rows(app, f"appeals@{DOMAIN},,en", list_name="news")
    said: dict[str, int] = {}

    async with running_service(app) as service:
        door = service.ports.intake_port
        await launch_campaign(app)
        app.wakeups.notify_all()
        for letter in list(await relay.wait_for(2)):
            if letter.recipient == ROSA:
                reply_to = parse_letter(letter)["Reply-To"]
                said["to the return path"] = await handed_in(door, vacation(letter, letter.sender), "", letter.sender)
                said["to Reply-To"] = await handed_in(door, vacation(letter, reply_to), ROSA, reply_to)
            else:
                said["to the other list"] = await handed_in(door, letter.content, letter.sender, letter.recipient)
        # Emma's comes last: once she is asked, all before it was acted on.
        await handed_in(door, f"From: {EMMA}\r\n\r\n".encode(), EMMA, f"appeals-join@{DOMAIN}")
        await relay.wait_for(3)

    assert said == {"to the return path": 250, "to Reply-To": 250, "to the other list": 554}
    assert sorted(recipients(relay)) == sorted([f"news@{DOMAIN}", ROSA, EMMA])


async def test_a_list_cannot_be_made_to_ask_another_list(app: App, relay: FakeRelay) -> None:
    await open_list(app)
    await open_list(app, "news")

    for to in ("appeals-join", "appeals-help", "appeals-leave"):
        await receive_person_mail(app, to, sender=f"news@{DOMAIN}", authenticated=True)

    assert relay.letters == []


async def test_a_vacation_program_that_does_not_say_so_reaches_the_owner_and_is_not_answered(
    app: App, relay: FakeRelay
) -> None:
    await open_list(app)
    await import_rows(app, f"{ROSA},Rosa,en")
    await launch_campaign(app)
    await send_campaigns(app)
    letter = relay.letters[0]

    await receive_person_mail(
        app, parse_letter(letter)["Reply-To"].partition("@")[0], body="I am away.", Subject="Re: Come"
    )

    assert recipients(relay) == [ROSA, ADA]
    assert parse_letter(relay.letters[1])["Auto-Submitted"] == "auto-generated"


async def test_every_notice_says_that_no_robot_should_answer_it_and_comes_from_a_path_that_answers_nothing(
    app: App, relay: FakeRelay
) -> None:
    await open_list(app)

    await receive_person_mail(app, "appeals-join")
    await receive_person_mail(app, relay.letters[0].sender.partition("@")[0], body="no!", Subject="unsubscribe")

    assert recipients(relay) == [ROSA]
    asked = parse_letter(relay.letters[0])
    assert (asked["Auto-Submitted"], asked["X-Auto-Response-Suppress"]) == ("auto-replied", "All")
    assert relay.letters[0].sender.startswith("bounce+")
