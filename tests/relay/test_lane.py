"""A lane learns from replies: it slows down, closes, tries a single letter, and reopens."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailer.domain.delivery import Concern, Delivery, RelayOutcome
from mailer.relay.lane import SAME_REFUSALS, Lane
from tests.support.lane_samples import NOW, delivery, relay_outcome

NO = relay_outcome(550, "5.7.1 not authorized")
FINE = relay_outcome(250)
SLOWER = relay_outcome(421, "4.7.0 too fast", Concern.THROTTLE)
AGAINST_US = relay_outcome(550, "5.7.1 not authorized", Concern.SENDER)
HOUR = timedelta(hours=1)


def people(most: int = SAME_REFUSALS, first: int = 0, attempts: int = 0) -> list[Delivery]:
    return [delivery(number, attempts=attempts) for number in range(first, first + most)]


def record_all(lane: Lane, those: list[Delivery], outcome: RelayOutcome = NO) -> list[Delivery]:
    return [wrongly_refused for one in those for wrongly_refused in lane.record_outcome(one, outcome, NOW)]


def test_the_same_refusal_of_ten_different_people_in_a_row_is_not_about_them() -> None:
    lane, those = Lane("slow.example", 50), people()

    before = record_all(lane, those[:-1])
    wrongly_refused = lane.record_outcome(those[-1], NO, NOW)

    assert before == []
    assert wrongly_refused == those
    assert lane.closed(NOW)
    assert lane.closed_until == NOW + timedelta(minutes=5)
    assert lane.reason == "550 5.7.1 not authorized"


def test_a_refusal_that_names_each_person_is_the_same_refusal() -> None:
    lane, wrongly_refused = Lane("slow.example", 50), []

    for one in people():
        words = f"5.1.1 <{one.address}>: user {one.address.split('@')[0]} unknown (id 7{one.id})"
        wrongly_refused += lane.record_outcome(one, relay_outcome(550, words), NOW)

    assert len(wrongly_refused) == SAME_REFUSALS


@pytest.mark.parametrize(
    "between", [FINE, relay_outcome(550, "5.1.1 no such user"), relay_outcome(554, "5.7.1 not authorized")]
)
def test_one_acceptance_or_another_refusal_in_between_begins_the_count_anew(between: RelayOutcome) -> None:
    lane, those = Lane("slow.example", 50), people(18)

    first = record_all(lane, those[:9])
    lane.record_outcome(delivery(100), between, NOW)
    second = record_all(lane, those[9:])

    assert (first, second) == ([], [])
    assert not lane.closed(NOW)


def test_a_deferral_in_between_does_not_make_it_about_them() -> None:
    lane, those = Lane("slow.example", 50), people()

    record_all(lane, those[:5])
    lane.record_outcome(delivery(100), relay_outcome(451, "4.7.1 greylisted"), NOW)
    wrongly_refused = record_all(lane, those[5:])

    assert wrongly_refused == those


def test_one_person_refused_ten_times_is_one_person() -> None:
    lane = Lane("slow.example", 50)

    assert record_all(lane, [delivery(1)] * 20) == []
    assert not lane.closed(NOW)


def test_who_was_tried_before_and_is_refused_again_is_refused_for_good() -> None:
    lane = Lane("slow.example", 50)

    assert record_all(lane, people(20, attempts=1)) == []
    assert not lane.closed(NOW)


def test_while_it_goes_on_with_the_same_words_each_one_waits_and_the_lane_stays_shut_for_longer() -> None:
    lane, waits, now = Lane("slow.example", 50), [], NOW
    record_all(lane, people())

    for number in range(100, 106):
        assert lane.closed_until is not None
        waits.append(lane.closed_until - now)
        now = lane.closed_until
        again = delivery(number, attempts=1)
        assert not lane.closed(now)
        assert lane.record_outcome(again, NO, now) == [again]

    assert [int(one.total_seconds() / 60) for one in waits] == [5, 10, 20, 40, 60, 60]


def test_letters_that_were_on_their_way_when_it_closed_wait_too_and_do_not_count_as_more_stops() -> None:
    lane, late = Lane("slow.example", 50), people(20, first=50)
    record_all(lane, people())

    wrongly_refused = record_all(lane, late)

    assert wrongly_refused == late
    assert lane.stops == 1
    assert lane.closed_until == NOW + timedelta(minutes=5)


def test_what_stopped_it_before_a_restart_is_still_not_about_whoever_is_tried_again() -> None:
    stopped, lane, again = Lane("slow.example", 50), Lane("slow.example", 50), delivery(3, attempts=1)
    record_all(stopped, people())
    lane.apply_hold(NOW, stopped.reason)

    wrongly_refused = lane.record_outcome(again, relay_outcome(550, "5.7.1 Not authorized"), NOW)

    assert wrongly_refused == [again]
    assert lane.closed(NOW)


def test_after_its_hour_a_single_letter_goes_first_and_then_one_more_with_each_that_arrives() -> None:
    lane = Lane("slow.example", 50)
    record_all(lane, people())
    later, bears = NOW + HOUR, []

    for _ in range(3):
        bears.append(lane.concurrency)
        lane.record_outcome(delivery(200), FINE, later)

    assert bears == [1, 2, 3]
    assert (lane.closed_until, lane.stops) == (None, 0)


def test_another_refusal_of_one_person_after_the_hour_is_about_that_person() -> None:
    lane = Lane("slow.example", 50)
    record_all(lane, people())

    assert lane.record_outcome(delivery(200), relay_outcome(550, "5.1.1 no such user"), NOW + HOUR) == []


def test_too_fast_halves_what_it_bears_and_three_in_a_row_close_it_for_a_while() -> None:
    lane = Lane("slow.example", 50, in_flight=16)
    bears = []

    for _ in range(2):
        lane.record_outcome(delivery(1), SLOWER, NOW)
        bears.append(lane.concurrency)
    open_still = not lane.closed(NOW)
    lane.record_outcome(delivery(1), SLOWER, NOW)

    assert bears == [8.5, 4.25]
    assert open_still
    assert lane.closed_until == NOW + timedelta(seconds=5)
    assert lane.reason == "421 4.7.0 too fast"


def test_a_lane_is_closed_for_longer_each_time_it_still_throttles_us() -> None:
    lane, now, waits = Lane("slow.example", 50, in_flight=1), NOW, []
    for _ in range(2):
        lane.record_outcome(delivery(1), SLOWER, now)

    for _ in range(10):
        lane.record_outcome(delivery(1), SLOWER, now)
        assert lane.closed_until is not None
        waits.append((lane.closed_until - now).total_seconds())
        now = lane.closed_until

    assert waits == [5, 10, 20, 40, 80, 160, 320, 600, 600, 600]


def test_one_domain_that_finds_us_too_fast_does_not_close_the_relay_and_three_do() -> None:
    lane = Lane("relay 127.0.0.1:25", 50)

    for number in range(9):
        lane.record_outcome(delivery(number, "slow.example"), SLOWER, NOW)
    open_still = not lane.closed(NOW)
    for domain in ("a.example", "b.example"):
        lane.record_outcome(delivery(1, domain), SLOWER, NOW)

    assert open_still
    assert lane.closed(NOW)


def test_what_is_said_against_us_stops_a_domains_lane_at_once() -> None:
    lane = Lane("slow.example", 50)

    wrongly_refused = lane.record_outcome(delivery(1), AGAINST_US, NOW)

    assert wrongly_refused == []
    assert lane.closed_until == NOW + timedelta(minutes=5)
    assert "not authorized" in lane.reason


def test_it_takes_three_domains_against_us_to_stop_a_relay() -> None:
    lane, open_still = Lane("relay 127.0.0.1:25", 50), []

    for domain in ("a.example", "b.example", "b.example", "c.example"):
        open_still.append(not lane.closed(NOW))
        lane.record_outcome(delivery(1, domain), AGAINST_US, NOW)

    assert open_still == [True] * 4
    assert lane.closed(NOW)


def test_a_domain_that_takes_letters_in_between_shows_that_it_is_not_the_relay() -> None:
    lane = Lane("relay 127.0.0.1:25", 50)

    for domain in ("a.example", "b.example"):
        lane.record_outcome(delivery(1, domain), AGAINST_US, NOW)
    lane.record_outcome(delivery(1, "c.example"), FINE, NOW)
    lane.record_outcome(delivery(1, "d.example"), AGAINST_US, NOW)

    assert not lane.closed(NOW)


def test_one_domain_that_refuses_everybody_does_not_stop_the_relay_for_the_others() -> None:
    domain, relay = Lane("slow.example", 50), Lane("relay 127.0.0.1:25", 50)

    record_all(domain, people(30))
    wrongly_refused = record_all(relay, people(30))

    assert domain.closed(NOW)
    assert not relay.closed(NOW)
    assert wrongly_refused == []


def test_ten_people_of_several_domains_refused_alike_stop_the_relay() -> None:
    lane = Lane("relay 127.0.0.1:25", 50)
    those = [delivery(number, f"{'abc'[number % 3]}.example") for number in range(SAME_REFUSALS)]

    wrongly_refused = record_all(lane, those, relay_outcome(554, "5.7.1 relay access denied"))

    assert wrongly_refused == those
    assert lane.closed(NOW)


def test_a_lane_of_which_nothing_is_known_may_be_forgotten_and_no_other() -> None:
    assert Lane("a.example", 5).is_forgettable
    assert not Lane("a.example", 5, in_flight=1).is_forgettable
    closed, slow, refused = (Lane("slow.example", 5) for _ in range(3))
    closed.close(NOW, "why")
    slow.record_outcome(delivery(1), SLOWER, NOW)
    refused.record_outcome(delivery(1), NO, NOW)

    assert not any(one.is_forgettable for one in (closed, slow, refused))


@given(
    st.lists(st.sampled_from([NO, FINE, SLOWER, AGAINST_US, relay_outcome(451), relay_outcome(None)]), max_size=60),
    st.integers(1, 50),
)
def test_concurrency_stays_between_one_and_the_maximum_after_any_replies(words: list[RelayOutcome], most: int) -> None:
    lane = Lane("slow.example", most)

    for number, word in enumerate(words):
        lane.in_flight = number % most
        wrongly_refused = lane.record_outcome(delivery(number), word, NOW)

        assert 1 <= lane.concurrency <= most
        assert len({one.id for one in wrongly_refused}) == len(wrongly_refused)
        assert word is NO or not wrongly_refused

    if words and words[-1] is FINE:
        assert lane.closed_until is None
