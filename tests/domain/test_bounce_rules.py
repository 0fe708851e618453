"""What follows from the bounces of a subscriber, and which bounces never count."""

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
NEVER_COUNTED = st.sampled_from([Severity.SENDER_SIDE, Severity.IGNORE])


def past_bounce(
    days_ago: float = 0, severity: Severity = Severity.SOFT, number: int = 0, letter: Kind = Kind.CAMPAIGN
) -> PastBounce:
    number = number or int(days_ago * 1000) + 1
    return PastBounce(delivery_id=number, letter_kind=letter, severity=severity, at=NOW - timedelta(days=days_ago))


PAST = st.lists(
    st.builds(past_bounce, st.floats(0, 120), st.sampled_from(list(Severity)), st.integers(1, 30), LETTERS), max_size=12
)


@given(NEVER_COUNTED, PAST, LETTERS, st.integers(1, 5), st.integers(1, 5))
@settings(max_examples=50)
def test_sender_side_and_ignored_bounces_never_count(
    severity: Severity, past: list[PastBounce], letter: Kind, hard_after: int, soft_limit: int
) -> None:
    newest = past_bounce(0, severity, 99, letter)

    assert decide_on_bounce(newest, past, hard_after=hard_after, soft_limit=soft_limit) is BounceDecision.NOTHING


@given(PAST, st.integers(1, 5), st.integers(1, 8))
@settings(max_examples=50)
def test_a_letter_that_bounced_twice_counts_once_in_any_order(
    past: list[PastBounce], hard_after: int, soft_limit: int
) -> None:
    newest = past_bounce(0, Severity.SOFT, 99)
    once = decide_on_bounce(newest, past, hard_after=hard_after, soft_limit=soft_limit)

    bounces = [newest, *sorted(past * 2, key=lambda one: (one.delivery_id, one.at), reverse=True), newest]

    if len({one.delivery_id for one in past}) == len(past):
        assert decide_on_bounce(newest, bounces, hard_after=hard_after, soft_limit=soft_limit) is once


@given(PAST, st.integers(1, 8))
@settings(max_examples=50)
def test_no_probe_before_the_soft_limit_and_no_stop_for_soft_bounces_without_a_probe(
    past: list[PastBounce], soft_limit: int
) -> None:
    held = {one.delivery_id for one in past if one.severity in {Severity.HARD, Severity.SOFT}} | {99}

    found = decide_on_bounce(past_bounce(0, Severity.SOFT, 99), past, hard_after=1, soft_limit=soft_limit)

    assert found in {BounceDecision.NOTHING, BounceDecision.PROBE}
    assert found is BounceDecision.NOTHING or len(held) >= soft_limit


def test_a_soft_bounce_counts_half_after_two_weeks() -> None:
    assert bounce_score(
        [past_bounce(0), past_bounce(HALF_LIFE.days), past_bounce(2 * HALF_LIFE.days)], NOW
    ) == pytest.approx(1.75)


@pytest.mark.parametrize(("days_ago", "well_days_ago", "found"), [
    ((10, 20), None, BounceDecision.STOP_ALL),
    ((10, 100), None, BounceDecision.NOTHING),
    ((10, 20), 15, BounceDecision.NOTHING),
    ((10, 20), 30, BounceDecision.STOP_ALL),
])  # fmt: skip
def test_with_hard_after_3_the_third_hard_bounce_in_a_row_stops(
    days_ago: tuple[int, ...], well_days_ago: int | None, found: BounceDecision
) -> None:
    past = [past_bounce(days, Severity.HARD) for days in days_ago]
    last_delivered_at = NOW - timedelta(days=well_days_ago) if well_days_ago else None

    what = decide_on_bounce(
        past_bounce(0, Severity.HARD, 99), past, hard_after=3, soft_limit=5, last_delivered_at=last_delivered_at
    )

    assert what is found


def test_after_a_probe_two_more_bounces_or_the_probes_own_stop_the_list() -> None:
    probed_at = NOW - timedelta(days=5)
    before = [past_bounce(days) for days in range(6, 12)]

    def found(newest: PastBounce, *more: PastBounce, probed_at: datetime | None = probed_at) -> BounceDecision:
        return decide_on_bounce(newest, [*before, *more], hard_after=2, soft_limit=5, probed_at=probed_at)

    assert found(past_bounce(0, number=1)) is BounceDecision.NOTHING
    assert found(past_bounce(0, number=1), past_bounce(2)) is BounceDecision.STOP
    assert found(past_bounce(0, number=1, letter=Kind.PROBE)) is BounceDecision.STOP
    assert found(past_bounce(0, Severity.HARD, 1, Kind.PROBE)) is BounceDecision.STOP_ALL
    assert found(past_bounce(0, number=1), past_bounce(2), probed_at=NOW - PROBE_VALID_FOR) is BounceDecision.PROBE


@pytest.mark.parametrize(("complaint", "counts"), [
    ("abuse", True), ("opt-out", True), ("fraud", True), (None, True), ("not-spam", False), ("auth-failure", False),
])  # fmt: skip
def test_only_some_feedback_types_are_complaints(complaint: str | None, counts: bool) -> None:
    assert is_complaint(FeedbackKind.COMPLAINT, complaint) is counts
    assert not is_complaint(FeedbackKind.BOUNCE, complaint)
