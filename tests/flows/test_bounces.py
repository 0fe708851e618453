"""Bounces and complaints that come by mail: what they stop, and how a person is restored."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from mailer.actions.campaigns.report import campaign_status, feedback_summary
from mailer.actions.inbound.receive import is_known_recipient
from mailer.actions.inbound.record_bounce import record_feedback
from mailer.actions.lists.edit_list import set_list
from mailer.actions.subscriptions.confirm import confirm
from mailer.actions.subscriptions.restore_person import restore_person
from mailer.actions.subscriptions.show_person import show_person
from mailer.actions.subscriptions.unsubscribe import unsubscribe
from mailer.app import App
from mailer.cli.campaign_progress_bar import print_totals
from mailer.domain.bounce import FeedbackKind
from mailer.domain.delivery import DeliveryState
from mailer.domain.delivery_feedback import DeliveryFeedback
from mailer.domain.person_view import SuppressionView
from mailer.domain.suppression import SuppressionReason
from mailer.domain.token import Purpose, sign_token
from tests.support.app_helpers import (
    ADA,
    ADMIN,
    APPEAL,
    BEA,
    DOMAIN,
    EMMA,
    LINK_EVIDENCE,
    ROSA,
    Clock,
    import_rows,
    launch_campaign,
    open_list,
    receive_person_mail,
    receive_raw_mail,
    recipients,
    send_campaigns,
    text_of,
    token_in,
)
from tests.support.bounce_mails import BLOCKED, FULL, UNKNOWN, bounce, complaint
from tests.support.fake_relay import FakeRelay
from tests.support.fake_relay_session import ReceivedLetter

SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
PEOPLE = (f"{ROSA},Rosa,en", f"{EMMA},Emma,en")
EVERYWHERE = (SuppressionView(list_name="every list", reason=SuppressionReason.BOUNCED),)


async def letter_to(app: App, relay: FakeRelay, reader: str = ROSA, list_name: str = "appeals") -> ReceivedLetter:
    """A campaign goes out; what one reader got."""
    before = len(relay.letters)
    await launch_campaign(app, list_name, **{"appeal.md": APPEAL.replace("2027-03-05", "2027-09-03")})
    await send_campaigns(app)
    return next(letter for letter in relay.letters[before:] if letter.recipient == reader)


async def came_back(app: App, letter: ReceivedLetter, said: str = UNKNOWN, action: str = "failed") -> None:
    """A bounce comes to the letter's return path."""
    await receive_raw_mail(app, bounce(letter.recipient, said, action), letter.sender.partition("@")[0], sender="")


async def known(app: App, reader: str = ROSA) -> dict[str, Any]:
    return await show_person(app, ADMIN, reader)


async def test_a_hard_bounce_stops_all_lists_letters_until_the_owner_restores_the_person(
    app: App, relay: FakeRelay
) -> None:
    await open_list(app)
    await open_list(app, "walks")
    await import_rows(app, *PEOPLE)
    await import_rows(app, PEOPLE[0], list_name="walks")
    letter = await letter_to(app, relay)

    await came_back(app, letter)
    await came_back(app, letter)

    person = await known(app)
    assert person.suppressions == EVERYWHERE
    assert not person.never
    assert person.subscriptions == {"appeals": "unsubscribed", "walks": "confirmed"}
    assert [(line.severity, line.reason, line.undone) for line in person.bounces] == [("hard", "unknown_user", False)]
    assert [line.act for line in person.consents] == ["imported", "imported", "bounced"]
    assert (await campaign_status(app, ADMIN, await launch_campaign(app))).counts == {DeliveryState.QUEUED: 1}
    assert (await campaign_status(app, ADMIN, await launch_campaign(app, "walks"))).counts == {}

    restored = await restore_person(app, ADMIN, ROSA, list_name="appeals")
    await restore_person(app, ADMIN, ROSA, list_name="appeals")

    person = await known(app)
    assert restored.lifted == ("every list",)
    assert person.subscriptions == {"appeals": "confirmed", "walks": "confirmed"}
    assert person.suppressions == ()
    assert person.bounces[0].undone
    assert [line.act for line in person.consents].count("restored") == 1
    await came_back(app, letter)
    assert (await known(app)).suppressions == (), "the same bounce told once more counts no more than before"


