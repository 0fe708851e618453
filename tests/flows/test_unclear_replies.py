"""What people and machines write in answer to a letter that asks, where it is neither a yes nor a no; and banners."""

from __future__ import annotations

from mailer.actions.subscriptions.show_person import show_person
from mailer.app import App
from tests.support.app_helpers import (
    ADA,
    ADMIN,
    BEA,
    DOMAIN,
    EMMA,
    ROSA,
    Clock,
    import_rows,
    launch_campaign,
    open_list,
    parse_letter,
    receive_person_mail,
    receive_raw_mail,
    recipients,
    send_campaigns,
    text_of,
    token_in,
)
from tests.support.fake_relay import FakeRelay
from tests.support.reply_texts import AUTOMATIC

BANNER = (
    "<html><body><table><tr><td>CAUTION: This mail came from outside of the company. Open no links unless you know the "
    "sender.</td></tr></table><p>Please take me off this list.</p></body></html>"
)


async def state_of(app: App, address: str) -> str | None:
    return (await show_person(app, ADMIN, address)).subscriptions.get("appeals")


def answer_to(relay: FakeRelay, reader: str = ROSA) -> str:
    """Where an answer to a reader's last letter goes."""
    letter = [one for one in relay.letters if one.recipient == reader][-1]
    return parse_letter(letter)["Reply-To"].partition("@")[0]


def reply(to: str, text: str, *fields: str, kind: str = "plain", sender: str = ROSA) -> bytes:
    head = (f"From: {sender}", f"To: {to}@{DOMAIN}", *fields, f"Content-Type: text/{kind}; charset=utf-8")
    return "\r\n".join((*head, "", text)).encode()


async def test_machines_that_do_not_mark_their_mail_confirm_nothing_and_get_one_letter(
    app: App, relay: FakeRelay
) -> None:
    await open_list(app)
    await receive_person_mail(app, "appeals-join")
    confirm = answer_to(relay)

    for text in AUTOMATIC[::9]:
        await receive_raw_mail(app, reply(confirm, text, "Subject: Please confirm: Open Appeals"), confirm)
    for field in ("Subject: Ik ben afwezig", "Subject: [Ticket#4711] Please confirm: Open Appeals"):
        await receive_raw_mail(app, reply(confirm, "", field), confirm)

    assert await state_of(app, ROSA) == "pending"
    assert recipients(relay).count(ROSA) == 2
    assert set(recipients(relay)) == {ROSA, ADA}


async def test_a_question_reaches_the_owner_and_is_answered_with_the_way_to_confirm(
    app: App, relay: FakeRelay, clock: Clock
) -> None:
    await open_list(app)
    await receive_person_mail(app, "appeals-join", authenticated=True)

    await receive_person_mail(app, answer_to(relay), body="What is this? Who are you?", Subject="Re: Please confirm")
    await receive_person_mail(app, answer_to(relay), body="Hello? Who is there?", Subject="Re: Please confirm")
    asked_once = recipients(relay)
    clock.advance(days=2)
    await receive_person_mail(app, "appeals-join", authenticated=True, body="once more")
    await receive_person_mail(app, answer_to(relay), body="And who is this?", Subject="Re: Please confirm")
    letter = [one for one in relay.letters if one.recipient == ROSA][-1]
    said = text_of(letter)
    await receive_person_mail(app, answer_to(relay), body="ok, sign me up", Subject="Re: Please confirm")

    assert sorted(asked_once) == sorted([ROSA, ADA, ROSA, ADA])
    assert recipients(relay).count(ADA) == 3
    assert "“yes”" in said
    assert token_in(letter, "confirm")
    assert "who is this" not in said.lower()
    assert await state_of(app, ROSA) == "confirmed"


async def test_a_marked_robot_is_neither_answered_nor_confirms(app: App, relay: FakeRelay) -> None:
    await open_list(app)
    await receive_person_mail(app, "appeals-join")

    for fields in (("Auto-Submitted: auto-replied",), ("Precedence: bulk", "Subject: yes")):
        await receive_raw_mail(app, reply(answer_to(relay), "I am away.", *fields), answer_to(relay))

    assert (recipients(relay), await state_of(app, ROSA)) == ([ROSA], "pending")


async def test_no_letter_goes_to_who_is_on_the_list_already_or_said_no(app: App, relay: FakeRelay) -> None:
    await open_list(app)
    for sender, answer in ((ROSA, "yes"), (EMMA, "no")):
        await receive_person_mail(app, "appeals-join", sender=sender)
        await receive_person_mail(app, answer_to(relay, sender), sender=sender, body=answer)
    before = len(relay.letters)

    for sender in (ROSA, EMMA):
        to = next(one for one in relay.letters if one.recipient == sender)
        await receive_person_mail(
            app, parse_letter(to)["Reply-To"].partition("@")[0], sender=sender, body="When is it?"
        )

    assert [letter.recipient for letter in relay.letters[before:]] == [ADA, ADA]
    assert [await state_of(app, one) for one in (ROSA, EMMA)] == ["confirmed", "unsubscribed"]


