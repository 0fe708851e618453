"""Joining by mail: asked, confirmed by a person's reply, welcomed; robots never."""

from __future__ import annotations

from email.message import EmailMessage

import pytest

from mailer.actions.inbound.receive import is_known_recipient
from mailer.actions.subscriptions.show_person import show_person
from mailer.app import App
from mailer.domain.token import Purpose, sign_token
from mailer.errors import NotFound
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
    parse_letter,
    receive_person_mail,
    receive_raw_mail,
    recipients,
    text_of,
    token_in,
)
from tests.support.fake_relay import FakeRelay


async def state_of(app: App, address: str, list_name: str = "appeals") -> str | None:
    try:
        return (await show_person(app, ADMIN, address)).subscriptions.get(list_name)
    except NotFound:
        return None


def confirm_address(relay: FakeRelay) -> str:
    return parse_letter(relay.letters[-1])["Reply-To"].partition("@")[0]


@pytest.mark.parametrize(
    ("to", "fields", "body"),
    [
        ("appeals-join", {}, ""),
        ("Appeals-Subscribe", {}, "anything at all"),
        ("appeals-request", {"Subject": "subscribe"}, ""),
        ("appeals-request", {"Subject": "Re: hello"}, "join\n-- \nRosa"),
    ],
)
async def test_rosa_asks_by_mail_replies_and_is_welcomed_with_her_own_way_out(
    app: App, relay: FakeRelay, to: str, fields: dict[str, str], body: str
) -> None:
    await open_list(app)

    await receive_person_mail(app, to, body=body, **fields)
    pending = await state_of(app, ROSA)
    await receive_person_mail(
        app, confirm_address(relay), body="Yes please\n\n> no, this is only the quote", Subject="Re: confirm"
    )

    assert pending == "pending"
    assert await state_of(app, ROSA) == "confirmed"
    assert recipients(relay) == [ROSA, ROSA]
    assert token_in(relay.letters[1], "leave")
    acts = [(line.act, line.channel) for line in (await show_person(app, ADMIN, ROSA)).consents]
    assert acts == [("asked", "mail"), ("confirmed", "mail")]


async def test_the_confirmation_can_be_declined_by_reply(app: App, relay: FakeRelay) -> None:
    await open_list(app)
    await receive_person_mail(app, "appeals-join")

    await receive_person_mail(app, confirm_address(relay), body="No, that was not me.\n\n> Please confirm")

    assert await state_of(app, ROSA) == "unsubscribed"
    assert len(relay.letters) == 1
    await receive_person_mail(app, confirm_address(relay), body="Yes after all")
    assert await state_of(app, ROSA) == "unsubscribed"


@pytest.mark.parametrize(
    "mark",
    [
        {"Auto-Submitted": "auto-replied"},
        {"Precedence": "bulk"},
        {"Precedence": "junk"},
        {"List-Id": "<other.example.org>"},
        {"Content-Type": "multipart/report; report-type=delivery-status; boundary=x"},
    ],
)
async def test_no_robot_joins_confirms_or_is_answered(app: App, relay: FakeRelay, mark: dict[str, str]) -> None:
    await open_list(app)
    await receive_person_mail(app, "appeals-join", sender=EMMA)
    confirm = confirm_address(relay)
    automatic = EmailMessage()
    automatic["From"] = EMMA
    for name, value in mark.items():
        automatic[name] = value
    raw = automatic.as_bytes() + b"yes\r\n"

    for to in ("appeals-join", "appeals-request", "appeals-help", "appeals-leave", confirm):
        await receive_raw_mail(app, raw, to, sender=EMMA)
    await receive_raw_mail(app, b"From: rosa@example.org\r\n\r\nyes\r\n", "appeals-join", sender="")

    assert len(relay.letters) == 1
    assert await state_of(app, EMMA) == "pending"
    assert await state_of(app, ROSA) is None


async def test_asking_again_sends_one_confirmation_a_day(app: App, relay: FakeRelay, clock: Clock) -> None:
    await open_list(app)

    for _ in range(3):
        await receive_person_mail(app, "appeals-join")
        clock.advance(hours=7)
    within_a_day = len(relay.letters)
    clock.advance(hours=7)
    await receive_person_mail(app, "appeals-join")

    assert (within_a_day, len(relay.letters)) == (1, 2)


