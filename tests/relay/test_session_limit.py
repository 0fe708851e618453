"""SessionLimit: replies that say a connection took enough letters, and what is learnt from them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailer.domain.delivery import Concern, Verdict
from mailer.relay.reconnecting_connection import ReconnectingConnection
from mailer.relay.session_limit import PROBE_INTERVAL_S, SessionLimit, is_connection_limit, is_session_limit
from mailer.relay.smtp_protocol import Reply
from tests.support.fake_relay import FakeRelay
from tests.support.relay_helpers import ROSA, letter_to, relay_at

ENOUGH = (
    (421, "4.7.0 Try again later, closing connection."),
    (421, "idle"),
    (450, "4.7.1 Error: too many messages per connection"),
    (451, "4.7.0 too many e-mails in this session"),
    (452, "4.3.1 Insufficient system storage"),
    (452, "4.5.3 Too many messages in one session"),
    (550, "Max messages per session reached"),
    (554, "5.7.0 Maximum number of messages for this connection reached"),
    (550, "5.5.3 session message limit exceeded"),
    (451, "only 20 recipients are allowed per connection"),
    (554, "mails per session limit"),
)
NOT_OF_THE_CONNECTION = (
    (450, "4.7.1 too much mail from you, slow down"),
    (451, "4.3.0 come back later"),
    (550, "5.7.1 message rejected: the connecting host is on a list"),
    (550, "5.1.8 sender domain not found"),
    (554, "5.7.1 Client host blocked"),
    (454, "4.7.0 Temporary authentication failure"),
)
CROWDED = (
    (421, "4.3.2 too many connections"),
    (421, "4.7.0 busy"),
    (450, "4.7.1 come later"),
    (554, "5.7.0 Too many concurrent SMTP connections from your address"),
    (550, "maximum number of simultaneous sessions reached"),
    (554, "5.7.1 connection limit exceeded"),
)
NOT_CROWDED = ((554, "5.7.1 you are not welcome"), (550, "5.5.0 not with that name"), (535, "5.7.8 wrong password"))


@pytest.mark.parametrize(("code", "text"), ENOUGH)
def test_what_relays_say_to_the_sender_when_a_connection_has_brought_enough(code: int, text: str) -> None:
    assert is_session_limit(Reply(code, text), to_sender=True, to_recipient=False)


@pytest.mark.parametrize(("code", "text"), NOT_OF_THE_CONNECTION)
def test_replies_about_the_sender_or_the_rate_are_not_about_the_connection(code: int, text: str) -> None:
    assert not is_session_limit(Reply(code, text), to_sender=True, to_recipient=False)


@pytest.mark.parametrize(
    ("code", "text", "enough"),
    [
        (452, "4.5.3 Too many recipients", True),
        (452, "too many recipients received this session", True),
        (452, "4.2.2 mailbox full", False),
        (452, "4.3.1 Insufficient system storage", False),
        (550, "5.1.1 no such user", False),
        (421, "4.7.0 closing", True),
    ],
)
def test_to_a_recipient_it_is_mostly_about_the_recipient(code: int, text: str, enough: bool) -> None:
    assert is_session_limit(Reply(code, text), to_sender=False, to_recipient=True) is enough


def test_too_many_connections_and_a_refused_sender_are_told_apart() -> None:
    assert [text for code, text in CROWDED if not is_connection_limit(code, text)] == []
    assert [text for code, text in NOT_CROWDED if is_connection_limit(code, text)] == []


@given(st.integers(1, 50), st.lists(st.integers(0, 60), max_size=20))
def test_the_least_that_was_learnt_bounds_and_never_more_than_the_settings_say(given_: int, ended: list[int]) -> None:
    limit, unbounded = SessionLimit(given_), SessionLimit()
    for letters in ended:
        limit.record_session_end(letters)
        unbounded.record_session_end(letters)
    learnt = [letters for letters in ended if letters]

    assert limit.max_letters() == min([given_, *learnt])
    assert unbounded.max_letters() == min(learnt, default=None)  # type: ignore[type-var]
    assert limit.max_letters(probing=True) == given_


def test_now_and_then_one_connection_tries_for_more_and_much_more_is_believed() -> None:
    now = [0.0]
    limit = SessionLimit(clock=lambda: now[0])
    at_first = limit.starts_probe()
    limit.record_session_end(4)
    soon = limit.starts_probe()
    now[0] += PROBE_INTERVAL_S
    later, another = limit.starts_probe(), limit.starts_probe()
    limit.record_probe(12)
    still = limit.max_letters()
    limit.record_probe(41)

    assert (at_first, soon, later, another) == (False, False, True, False)
    assert (still, limit.max_letters()) == (4, None)


async def test_a_letter_goes_over_a_new_connection_at_once_and_the_next_ones_hang_up_before(fake: FakeRelay) -> None:
    fake.end_sessions(lambda _: 2)
    line = ReconnectingConnection(relay_at(fake))

    outcomes = [await line.send(letter_to(ROSA)) for _ in range(7)]
    await line.close()

    assert {outcome.verdict for outcome in outcomes} == {Verdict.ACCEPTED}
    assert [letter.connection for letter in fake.letters] == [1, 1, 2, 2, 3, 3, 4]
    assert [reply for _, _, reply in fake.refused] == ["421 4.7.0 enough"]
    assert [connection for connection, line in fake.commands if line == "QUIT"] == [2, 3, 4]


async def test_what_is_said_on_a_new_connection_too_was_not_about_the_old_one(fake: FakeRelay) -> None:
    line = ReconnectingConnection(relay_at(fake))
    await line.send(letter_to(ROSA))
    fake.answers("mail", "421 4.7.0 not now")

    outcome = await line.send(letter_to(ROSA))
    fake.forget_orders()
    after = [await line.send(letter_to(ROSA)) for _ in range(3)]
    await line.close()

    assert (outcome.verdict, outcome.concern) == (Verdict.UNTRIED, Concern.THROTTLE)
    assert {one.verdict for one in after} == {Verdict.ACCEPTED}
    assert fake.connections == 3
