"""ReconnectingConnection: opened for a letter, replaced after so many, and its errors are outcomes."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from mailer.domain.delivery import Concern, Verdict
from mailer.errors import RelayUnavailable
from mailer.relay.reconnecting_connection import ReconnectingConnection
from tests.support.fake_relay import FakeRelay
from tests.support.relay_helpers import EMMA, ROSA, letter_to, relay_at


@pytest.fixture
async def line(fake: FakeRelay) -> AsyncIterator[ReconnectingConnection]:
    line = ReconnectingConnection(relay_at(fake))
    yield line
    await line.close()


async def test_a_connection_is_replaced_after_so_many_letters(fake):
    line = ReconnectingConnection(relay_at(fake, letters_per_connection=2))

    outcomes = [await line.send(letter_to(ROSA)) for _ in range(5)]
    await line.close()

    assert {outcome.verdict for outcome in outcomes} == {Verdict.ACCEPTED}
    assert [letter.connection for letter in fake.letters] == [1, 1, 2, 2, 3]
    assert [connection for connection, line in fake.commands if line == "QUIT"] == [1, 2, 3]


async def test_refused_letters_count_too(fake):
    fake.answers("rcpt", "550 5.1.1 no such person", address=EMMA)
    line = ReconnectingConnection(relay_at(fake, letters_per_connection=2))

    for recipient in (EMMA, EMMA, ROSA):
        await line.send(letter_to(recipient))
    await line.close()

    assert [letter.connection for letter in fake.letters] == [2]


async def test_a_connection_opened_for_a_letter_is_the_one_that_sends_it(fake):
    line = ReconnectingConnection(relay_at(fake, letters_per_connection=1))

    for _ in range(3):
        await line.open()
        await line.send(letter_to(ROSA))
    await line.close()

    assert fake.connections == 3


async def test_without_a_limit_one_connection_sends_all_letters(fake, line):
    for _ in range(20):
        await line.send(letter_to(ROSA))

    assert fake.connections == 1


async def test_a_connection_that_the_relay_closed_meanwhile_is_opened_again(fake, line):
    connection = await line.open()
    await fake.break_connections()
    await connection.wait_closed()

    outcome = await line.send(letter_to(ROSA))

    assert outcome.verdict is Verdict.ACCEPTED
    assert fake.connections == 2


async def test_an_unreachable_relay_does_not_count_as_a_try(fake, line):
    fake.stop_listening()

    outcome = await line.send(letter_to(ROSA))

    assert (outcome.verdict, outcome.code, outcome.concern) == (Verdict.UNTRIED, None, Concern.LETTER)
    assert "cannot be reached" in outcome.reply


async def test_a_refused_connection_does_not_count_as_a_try_and_is_about_the_sender(fake, line):
    fake.answers("greeting", "554 5.7.1 not you")

    outcome = await line.send(letter_to(ROSA))

    assert (outcome.verdict, outcome.code, outcome.concern) == (Verdict.UNTRIED, None, Concern.SENDER)
    with pytest.raises(RelayUnavailable) as refusal:
        await line.open()
    assert refusal.value.refused


async def test_a_letter_that_smtp_cannot_carry_is_refused_and_the_connection_stays_usable(fake, line):
    refused = await line.send(letter_to(EMMA, b"a bare\nline end\r\n"))
    accepted = await line.send(letter_to(ROSA))

    assert (refused.verdict, refused.code) == (Verdict.REFUSED, None)
    assert accepted.verdict is Verdict.ACCEPTED
    assert fake.connections == 1
