"""What is held against a reader whose letters came back, and what never is."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailer.domain.bounce import ReturnKind, Weight
from mailer.domain.bounce_rules import HALF_LIFE, PROBE_COUNTS, Measure, PastReturn, is_complaint, measure, points
from mailer.domain.delivery import Kind

NOW = datetime(2027, 3, 1, 8, tzinfo=UTC)
LETTERS = st.sampled_from([Kind.CAMPAIGN, Kind.WELCOME, Kind.PROBE])
NEVER_HELD = st.sampled_from([Weight.SENDER_SIDE, Weight.IGNORE])


def came(
    days_ago: float = 0, weight: Weight = Weight.SOFT, number: int = 0, letter: Kind = Kind.CAMPAIGN
) -> PastReturn:
    number = number or int(days_ago * 1000) + 1
    return PastReturn(delivery_id=number, letter=letter, weight=weight, at=NOW - timedelta(days=days_ago))


PAST = st.lists(
    st.builds(came, st.floats(0, 120), st.sampled_from(list(Weight)), st.integers(1, 30), LETTERS), max_size=12
)


@given(NEVER_HELD, PAST, LETTERS, st.integers(1, 5), st.integers(1, 5))
@settings(max_examples=50)
def test_what_is_about_us_or_no_trouble_is_held_against_nobody(
    weight: Weight, past: list[PastReturn], letter: Kind, hard_after: int, soft_limit: int
) -> None:
    newest = came(0, weight, 99, letter)

    assert measure(newest, past, hard_after=hard_after, soft_limit=soft_limit) is Measure.NOTHING


@given(PAST, st.integers(1, 5), st.integers(1, 8))
@settings(max_examples=50)
def test_a_letter_told_twice_counts_once_and_in_whatever_order(
    past: list[PastReturn], hard_after: int, soft_limit: int
) -> None:
    newest = came(0, Weight.SOFT, 99)
    once = measure(newest, past, hard_after=hard_after, soft_limit=soft_limit)

    told = [newest, *sorted(past * 2, key=lambda one: (one.delivery_id, one.at), reverse=True), newest]

    if len({one.delivery_id for one in past}) == len(past):
        assert measure(newest, told, hard_after=hard_after, soft_limit=soft_limit) is once


@given(PAST, st.integers(1, 8))
@settings(max_examples=50)
def test_nobody_is_probed_before_so_many_letters_came_back_nor_stopped_for_soft_ones_without_a_probe(
    past: list[PastReturn], soft_limit: int
) -> None:
    held = {one.delivery_id for one in past if one.weight in {Weight.HARD, Weight.SOFT}} | {99}

    found = measure(came(0, Weight.SOFT, 99), past, hard_after=1, soft_limit=soft_limit)

    assert found in {Measure.NOTHING, Measure.PROBE}
    assert found is Measure.NOTHING or len(held) >= soft_limit


def test_a_point_is_worth_half_after_two_weeks() -> None:
    assert points([came(0), came(HALF_LIFE.days), came(2 * HALF_LIFE.days)], NOW) == pytest.approx(1.75)


@pytest.mark.parametrize(("days_ago", "well_days_ago", "found"), [
    ((10, 20), None, Measure.STOP_ALL),
    ((10, 100), None, Measure.NOTHING),
    ((10, 20), 15, Measure.NOTHING),
    ((10, 20), 30, Measure.STOP_ALL),
])  # fmt: skip
def test_a_list_that_bears_two_stops_at_the_third_in_a_row(
    days_ago: tuple[int, ...], well_days_ago: int | None, found: Measure
) -> None:
    past = [came(days, Weight.HARD) for days in days_ago]
    well_at = NOW - timedelta(days=well_days_ago) if well_days_ago else None

    what = measure(came(0, Weight.HARD, 99), past, hard_after=3, soft_limit=5, well_at=well_at)

    assert what is found


def test_after_a_probe_two_more_stop_the_list_and_so_does_the_probe_itself() -> None:
    probed_at = NOW - timedelta(days=5)
    before = [came(days) for days in range(6, 12)]

    def found(newest: PastReturn, *more: PastReturn, probed_at: datetime | None = probed_at) -> Measure:
        return measure(newest, [*before, *more], hard_after=2, soft_limit=5, probed_at=probed_at)

    assert found(came(0, number=1)) is Measure.NOTHING
    assert found(came(0, number=1), came(2)) is Measure.STOP
    assert found(came(0, number=1, letter=Kind.PROBE)) is Measure.STOP
    assert found(came(0, Weight.HARD, 1, Kind.PROBE)) is Measure.STOP_ALL
    assert found(came(0, number=1), came(2), probed_at=NOW - PROBE_COUNTS) is Measure.PROBE


@pytest.mark.parametrize(("said", "counts"), [
    ("abuse", True), ("opt-out", True), ("fraud", True), (None, True), ("not-spam", False), ("auth-failure", False),
])  # fmt: skip
def test_only_who_wants_no_more_complains(said: str | None, counts: bool) -> None:
    assert is_complaint(ReturnKind.COMPLAINT, said) is counts
    assert not is_complaint(ReturnKind.BOUNCE, said)