@SQLITE
async def test_waiting_letters_to_a_mailbox_that_is_gone_are_not_sent(app: App, relay: FakeRelay) -> None:
    await open_list(app)
    await import_rows(app, *PEOPLE)
    letter = await letter_to(app, relay)
    second = await launch_campaign(app)

    await came_back(app, letter)
    await send_campaigns(app)

    assert (await campaign_status(app, ADMIN, second)).counts == {
        DeliveryState.SUPPRESSED: 1,
        DeliveryState.ACCEPTED: 1,
    }


@SQLITE
@pytest.mark.parametrize(("said", "action"), [(BLOCKED, "failed"), ("450 4.2.0 busy, still trying", "delayed")])
async def test_sender_side_bounces_and_delays_are_recorded_and_change_nothing(
    app: App, relay: FakeRelay, said: str, action: str
) -> None:
    await open_list(app)
    await import_rows(app, *PEOPLE)

    await came_back(app, await letter_to(app, relay), said, action)

    person = await known(app)
    assert person.suppressions == ()
    assert person.subscriptions == {"appeals": "confirmed"}
    assert len(person.bounces) == 1


async def test_soft_bounces_lead_to_a_probe_and_the_probes_bounce_stops_the_list(
    app: App, relay: FakeRelay, clock: Clock
) -> None:
    await open_list(app)
    await import_rows(app, *PEOPLE)
    for _ in range(3):
        await came_back(app, await letter_to(app, relay), FULL)
        assert (await known(app)).suppressions == ()

    probe = relay.letters[-1]
    assert probe.recipient == ROSA
    assert "List-Unsubscribe: <https://lists.example.org/leave/" in probe.content.decode().replace(":\r\n ", ": ")
    assert "there is nothing you need to do" in " ".join(text_of(probe).split())
    clock.advance(days=1)
    await came_back(app, probe, FULL)

    assert (await known(app)).suppressions == (SuppressionView(list_name="appeals", reason=SuppressionReason.BOUNCED),)
    assert recipients(relay).count(ROSA) == 4


@SQLITE
async def test_two_soft_bounces_after_a_delivered_probe_stop_the_list(app: App, relay: FakeRelay, clock: Clock) -> None:
    await open_list(app)
    await import_rows(app, *PEOPLE)
    for _ in range(3):
        await came_back(app, await letter_to(app, relay), FULL)
    clock.advance(days=3)

    await came_back(app, await letter_to(app, relay), FULL)
    once = (await known(app)).suppressions
    await came_back(app, await letter_to(app, relay), FULL)

    assert once == ()
    assert (await known(app)).suppressions == (SuppressionView(list_name="appeals", reason=SuppressionReason.BOUNCED),)


@SQLITE
async def test_a_bounced_confirmation_letter_ends_the_request_and_suppresses_nobody(app: App, relay: FakeRelay) -> None:
    await open_list(app)
    await receive_person_mail(app, "appeals-join", ROSA)

    await came_back(app, relay.letters[-1])

    person = await known(app)
    assert person.subscriptions == {"appeals": "unsubscribed"}
    assert person.suppressions == ()


@pytest.mark.parametrize(
    ("to", "keep"),
    [("abuse", "all"), ("postmaster", "return-path"), ("cfbl", "cfbl-feedback-id")],
)
async def test_a_complaint_stops_the_lists_letters_at_once_and_no_other_lists(
    app: App, relay: FakeRelay, to: str, keep: str
) -> None:
    await open_list(app)
    await import_rows(app, *PEOPLE)
    letter = await letter_to(app, relay)
    if keep == "return-path":
        letter = replace(letter, content=f"Return-Path: <{letter.sender}>\r\n".encode() + letter.content)
    sent = len(relay.letters)

    for _ in range(2):
        await receive_raw_mail(app, complaint(letter, keep=keep), to, sender="fbl@example.net")

    person = await known(app)
    assert person.suppressions == (SuppressionView(list_name="appeals", reason=SuppressionReason.COMPLAINED),)
    assert person.subscriptions == {"appeals": "unsubscribed"}
    assert [line.act for line in person.consents] == ["imported", "complained"]
    assert len(relay.letters) == sent
    assert (await known(app, EMMA)).suppressions == ()


