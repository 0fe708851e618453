"""Replies to each step of a letter, with and without pipelining, and the outcomes they give."""

from __future__ import annotations

import pytest

from mailer.domain.delivery import Concern, RelayOutcome, Verdict
from tests.support.relay_helpers import CONTENT, EMMA, ROSA, SENDER, letter_to


def put_off(stage: str, code: int, words: str) -> RelayOutcome:
    """Asked about the sender, a relay that wants to wait says nothing of the letter, which was not tried."""
    verdict = Verdict.UNTRIED if stage == "mail" else Verdict.DEFERRED
    return RelayOutcome(verdict, code, words, Concern.THROTTLE, by_relay=stage == "mail")


async def test_a_letter_the_relay_takes_is_accepted_and_arrives_as_it_was(fake, connection):
    outcome = await connection.send(letter_to(ROSA))

    assert outcome == RelayOutcome(Verdict.ACCEPTED, 250, "2.0.0 taken")
    [letter] = fake.letters
    assert (letter.sender, letter.recipient, letter.content) == (SENDER, ROSA, CONTENT)


async def test_many_letters_go_over_one_connection_in_order(fake, connection):
    recipients = [f"reader{number}@example.org" for number in range(20)]

    outcomes = [await connection.send(letter_to(recipient)) for recipient in recipients]

    assert {outcome.verdict for outcome in outcomes} == {Verdict.ACCEPTED}
    assert [letter.recipient for letter in fake.letters] == recipients
    assert fake.connections == 1


@pytest.mark.parametrize("stage", ["mail", "rcpt", "data", "dot"])
async def test_a_temporary_refusal_at_any_step_defers_the_letter(fake, connection, stage):
    fake.answers(stage, "451 4.3.0 come back later", nth=1)

    outcome = await connection.send(letter_to(EMMA))

    assert outcome == put_off(stage, 451, "4.3.0 come back later")
    assert fake.letters == []


@pytest.mark.parametrize("stage", ["rcpt", "data", "dot"])
async def test_a_lasting_refusal_of_the_person_or_the_letter_refuses_it(fake, connection, stage):
    fake.answers(stage, "550 5.1.1 no such person", address=EMMA)

    outcome = await connection.send(letter_to(EMMA))

    assert outcome == RelayOutcome(Verdict.REFUSED, 550, "5.1.1 no such person")
    assert fake.letters == []


async def test_a_lasting_refusal_of_our_sender_only_defers_for_it_is_not_the_persons_fault(fake, connection):
    fake.answers("mail", "553 5.1.8 sender not known", nth=1)

    outcome = await connection.send(letter_to(ROSA))

    assert outcome == RelayOutcome(Verdict.DEFERRED, 553, "5.1.8 sender not known", Concern.SENDER, by_relay=True)


@pytest.mark.parametrize("stage", ["mail", "rcpt", "data", "dot"])
@pytest.mark.parametrize("code", [421, 450, 451, 454])
async def test_a_throttling_reply_is_about_our_rate(fake, connection, stage, code):
    fake.answers(stage, f"{code} 4.7.0 slower")

    outcome = await connection.send(letter_to(ROSA))

    assert outcome == put_off(stage, code, "4.7.0 slower")


@pytest.mark.parametrize("stage", ["rcpt", "data", "dot"])
@pytest.mark.parametrize(
    "reply",
    [
        "554 5.7.1 Relay access denied",
        "550 5.7.1 Client host blocked using a list we trust",
        "550-5.7.26 this mail has not passed\r\n550 5.7.26 any check of ours",
        "530 5.7.0 who are you?",
    ],
)
async def test_a_lasting_refusal_of_us_only_defers_for_it_is_not_the_persons_fault(fake, connection, stage, reply):
    fake.answers(stage, reply)

    outcome = await connection.send(letter_to(ROSA))

    assert (outcome.verdict, outcome.concern) == (Verdict.DEFERRED, Concern.SENDER)
    assert connection.usable


async def test_a_relay_that_forgot_our_login_half_way_speaks_of_us(fake, connection):
    await connection.send(letter_to(ROSA))
    fake.answers("mail", "530 5.7.0 log in first")

    outcome = await connection.send(letter_to(EMMA))

    assert outcome == RelayOutcome(Verdict.DEFERRED, 530, "5.7.0 log in first", Concern.SENDER, by_relay=True)


async def test_a_full_mailbox_or_a_relay_short_of_room_concerns_the_letter_only(fake, connection):
    fake.answers("rcpt", "452 4.2.2 mailbox full", address=EMMA)

    outcome = await connection.send(letter_to(EMMA))

    assert outcome == RelayOutcome(Verdict.DEFERRED, 452, "4.2.2 mailbox full", Concern.LETTER)


@pytest.mark.parametrize("reply", ["552 too big", "500 5.2.3 too long", "554 5.3.4 message exceeds the limit"])
async def test_a_letter_too_large_is_refused_already_with_its_sender(fake, connection, reply):
    fake.answers("mail", reply)

    outcome = await connection.send(letter_to(ROSA))

    assert (outcome.verdict, outcome.concern) == (Verdict.REFUSED, Concern.LETTER)