async def test_one_mailbox_cannot_be_bombed_through_its_plus_tags(app: App, relay: FakeRelay) -> None:
    await open_list(app)

    for number in range(9):
        await receive_person_mail(app, "appeals-join", sender=f"rosa+{number}@example.org")

    assert len(relay.letters) == 1


async def test_what_a_stranger_says_of_a_person_touches_them_only_on_confirmation(app: App, relay: FakeRelay) -> None:
    await open_list(app)
    await receive_person_mail(app, "appeals-join-tr", sender='"Buy now" <rosa@example.org>')
    asked = relay.letters[0]

    await receive_person_mail(app, confirm_address(relay), body="evet")
    await receive_person_mail(app, "appeals-leave", body="")

    assert "Buy now" not in asked.content.decode()
    assert parse_letter(asked)["Subject"].startswith("Lütfen")
    assert parse_letter(relay.letters[-1])["Content-Language"] in {None, "tr"}
    assert "Open Appeals" in text_of(relay.letters[-1])


async def test_the_language_of_a_mail_is_answered_in(app: App, relay: FakeRelay) -> None:
    await open_list(app)

    await receive_person_mail(app, "appeals-join", Content_Language="de-AT")

    assert "Bitte" in parse_letter(relay.letters[0])["Subject"]


async def test_a_person_who_is_subscribed_is_told_so_and_a_stranger_learns_nothing(app: App, relay: FakeRelay) -> None:
    await open_list(app)
    await import_rows(app, f"{EMMA},Emma,en")

    await receive_person_mail(app, "appeals-join", sender=EMMA)
    await receive_person_mail(app, "appeals-join", sender=EMMA)

    assert recipients(relay) == [EMMA]
    assert "/confirm/" not in text_of(relay.letters[0])
    assert await state_of(app, EMMA) == "confirmed"


async def test_leaving_by_mail_is_answered_with_a_goodbye_and_the_way_back(app: App, relay: FakeRelay) -> None:
    await open_list(app)
    await import_rows(app, f"{ROSA},Rosa,en")

    await receive_person_mail(app, "appeals-unsubscribe", authenticated=True)
    await receive_person_mail(app, "appeals-leave", body="I am not on it any more", authenticated=True)

    assert await state_of(app, ROSA) == "unsubscribed"
    assert token_in(relay.letters[0], "rejoin")
    assert "appeals-join@" in text_of(relay.letters[1])


async def test_a_mail_program_may_leave_for_its_person_with_the_token_alone(app: App, relay: FakeRelay) -> None:
    await open_list(app)
    await import_rows(app, f"{ROSA},Rosa,en")
    token = sign_token(app.site.keyring, Purpose.LEAVE, 1)
    automatic = b"From: somewhere@example.net\r\nAuto-Submitted: auto-generated\r\n\r\n"

    await receive_raw_mail(app, automatic, f"appeals-leave+{token}", sender="somewhere@example.net")

    assert await state_of(app, ROSA) == "unsubscribed"
    assert relay.letters == []


async def test_help_is_sent_once_a_day_and_without_anything_the_asker_wrote(app: App, relay: FakeRelay) -> None:
    await open_list(app)

    await receive_person_mail(app, "appeals-help", body="BUY NOW", Subject="BUY NOW")
    await receive_person_mail(app, "appeals-request", body="what is this?")

    assert len(relay.letters) == 1
    assert "appeals-leave@" in text_of(relay.letters[0])
    assert b"BUY NOW" not in relay.letters[0].content
    assert parse_letter(relay.letters[0])["Auto-Submitted"] == "auto-replied"


@pytest.mark.parametrize(
    ("to", "owner"),
    [("appeals", ADA), ("appeals-owner", ADA), ("postmaster", "owner@example.net"), ("abuse", "owner@example.net")],
)
async def test_mail_to_people_reaches_the_owner_wrapped(app: App, relay: FakeRelay, to: str, owner: str) -> None:
    await open_list(app)

    await receive_person_mail(app, to, body="Is there a bus to the barn?", Subject="Eine Frage, für Ada")

    letter = parse_letter(relay.letters[0])
    attached = next(letter.iter_attachments())
    assert relay.letters[0].recipient == owner
    assert letter["From"].addresses[0].domain == DOMAIN
    assert letter["Reply-To"].addresses[0].addr_spec == ROSA
    assert attached.get_content_type() == "message/rfc822"
    assert "Is there a bus" in attached.get_content().get_content()


