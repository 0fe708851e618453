"""What is held against a reader whose letters came back, and what never is."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailer.domain.bounce import FeedbackKind, Severity
from mailer.domain.bounce_rules import (
    HALF_LIFE,
    PROBE_VALID_FOR,
    BounceDecision,
    PastBounce,
    bounce_score,
    decide_on_bounce,
    is_complaint,
)
from mailer.domain.delivery import Kind

NOW = datetime(2027, 3, 1, 8, tzinfo=UTC)
LETTERS = st.sampled_from([Kind.CAMPAIGN, Kind.WELCOME, Kind.PROBE])
NEVER_HELD = st.sampled_from([Severity.SENDER_SIDE, Severity.IGNORE])


def came(
    days_ago: float = 0, weight: Severity = Severity.SOFT, number: int = 0, letter: Kind = Kind.CAMPAIGN
) -> PastBounce:
    number = number or int(days_ago * 1000) + 1
    return PastBounce(delivery_id=number, letter_kind=letter, severity=weight, at=NOW - timedelta(days=days_ago))


PAST = st.lists(
    st.builds(came, st.floats(0, 120), st.sampled_from(list(Severity)), st.integers(1, 30), LETTERS), max_size=12
)


@given(NEVER_HELD, PAST, LETTERS, st.integers(1, 5), st.integers(1, 5))
@settings(max_examples=50)
def test_what_is_about_us_or_no_trouble_is_held_against_nobody(
    weight: Severity, past: list[PastBounce], letter: Kind, hard_after: int, soft_limit: int
) -> None:
    newest = came(0, weight, 99, letter)

    assert decide_on_bounce(newest, past, hard_after=hard_after, soft_limit=soft_limit) is BounceDecision.NOTHING


@given(PAST, st.integers(1, 5), st.integers(1, 8))
@settings(max_examples=50)
def test_a_letter_told_twice_counts_once_and_in_whatever_order(
    past: list[PastBounce], hard_after: int, soft_limit: int
) -> None:
    newest = came(0, Severity.SOFT, 99)
    once = decide_on_bounce(newest, past, hard_after=hard_after, soft_limit=soft_limit)

    told = [newest, *sorted(past * 2, key=lambda one: (one.delivery_id, one.at), reverse=True), newest]

    if len({one.delivery_id for one in past}) == len(past):
        assert decide_on_bounce(newest, told, hard_after=hard_after, soft_limit=soft_limit) is once


@given(PAST, st.integers(1, 8))
@settings(max_examples=50)
def test_nobody_is_probed_before_so_many_letters_came_back_nor_stopped_for_soft_ones_without_a_probe(
    past: list[PastBounce], soft_limit: int
) -> None:
    held = {one.delivery_id for one in past if one.severity in {Severity.HARD, Severity.SOFT}} | {99}

    found = decide_on_bounce(came(0, Severity.SOFT, 99), past, hard_after=1, soft_limit=soft_limit)

    assert found in {BounceDecision.NOTHING, BounceDecision.PROBE}
    assert found is BounceDecision.NOTHING or len(held) >= soft_limit


def test_a_point_is_worth_half_after_two_weeks() -> None:
    assert bounce_score([came(0), came(HALF_LIFE.days), came(2 * HALF_LIFE.days)], NOW) == pytest.approx(1.75)


@pytest.mark.parametrize(("days_ago", "well_days_ago", "found"), [
    ((10, 20), None, BounceDecision.STOP_ALL),
    ((10, 100), None, BounceDecision.NOTHING),
    ((10, 20), 15, BounceDecision.NOTHING),
    ((10, 20), 30, BounceDecision.STOP_ALL),
])  # fmt: skip
def test_a_list_that_bears_two_stops_at_the_third_in_a_row(
    days_ago: tuple[int, ...], well_days_ago: int | None, found: BounceDecision
) -> None:
    past = [came(days, Severity.HARD) for days in days_ago]
    well_at = NOW - timedelta(days=well_days_ago) if well_days_ago else None

    what = decide_on_bounce(came(0, Severity.HARD, 99), past, hard_after=3, soft_limit=5, last_delivered_at=well_at)

    assert what is found


def test_after_a_probe_two_more_stop_the_list_and_so_does_the_probe_itself() -> None:
    probed_at = NOW - timedelta(days=5)
    before = [came(days) for days in range(6, 12)]

    def found(newest: PastBounce, *more: PastBounce, probed_at: datetime | None = probed_at) -> BounceDecision:
        return decide_on_bounce(newest, [*before, *more], hard_after=2, soft_limit=5, probed_at=probed_at)

    assert found(came(0, number=1)) is BounceDecision.NOTHING
    assert found(came(0, number=1), came(2)) is BounceDecision.STOP
    assert found(came(0, number=1, letter=Kind.PROBE)) is BounceDecision.STOP
    assert found(came(0, Severity.HARD, 1, Kind.PROBE)) is BounceDecision.STOP_ALL
    assert found(came(0, number=1), came(2), probed_at=NOW - PROBE_VALID_FOR) is BounceDecision.PROBE


@pytest.mark.parametrize(("said", "counts"), [
    ("abuse", True), ("opt-out", True), ("fraud", True), (None, True), ("not-spam", False), ("auth-failure", False),
])  # fmt: skip
def test_only_who_wants_no_more_complains(said: str | None, counts: bool) -> None:
    assert is_complaint(FeedbackKind.COMPLAINT, said) is counts
    assert not is_complaint(FeedbackKind.BOUNCE, said)
