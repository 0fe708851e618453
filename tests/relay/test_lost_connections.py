"""Connections that break: the outcome of the letter, and the state of the connection."""

from __future__ import annotations

import asyncio
from functools import partial

import pytest

from mailer.domain.delivery import Concern, RelayOutcome, Verdict
from mailer.errors import RelayUnavailable
from mailer.relay.smtp_connection import RelayConnection
from mailer.relay.smtp_protocol import SmtpProtocol
from mailer.relay.smtp_transaction import ServerExtensions
from tests.support.relay_helpers import CONTENT, EMMA, ROSA, RecordingTransport, connected, letter_to, relay_at


@pytest.mark.parametrize("stage", ["mail", "rcpt", "data"])
async def test_a_connection_lost_before_the_content_does_not_count_as_a_try(fake, connection, stage):
    fake.drops(stage)

    outcome = await connection.send(letter_to(ROSA))

    assert (outcome.verdict, outcome.code, outcome.by_relay) == (Verdict.UNTRIED, None, True)
    assert "closed the connection" in outcome.reply
    assert not connection.usable
    assert fake.letters == []


async def test_a_connection_lost_after_the_content_leaves_the_outcome_unknown(fake, connection):
    fake.drops("dot")

    outcome = await connection.send(letter_to(ROSA))

    assert outcome == RelayOutcome(Verdict.UNKNOWN, None, "the relay closed the connection")
    assert not connection.usable
    assert [(letter.recipient, letter.reply) for letter in fake.letters] == [(ROSA, None)]


async def test_content_written_just_before_the_connection_broke_may_have_arrived(fake):
    line = RecordingTransport()
    wire = SmtpProtocol(line)
    connection = RelayConnection(relay_at(fake), wire, ServerExtensions(pipelining=True))
    sending = asyncio.create_task(connection.send(letter_to(ROSA)))
    await asyncio.sleep(0)

    wire.data_received(b"250 fine\r\n250 fine\r\n354 go ahead\r\n")
    wire.eof_received()

    assert await sending == RelayOutcome(Verdict.UNKNOWN, None, "the relay closed the connection")
    assert line.written.endswith(b"DATA\r\n" + CONTENT + b".\r\n")


async def test_an_answer_that_came_before_the_content_was_given_is_no_answer_to_it(fake):
    wire = SmtpProtocol(RecordingTransport())
    connection = RelayConnection(relay_at(fake), wire, ServerExtensions(pipelining=True))
    sending = asyncio.create_task(connection.send(letter_to(ROSA)))
    await asyncio.sleep(0)

    wire.data_received(b"250 fine\r\n250 fine\r\n354 go ahead\r\n250 2.0.0 taken\r\n")

    assert await sending == RelayOutcome(Verdict.UNKNOWN, None, "the relay broke off: 250 2.0.0 taken")


async def test_a_relay_that_goes_down_right_after_the_go_ahead_did_not_take_the_letter(fake):
    wire = SmtpProtocol(RecordingTransport())
    connection = RelayConnection(relay_at(fake), wire, ServerExtensions(pipelining=True))
    sending = asyncio.create_task(connection.send(letter_to(ROSA)))
    await asyncio.sleep(0)

    wire.data_received(b"250 fine\r\n250 fine\r\n354 go ahead\r\n421 4.3.2 going down\r\n")

    assert await sending == RelayOutcome(Verdict.DEFERRED, 421, "4.3.2 going down", Concern.THROTTLE)
    assert not connection.usable


async def test_a_refusal_received_before_the_connection_was_lost_counts(connection, fake):
    fake.answers("rcpt", "550 5.1.1 no such person")
    fake.drops("data")

    outcome = await connection.send(letter_to(EMMA))

    assert outcome == RelayOutcome(Verdict.REFUSED, 550, "5.1.1 no such person")


@pytest.mark.parametrize("stage", ["mail", "rcpt", "data", "dot"])
async def test_a_relay_that_closes_with_421_takes_nothing_even_after_the_content(fake, connection, stage):
    fake.answers(stage, "421 4.3.2 going down")

    outcome = await connection.send(letter_to(ROSA))

    verdict = Verdict.UNTRIED if stage == "mail" else Verdict.DEFERRED
    assert outcome == RelayOutcome(verdict, 421, "4.3.2 going down", Concern.THROTTLE, by_relay=stage == "mail")
    assert not connection.usable
    assert fake.letters == []


async def test_a_letter_accepted_just_before_the_connection_breaks_is_accepted(fake, connection):
    fake.drops("answered")

    outcome = await connection.send(letter_to(ROSA))

    assert outcome.verdict is Verdict.ACCEPTED