async def test_an_original_that_cannot_travel_as_it_is_is_attached_octet_for_octet(app: App, relay: FakeRelay) -> None:
    await open_list(app)
    raw = "From: rosa@example.org\nSubject: Grüße\n\nGrüße, ".encode("latin-1") + b"\x00" + b"x" * 3000

    await receive_raw_mail(app, raw, "appeals-owner")

    attached = next(parse_letter(relay.letters[0]).iter_attachments())
    assert attached.get_content_type() == "application/octet-stream"
    assert attached.get_content() == raw
    assert relay.letters[0].content.isascii()


async def test_the_owners_own_out_of_office_does_not_go_round(app: App, relay: FakeRelay) -> None:
    await open_list(app)
    absent = f"From: {ADA}\r\nAuto-Submitted: auto-replied\r\nSubject: away\r\n\r\nI am away\r\n".encode()

    await receive_raw_mail(app, absent, "appeals", sender=ADA)

    assert relay.letters == []


async def test_only_known_lists_and_genuine_tokens_are_recognised_at_the_door(app: App) -> None:
    await open_list(app)
    token = sign_token(app.site.keyring, Purpose.CONFIRM, 1)
    forged = token[:-4] + "aaaa"
    known = [
        *("appeals", "APPEALS-join", "appeals-join-tr", "appeals-help", "postmaster", "abuse", "Postmaster"),
        *(f"appeals-confirm+{token}", f"appeals-confirm+{token.upper()}"),
    ]
    unknown = [
        *("nobody", "nobody-join", "appeals-frobnicate", "appeals-confirm", "bounce", f"bounce+{token}"),
        *(f"appeals-confirm+{forged}", f"appeals-leave+{token}", f"nobody-confirm+{token}", ""),
    ]

    assert [local for local in known if not await is_known_recipient(app, f"{local}@{DOMAIN}")] == []
    assert [local for local in unknown if await is_known_recipient(app, f"{local}@{DOMAIN}")] == []


async def test_mallory_cannot_confirm_for_rosa_with_another_token(app: App, relay: FakeRelay) -> None:
    await open_list(app)
    await receive_person_mail(app, "appeals-join")
    leave = sign_token(app.site.keyring, Purpose.LEAVE, 1)

    await receive_person_mail(app, f"appeals-confirm+{leave}", sender=MALLORY, body="yes")

    assert await state_of(app, ROSA) == "pending"


async def test_acting_twice_on_one_mail_changes_nothing_twice(app: App, relay: FakeRelay) -> None:
    await open_list(app)
    raw = f"From: {ROSA}\r\nMessage-ID: <one@example.org>\r\n\r\nhello\r\n".encode()

    for to in ("appeals-join", "appeals-join"):
        await receive_raw_mail(app, raw, to)

    assert len(relay.letters) == 1


async def test_an_old_confirmation_is_answered_with_help_and_joins_nobody(
    app: App, relay: FakeRelay, clock: Clock
) -> None:
    await open_list(app)
    await receive_person_mail(app, "appeals-join")
    confirm = confirm_address(relay)
    clock.advance(days=15)

    await receive_person_mail(app, confirm, body="yes")

    assert await state_of(app, ROSA) == "pending"
    assert "appeals-join@" in text_of(relay.letters[-1])


async def test_rosa_may_leave_and_come_back_on_the_same_day(app: App, relay: FakeRelay) -> None:
    await open_list(app)
    await receive_person_mail(app, "appeals-join")
    await receive_person_mail(app, confirm_address(relay), body="yes")
    await receive_person_mail(app, "appeals-leave", authenticated=True)

    await receive_person_mail(app, "appeals-join", body="I changed my mind")
    await receive_person_mail(app, confirm_address(relay), body="yes, again")

    assert await state_of(app, ROSA) == "confirmed"
    assert len(relay.letters) == 5
