"""LaneScheduler: lanes take turns, full ones are skipped, and no delivery is lost or doubled."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from mailer.domain.delivery import Concern, Delivery
from mailer.relay.lane_scheduler import LaneScheduler
from tests.support.app_helpers import THOROUGH
from tests.support.lane_samples import NOW, delivery, relay_outcome

DOMAINS = ["a.example", "b.example", "c.example"]
MOST = {"a.example": 1, "b.example": 2, "c.example": 100}
HOUR = timedelta(hours=1)


def many(domain: str, most: int, first: int = 0) -> list[Delivery]:
    return [delivery(number, domain) for number in range(first, first + most)]


def domains(taken: list[Delivery]) -> list[str]:
    return [one.domain[0] for one in taken]


def test_lanes_take_turns_however_much_waits_in_each() -> None:
    scheduler = LaneScheduler()
    scheduler.put([*many("a.example", 50), *many("b.example", 2, 50), *many("c.example", 1, 60)])

    taken = scheduler.take(6)

    assert domains(taken) == ["a", "b", "c", "a", "b", "a"]
    assert (scheduler.size, scheduler.in_flight) == (47, 6)


def test_in_a_lane_the_first_to_come_goes_first() -> None:
    scheduler = LaneScheduler()
    scheduler.put(many("a.example", 5))

    assert [one.id for one in scheduler.take(2) + scheduler.take(9)] == [0, 1, 2, 3, 4]


def test_a_full_lane_is_passed_over_and_has_its_turn_again_when_one_of_its_letters_has_landed() -> None:
    scheduler = LaneScheduler(MOST.__getitem__)
    scheduler.put([*many("a.example", 3), *many("b.example", 4, 10)])

    first, nothing = scheduler.take(10), scheduler.take(10)
    scheduler.mark_finished(first[0])
    second = scheduler.take(10)

    assert domains(first) == ["a", "b", "b"]
    assert nothing == []
    assert [one.id for one in second] == [1]


def test_what_comes_into_a_full_lane_waits_for_its_turn() -> None:
    scheduler = LaneScheduler(MOST.__getitem__)
    scheduler.put(many("a.example", 1))
    [one] = scheduler.take(1)

    scheduler.put(many("a.example", 1, 10))
    nothing = scheduler.take(1)
    scheduler.mark_finished(one)

    assert nothing == []
    assert [later.id for later in scheduler.take(1)] == [10]


def test_a_lane_that_was_slowed_has_fewer_on_their_way_and_more_again_as_letters_arrive() -> None:
    scheduler = LaneScheduler()
    scheduler.put(many("a.example", 20))
    lane, in_flight = scheduler.lane("a.example"), scheduler.take(4)

    lane.record_outcome(in_flight[0], relay_outcome(451, concern=Concern.THROTTLE), NOW)
    scheduler.mark_finished(in_flight.pop())
    slowed = scheduler.take(9)
    for one in in_flight:
        lane.record_outcome(one, relay_outcome(250), NOW)
        scheduler.mark_finished(one)
    grown = scheduler.take(9)

    assert (len(slowed), len(grown)) == (0, 6)


def test_only_lanes_that_are_closed_now_are_cleared() -> None:
    scheduler = LaneScheduler()
    scheduler.put([*many("a.example", 3), *many("b.example", 2, 10), *many("c.example", 1, 20)])
    scheduler.lane("a.example").close(NOW + HOUR, "why")
    scheduler.lane("b.example").close(NOW, "why")

    cleared = scheduler.remove_closed(NOW)

    assert [one.id for one in cleared] == [0, 1, 2]
    assert scheduler.size == 3
    assert domains(scheduler.take(9)) == ["b", "c"]


def test_emptied_it_has_nothing_left_but_what_is_on_its_way() -> None:
    scheduler = LaneScheduler()
    scheduler.put([*many("a.example", 2), *many("b.example", 2, 10)])
    in_flight = scheduler.take(1)

    rest = scheduler.remove_all()

    assert (len(rest), scheduler.size, scheduler.in_flight, scheduler.take(9)) == (3, 0, 1, [])
    scheduler.mark_finished(in_flight[0])
    assert (scheduler.in_flight, scheduler.lane("a.example").in_flight) == (0, 0)


def test_lanes_with_which_nothing_is_the_matter_are_forgotten_and_the_others_are_not() -> None:
    scheduler = LaneScheduler()
    held, in_flight = scheduler.lane("held.example"), scheduler.lane("flying.example")
    held.close(NOW + HOUR, "why")
    scheduler.put([delivery(0, "flying.example")])
    scheduler.take(1)
    kept = scheduler.lane("kept.example")
    scheduler.put([delivery(1, "kept.example")])

    for number in range(6000):
        scheduler.put([delivery(number, f"d{number}.example")])
        scheduler.mark_finished(*[one for one in scheduler.take(9) if one.domain.startswith("d")][:1])
    early = scheduler.lane("d0.example")
    scheduler.put([delivery(7000, "another.example")])

    assert scheduler.lane("held.example") is held
    assert scheduler.lane("flying.example") is in_flight
    assert scheduler.lane("kept.example").is_forgettable is False
    assert scheduler.lane("kept.example") is kept
    assert early.is_forgettable


class Days(RuleBasedStateMachine):
    """What a clerk, its writers and its carriers do with a scheduler, beside a list of where everything is."""

    def __init__(self) -> None:
        super().__init__()
        self.tray = LaneScheduler(MOST.__getitem__)
        self.waiting: list[Delivery] = []
        self.in_flight: list[Delivery] = []
        self.number = 0

    @rule(where=st.lists(st.sampled_from(DOMAINS), max_size=6))
    def put(self, where: list[str]) -> None:
        claimed = [delivery(self.number + place, domain) for place, domain in enumerate(where)]
        self.number += len(claimed)
        self.tray.put(claimed)
        self.waiting += claimed

    @rule(most=st.integers(0, 8))
    def take(self, most: int) -> None:
        room = {one: int(self.tray.lane(one).concurrency - self.tray.lane(one).in_flight + 0.999) for one in DOMAINS}
        may = sum(min(max(room[one], 0), sum(two.domain == one for two in self.waiting)) for one in DOMAINS)

        taken = self.tray.take(most)

        assert len(taken) == min(most, may)
        for one in taken:
            assert one is next(two for two in self.waiting if two.domain == one.domain)
            self.waiting.remove(one)
        self.in_flight += taken

    @rule(data=st.data(), code=st.sampled_from([250, 451, None]))
    def land(self, data: st.DataObject, code: int | None) -> None:
        if self.in_flight:
            one = self.in_flight.pop(data.draw(st.integers(0, len(self.in_flight) - 1)))
            if code:
                self.tray.lane(one.domain).record_outcome(one, relay_outcome(code, concern=Concern.THROTTLE), NOW)
            self.tray.mark_finished(one)

    @rule(data=st.data())
    def put_again(self, data: st.DataObject) -> None:
        if self.in_flight:
            one = self.in_flight.pop(data.draw(st.integers(0, len(self.in_flight) - 1)))
            self.tray.mark_finished(one)
            self.tray.put([one])
            self.waiting.append(one)

    @rule(where=st.sampled_from(DOMAINS), hours=st.integers(0, 1))
    def close(self, where: str, hours: int) -> None:
        self.tray.lane(where).close(NOW + hours * HOUR, "why")

    @rule()
    def clear(self) -> None:
        cleared = self.tray.remove_closed(NOW)

        shut = [one for one in self.waiting if self.tray.lane(one.domain).closed(NOW)]
        assert sorted(one.id for one in cleared) == sorted(one.id for one in shut)
        self.waiting = [one for one in self.waiting if one not in shut]

    @rule()
    def empty(self) -> None:
        assert sorted(one.id for one in self.tray.remove_all()) == sorted(one.id for one in self.waiting)
        self.waiting = []

    @invariant()
    def it_counts_right(self) -> None:
        assert (self.tray.size, self.tray.in_flight) == (len(self.waiting), len(self.in_flight))
        on_their_way = Counter(one.domain for one in self.in_flight)
        assert {one: self.tray.lane(one).in_flight for one in DOMAINS} == {one: on_their_way[one] for one in DOMAINS}

    def teardown(self) -> None:
        """In the end everything that waits can be taken."""
        while self.in_flight:
            self.tray.mark_finished(self.in_flight.pop())
        gone: list[Delivery] = []
        while taken := self.tray.take(3):
            gone += taken
            for one in taken:
                self.tray.mark_finished(one)
        assert sorted(one.id for one in gone) == sorted(one.id for one in self.waiting)


class TestNothingIsLostOrDoubled(Days.TestCase):  # type: ignore[misc]
    settings = settings(
        max_examples=1500 if THOROUGH else 100, stateful_step_count=60 if THOROUGH else 50, deadline=None
    )