async def test_a_connection_closed_between_letters_takes_no_letter_and_no_try(fake, connection):
    await connection.send(letter_to(ROSA))
    lines = len(fake.commands)
    await fake.break_connections()
    await connection.wait_closed()

    with pytest.raises(RelayUnavailable, match=f"127.0.0.1:{fake.port} was lost: the relay closed the connection"):
        await connection.send(letter_to(EMMA))

    assert len(fake.commands) == lines
    assert len(fake.letters) == 1


async def test_an_unexpected_421_between_letters_ends_the_connection(fake, connection):
    fake.answers("answered", "421 4.4.2 idle for too long")
    await connection.send(letter_to(ROSA))
    await connection.wait_closed()

    with pytest.raises(RelayUnavailable, match=r"421 4.4.2 idle for too long"):
        await connection.send(letter_to(EMMA))


async def test_an_unexpected_reply_is_never_taken_for_the_next_letters_reply(fake, connection):
    fake.answers("answered", "250 2.0.0 taken once more")
    await connection.send(letter_to(ROSA))
    await connection.wait_closed()

    with pytest.raises(RelayUnavailable, match=r"250 2.0.0 taken once more"):
        await connection.send(letter_to(EMMA))


@pytest.mark.parametrize("stage", ["mail", "rcpt", "data"])
async def test_a_relay_silent_before_the_content_was_not_tried(fake, stage):
    fake.holds(stage)

    async with connected(fake, timeout_s=0.1) as connection:
        outcome = await connection.send(letter_to(ROSA))

    said = "the relay did not answer within 0.1 s"
    assert outcome == RelayOutcome(Verdict.UNTRIED, None, said, Concern.THROTTLE, by_relay=True)
    assert not connection.usable


async def test_a_relay_silent_after_the_content_leaves_the_outcome_unknown(fake):
    fake.holds("dot")

    async with connected(fake, content_timeout_s=0.1) as connection:
        outcome = await connection.send(letter_to(ROSA))

    assert outcome == RelayOutcome(Verdict.UNKNOWN, None, "the relay did not answer within 0.1 s")
    assert not connection.usable


async def test_a_slow_relay_is_waited_for(fake, connection):
    hold = fake.holds("dot")
    sending = asyncio.create_task(connection.send(letter_to(ROSA)))
    await hold.reached.wait()

    hold.released.set()

    assert (await sending).verdict is Verdict.ACCEPTED


async def test_the_patience_for_one_letter_is_not_spent_on_the_next(fake):
    async with connected(fake, content_timeout_s=0.1) as connection:
        await connection.send(letter_to(ROSA))
        hold = fake.holds("data")
        sending = asyncio.create_task(connection.send(letter_to(EMMA)))
        await hold.reached.wait()

        asyncio.get_running_loop().call_later(0.15, hold.released.set)

        assert (await sending).verdict is Verdict.ACCEPTED


@pytest.mark.parametrize("stage", ["mail", "rcpt", "data", "dot"])
async def test_cancelling_a_letter_closes_the_connection(fake, connection, stage):
    hold = fake.holds(stage)
    sending = asyncio.create_task(connection.send(letter_to(ROSA)))
    await hold.reached.wait()

    sending.cancel()

    with pytest.raises(asyncio.CancelledError):
        await sending
    assert not connection.usable


async def test_a_connection_sends_one_letter_at_a_time(fake, connection):
    hold = fake.holds("dot")
    sending = asyncio.create_task(connection.send(letter_to(ROSA)))
    await hold.reached.wait()

    with pytest.raises(RuntimeError, match="busy"):
        await connection.send(letter_to(EMMA))

    hold.released.set()
    assert (await sending).verdict is Verdict.ACCEPTED


async def test_closing_says_goodbye_and_may_be_done_twice(fake, connection):
    await connection.close()
    await connection.close()

    assert [line for _, line in fake.commands].count("QUIT") == 1
    assert not connection.usable


async def test_closing_cuts_off_a_letter_on_its_way(fake, connection):
    hold = fake.holds("dot")
    sending = asyncio.create_task(connection.send(letter_to(ROSA)))
    await hold.reached.wait()

    await connection.close()

    assert await sending == RelayOutcome(Verdict.UNKNOWN, None, "we hung up")


@pytest.mark.parametrize("farewell", ["silence", "a broken line", "no"])
async def test_closing_never_fails_whatever_the_relay_does(fake, farewell):
    {"silence": fake.holds, "a broken line": fake.drops, "no": partial(fake.answers, reply="500 no")}[farewell]("quit")

    async with connected(fake, timeout_s=0.1) as connection:
        pass

    assert not connection.usable


async def test_a_relay_that_comes_back_is_used_again(fake, connection):
    fake.stop_listening()
    await fake.break_connections()
    await connection.wait_closed()

    await fake.listen()

    async with connected(fake) as another:
        assert (await another.send(letter_to(ROSA))).verdict is Verdict.ACCEPTED
    assert relay_at(fake) == connection.relay