async def test_a_quota_of_ours_that_is_used_up_is_not_the_letters_fault(fake, connection):
    fake.answers("mail", "552 5.7.0 quota of sender exceeded", nth=1)
    fake.answers("rcpt", "550 5.7.0 daily sending quota exceeded")

    outcomes = [await connection.send(letter_to(ROSA)) for _ in range(2)]

    assert [(one.verdict, one.concern) for one in outcomes] == [(Verdict.DEFERRED, Concern.SENDER)] * 2


@pytest.mark.parametrize("stage", ["mail", "rcpt", "data", "dot"])
@pytest.mark.parametrize("reply", ["451 4.3.0 later", "550 5.7.1 no"])
async def test_after_a_refusal_the_next_letter_goes_out_on_the_same_connection(fake, connection, stage, reply):
    fake.answers(stage, reply, nth=1)

    refused = await connection.send(letter_to(EMMA))
    accepted = await connection.send(letter_to(ROSA))

    assert (refused.code, accepted.verdict) == (int(reply[:3]), Verdict.ACCEPTED)
    assert connection.usable
    assert [letter.recipient for letter in fake.letters] == [ROSA]


@pytest.mark.parametrize("stage", ["rcpt", "data"])
async def test_a_transaction_left_open_is_reset_before_the_next_letter(fake, connection, stage):
    fake.answers(stage, "550 5.7.1 no", nth=1)

    await connection.send(letter_to(EMMA))
    await connection.send(letter_to(ROSA))
    await connection.send(letter_to(ROSA))

    assert [line for _, line in fake.commands].count("RSET") == 1


@pytest.mark.parametrize("stage", ["mail", "dot"])
async def test_no_reset_is_sent_where_the_refusal_ended_the_transaction(fake, connection, stage):
    fake.answers(stage, "550 5.7.1 no", nth=1)

    await connection.send(letter_to(EMMA))
    await connection.send(letter_to(ROSA))

    assert "RSET" not in [line for _, line in fake.commands]


async def test_a_relay_that_wants_content_for_nobody_gets_a_lone_dot_and_never_the_letter(fake, connection):
    fake.answers("rcpt", "550 5.1.1 no such person", address=EMMA)
    fake.answers("data", "354 go ahead", nth=1)

    refused = await connection.send(letter_to(EMMA))
    accepted = await connection.send(letter_to(ROSA))

    assert refused == RelayOutcome(Verdict.REFUSED, 550, "5.1.1 no such person")
    assert accepted.verdict is Verdict.ACCEPTED
    assert [letter.recipient for letter in fake.letters] == [ROSA]
    lone_dot = ("dot", "", "554 5.5.1 nobody to send it to")
    assert (lone_dot in fake.refused) is fake.pipelining
    assert ("RSET" in [line for _, line in fake.commands]) is not fake.pipelining


async def test_a_relay_that_will_not_reset_is_left(fake, connection):
    fake.answers("rcpt", "550 5.1.1 no such person", address=EMMA)
    fake.answers("rset", "502 5.5.1 what is that")

    await connection.send(letter_to(EMMA))
    outcome = await connection.send(letter_to(ROSA))

    assert outcome == RelayOutcome(Verdict.UNTRIED, 502, "5.5.1 what is that", Concern.THROTTLE, by_relay=True)
    assert connection.is_exhausted
    assert not connection.usable


async def test_a_reply_of_many_lines_is_kept_on_one_without_controls_and_cut(fake, connection):
    fake.answers("rcpt", "550-5.1.1 no\x1b[31m such\tperson\r\n550-5.1.1 really\u202e\r\n550 " + "x" * 600)

    outcome = await connection.send(letter_to(EMMA))

    assert outcome.reply.startswith("5.1.1 no [31m such person 5.1.1 really xxx")
    assert len(outcome.reply) == 500


@pytest.mark.parametrize(("stage", "reply"), [("mail", "354 eh"), ("rcpt", "354 eh"), ("data", "250 eh")])
async def test_an_answer_that_is_none_defers_the_letter_and_leaves_the_relay(fake, connection, stage, reply):
    fake.answers(stage, reply)

    outcome = await connection.send(letter_to(ROSA))

    assert (outcome.verdict, outcome.code) == (Verdict.DEFERRED, int(reply[:3]))
    assert not connection.usable
    assert fake.letters == []


async def test_an_unexpected_reply_to_the_content_leaves_the_outcome_unknown(fake, connection):
    fake.answers("dot", "354 more, please")

    outcome = await connection.send(letter_to(ROSA))

    assert outcome.verdict is Verdict.UNKNOWN
    assert not connection.usable


async def test_the_size_is_declared(fake, connection):
    await connection.send(letter_to(ROSA))

    assert f"MAIL FROM:<{SENDER}> SIZE={len(CONTENT)}" in [line for _, line in fake.commands]