EMPTY = (
    ("\r\n\r\n> Reply to join.\r\n", "Subject: Re: Please confirm", "plain"),
    (f"Sent from my iPhone\r\n\r\n> On 3 May, <appeals@{DOMAIN}> wrote:\r\n> Reply.", "Subject: RE: x", "plain"),
    (f"\r\n-----Original Message-----\r\nFrom: appeals@{DOMAIN}\r\nSent: Friday\r\nReply.", "Subject: WG: x", "plain"),
    (f"<div><br></div><div id=divRplyFwdMsg>From: appeals@{DOMAIN}</div>", "Subject: AW: x", "html"),
    ("<p>&nbsp;</p><blockquote>Reply to join.</blockquote>", "Subject: Ynt: x", "html"),
    ("", "Subject: SV: Please confirm", "plain"),
    ("", "Subject: yes", "plain"),
    ("", "X-Mailer: none", "plain"),
)
"""Replies that hold no word of their own: text, field, kind."""
NOT_EMPTY = (
    ("-----Original Message-----\r\nFrom: Helpdesk\r\nSent: Friday\r\nYour ticket", "Subject: Re: x", "plain"),
    ("-- \r\nI am away until Monday.", "Subject: Re: x", "plain"),
    ("CAUTION: External email.", "Subject: Re: x", "plain"),
    ("%PDF", "Subject: Re: x", "calendar"),
    ("", "Subject: Jag \u00e4r borta", "plain"),
)
"""Mails whose words are not the person's, but which are no empty reply."""


async def test_only_an_empty_reply_agrees_without_a_word(app: App, relay: FakeRelay) -> None:
    await open_list(app)
    ends = []
    for number, (text, field, kind) in enumerate(EMPTY + NOT_EMPTY):
        reader = f"reader{number}@example{number}.org"
        await receive_person_mail(app, "appeals-join", sender=reader)
        to = answer_to(relay, reader)
        await receive_raw_mail(app, reply(to, text, field, kind=kind, sender=reader), to, reader)
        ends.append(await state_of(app, reader))

    assert ends == ["confirmed"] * len(EMPTY) + ["pending"] * len(NOT_EMPTY)


async def test_an_unclear_answer_to_whether_to_leave_changes_nothing_and_reaches_the_owner(
    app: App, relay: FakeRelay
) -> None:
    await open_list(app)
    await import_rows(app, f"{ROSA},Rosa,en", f"{EMMA},Emma,en")
    for reader in (ROSA, EMMA):
        await receive_person_mail(app, "appeals-leave", sender=reader)

    await receive_person_mail(app, answer_to(relay, ROSA), body="Jag är på semester till den 12 augusti.")
    await receive_person_mail(
        app, answer_to(relay, ROSA), body="Leave me on it, please: who asked?", Subject="Re: leave"
    )
    unclear = recipients(relay)[2:], await state_of(app, ROSA)
    await receive_person_mail(app, answer_to(relay, ROSA), body="Yes, please remove me", Subject="Re: leave")
    await receive_person_mail(app, answer_to(relay, EMMA), body="No, that was not me", sender=EMMA, Subject="Re: leave")

    assert unclear == ([ADA, ADA], "confirmed")
    assert [await state_of(app, one) for one in (ROSA, EMMA)] == ["unsubscribed", "confirmed"]


async def test_words_under_a_gateways_banner_are_heard(app: App, relay: FakeRelay) -> None:
    await open_list(app)
    await import_rows(app, *(f"{one},Reader,en" for one in (ROSA, EMMA, BEA)))
    await launch_campaign(app)
    await send_campaigns(app)
    to = {one: answer_to(relay, one) for one in (ROSA, EMMA, BEA)}
    warned = "ACHTUNG: Diese E-Mail kommt von extern. Klicken Sie auf keine Links.\r\n\r\n"

    await receive_raw_mail(app, reply(to[ROSA], BANNER, "Subject: [EXTERNAL] RE: Short news", kind="html"), to[ROSA])
    await receive_raw_mail(app, reply(to[EMMA], warned + "Bitte keine Mails mehr", sender=EMMA), to[EMMA], EMMA)
    await receive_raw_mail(app, reply(to[BEA], warned + "Please don't stop sending these!", sender=BEA), to[BEA], BEA)
    await receive_raw_mail(app, reply(to[BEA], f"Please remove {ROSA} from your list", sender=BEA), to[BEA], BEA)

    assert [await state_of(app, one) for one in (ROSA, EMMA, BEA)] == ["unsubscribed", "unsubscribed", "confirmed"]
    assert recipients(relay).count(ADA) == 2


async def test_a_readers_own_address_may_be_named_from_another_of_theirs(app: App, relay: FakeRelay) -> None:
    await open_list(app)
    await import_rows(app, f"{ROSA},Rosa,en")
    await launch_campaign(app)
    await send_campaigns(app)

    await receive_person_mail(
        app, answer_to(relay), sender="rosa@work.example", body=f"Please remove {ROSA} from your list."
    )

    assert await state_of(app, ROSA) == "unsubscribed"