@SQLITE
@pytest.mark.parametrize(
    ("to", "keep", "carried"),
    [("abuse", "none", 1), ("cfbl", "none", 0), ("abuse", "message-id", 1), ("cfbl", "message-id", 1)],
)
async def test_a_complaint_without_our_token_changes_nothing(
    app: App, relay: FakeRelay, to: str, keep: str, carried: int
) -> None:
    await open_list(app)
    await import_rows(app, *PEOPLE)
    letter = await letter_to(app, relay)
    sent = len(relay.letters)

    await receive_raw_mail(app, complaint(letter, keep=keep), to, sender="mallory@example.net")

    assert (await known(app)).suppressions == ()
    assert len(relay.letters) == sent + carried


@SQLITE
async def test_a_not_spam_report_changes_nothing(app: App, relay: FakeRelay) -> None:
    await open_list(app)
    await import_rows(app, *PEOPLE)
    letter = await letter_to(app, relay)

    await receive_raw_mail(app, complaint(letter, "not-spam"), "cfbl", sender="fbl@example.net")

    person = await known(app)
    assert (person.suppressions, person.bounces) == ((), ())


@SQLITE
async def test_a_join_request_after_a_complaint_gets_no_letter_until_restored(app: App, relay: FakeRelay) -> None:
    await open_list(app)
    await import_rows(app, *PEOPLE)
    letter = await letter_to(app, relay)
    await receive_raw_mail(app, complaint(letter), "cfbl", sender="fbl@example.net")
    sent = len(relay.letters)

    await receive_person_mail(app, "appeals-join", ROSA)
    assert len(relay.letters) == sent

    await restore_person(app, ADMIN, ROSA, list_name="appeals")
    await unsubscribe(app, sign_token(app.site.keyring, Purpose.LEAVE, 1), LINK_EVIDENCE)
    await receive_person_mail(app, "appeals-join", ROSA)
    await confirm(app, token_in(relay.letters[-1], "confirm"), LINK_EVIDENCE)
    assert (await known(app)).suppressions == ()
    assert (await known(app)).subscriptions == {"appeals": "confirmed"}


@SQLITE
async def test_restoring_after_a_bounce_resubscribes_nobody_who_unsubscribed(app: App, relay: FakeRelay) -> None:
    await open_list(app)
    await import_rows(app, *PEOPLE)
    letter = await letter_to(app, relay)
    await unsubscribe(app, sign_token(app.site.keyring, Purpose.LEAVE, 1), LINK_EVIDENCE)
    await came_back(app, letter)

    await restore_person(app, ADMIN, ROSA, list_name="appeals")

    person = await known(app)
    assert person.subscriptions == {"appeals": "unsubscribed"}
    assert person.suppressions == (SuppressionView(list_name="appeals", reason=SuppressionReason.LEFT),)


@SQLITE
async def test_a_forged_return_path_is_refused_at_rcpt_to(app: App, relay: FakeRelay) -> None:
    await open_list(app)
    await import_rows(app, *PEOPLE)
    letter = await letter_to(app, relay)
    genuine = letter.sender.partition("@")[0].partition("+")[2]
    forged = genuine[:-1] + ("a" if genuine[-1] != "a" else "q")

    doors = [f"bounce+{forged}", "bounce", f"cfbl+{forged}", f"bounce+{genuine}", "cfbl", f"cfbl+{genuine}"]

    assert [await is_known_recipient(app, f"{door}@{DOMAIN}") for door in doors] == [
        False,
        False,
        False,
        True,
        True,
        True,
    ]
    await receive_raw_mail(app, bounce(ROSA), f"bounce+{forged}", sender="")
    assert (await known(app)).bounces == ()


@SQLITE
async def test_a_bounce_of_a_mail_forwarded_to_the_owner_changes_nothing(app: App, relay: FakeRelay) -> None:
    await open_list(app)
    await receive_person_mail(app, "appeals-owner", ROSA, "Who are you?")
    assert recipients(relay) == [ADA]

    await came_back(app, relay.letters[0])

    assert recipients(relay) == [ADA]


@pytest.mark.parametrize("with_message_id", [True, False])
async def test_a_provider_event_is_matched_by_its_recipient(
    app: App, relay: FakeRelay, clock: Clock, with_message_id: bool
) -> None:
    await open_list(app)
    await import_rows(app, *PEOPLE)
    first = await letter_to(app, relay)
    clock.advance(days=1)
    await letter_to(app, relay)
    message_id = f"<{first.content.partition(b'Message-ID: <')[2].partition(b'>')[0].decode()}>"

    def results(address: str, message_id: str | None) -> DeliveryFeedback:
        return DeliveryFeedback(
            delivery_id=None,
            address=address,
            kind=FeedbackKind.COMPLAINT,
            bounce=None,
            complaint="abuse",
            channel="mailgun",
            message_id=message_id,
            at=clock(),
        )

    strangers = [results(BEA, message_id), results(EMMA, message_id), results("nobody", None)]
    found = await record_feedback(
        app, [*strangers, results(ROSA.upper(), message_id.strip("<>") if with_message_id else None)]
    )

    assert found == 1
    assert [line.campaign_id for line in (await known(app)).bounces] == [1 if with_message_id else 2]
    assert (await known(app, EMMA)).suppressions == ()


async def test_with_hard_after_2_the_second_hard_bounce_in_a_row_stops_and_a_delivered_letter_ends_the_row(
    app: App, relay: FakeRelay, clock: Clock
) -> None:
    await open_list(app)
    await set_list(app, ADMIN, "appeals", hard_after=2)
    await import_rows(app, *PEOPLE)
    results = []
    for arrives in (False, True, False, False):
        letter = await letter_to(app, relay)
        if not arrives:
            await came_back(app, letter)
        results.append((await known(app)).suppressions)
        clock.advance(days=6)

    assert results == [(), (), (), EVERYWHERE]


@SQLITE
async def test_a_campaigns_report_has_the_bounces_by_severity_reason_and_provider(
    app: App, relay: FakeRelay, capsys: pytest.CaptureFixture[str]
) -> None:
    await open_list(app)
    await import_rows(app, *PEOPLE, "lucy@example.net,,", f"{BEA},Bea,")
    await launch_campaign(app)
    await send_campaigns(app)
    letters = {letter.recipient: letter for letter in relay.letters}
    await came_back(app, letters[ROSA])
    await came_back(app, letters["lucy@example.net"], BLOCKED)
    await came_back(app, letters[EMMA], FULL, "delayed")
    await came_back(app, letters[EMMA], FULL)
    await receive_raw_mail(app, complaint(letters[BEA]), "cfbl", sender="fbl@example.net")
    await unsubscribe(app, sign_token(app.site.keyring, Purpose.LEAVE, 2), LINK_EVIDENCE)

    summary = await feedback_summary(app, ADMIN, 1)
    await print_totals(app, ADMIN, 1, as_json=False)
    shown = capsys.readouterr().out
    await print_totals(app, ADMIN, 1, as_json=True)

    assert summary.bounces == {"hard": {"unknown_user": 1}, "soft": {"full": 1}, "sender-side": {"blocked": 1}}
    assert (summary.delays, summary.complaints, summary.unsubscribes) == (1, 1, 1)
    assert summary.providers == {
        "example.org": {"hard": 1, "soft": 1, "complaints": 1},
        "example.net": {"sender-side": 1},
    }
    assert "bounces, hard: 1 (1 unknown_user)" in shown
    assert "complaints: 1" in shown
    assert '"unsubscribes": 1' in capsys.readouterr().out
