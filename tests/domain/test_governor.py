"""The governor's rules: at how much trouble a blast is stopped, and where."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import settings as example_settings
from hypothesis import strategies as st

from mailer.domain.abuse_limits import CounterKind
from mailer.domain.governor import (
    DeliveryCounts,
    Metric,
    decide_pause_or_hold,
    find_breaches,
    held_until,
    take_reportable_counts,
)
from mailer.settings.governor_table import GovernorSettings

LIMITS = GovernorSettings()
OFF = GovernorSettings(complaints=0, hard=0, refused=0, deferred=0)
WELL = DeliveryCounts(accepted=1000)
SMALL = st.integers(0, 200)
COUNTS = st.builds(DeliveryCounts, accepted=SMALL, refused=SMALL, deferred=SMALL, hard=SMALL, complaints=SMALL)
PROVIDERS = st.dictionaries(st.sampled_from(["a.example", "b.example", "c.example"]), COUNTS)
NOW = datetime(2027, 3, 1, 8, tzinfo=UTC)


def all_of(*some: DeliveryCounts) -> DeliveryCounts:
    return DeliveryCounts(
        accepted=sum(one.accepted for one in some),
        refused=sum(one.refused for one in some),
        deferred=sum(one.deferred for one in some),
        hard=sum(one.hard for one in some),
        complaints=sum(one.complaints for one in some),
    )


def ills(counts: DeliveryCounts) -> list[Metric]:
    return [one.metric for one in find_breaches(counts, LIMITS)]


def test_passing_a_limit_is_a_breach_and_reaching_it_is_none():
    assert ills(DeliveryCounts(accepted=1000, complaints=3)) == [Metric.COMPLAINTS]
    assert ills(DeliveryCounts(accepted=3000, complaints=3)) == []
    assert ills(DeliveryCounts(accepted=100, hard=9)) == [Metric.HARD]
    assert ills(DeliveryCounts(accepted=100, hard=8)) == []
    assert ills(DeliveryCounts(accepted=89, refused=11)) == [Metric.REFUSED]
    assert ills(DeliveryCounts(accepted=90, refused=10)) == []
    assert ills(DeliveryCounts(accepted=49, deferred=51)) == [Metric.DEFERRED]
    assert ills(DeliveryCounts(accepted=50, deferred=50)) == []


def test_one_reader_or_two_who_complain_stop_nothing_and_few_letters_say_nothing():
    assert ills(DeliveryCounts(accepted=100, complaints=2)) == []
    assert ills(DeliveryCounts(refused=49)) == []
    assert ills(DeliveryCounts(refused=50)) == [Metric.REFUSED]


def test_a_failing_provider_is_held_while_the_others_are_well():
    ill = DeliveryCounts(accepted=50, refused=50)

    verdict = decide_pause_or_hold(all_of(ill, WELL), {"a.example": ill, "b.example": WELL}, LIMITS)

    assert verdict.pause is None
    assert [str(one) for one in verdict.hold] == ["of 100 letters to a.example 50 were refused for good (5xx)"]


def test_the_campaign_is_paused_where_nobody_is_well_or_too_few_are_left_to_tell():
    ill, few = DeliveryCounts(accepted=50, refused=50), DeliveryCounts(accepted=20)

    assert decide_pause_or_hold(all_of(ill, ill), {"a.example": ill, "b.example": ill}, LIMITS).pause is not None
    assert decide_pause_or_hold(all_of(ill, few), {"a.example": ill, "b.example": few}, LIMITS).pause is not None


def test_many_providers_with_few_readers_each_are_looked_at_together():
    verdict = decide_pause_or_hold(DeliveryCounts(accepted=80, refused=20), {}, LIMITS)

    assert str(verdict.pause) == "of 100 letters 20 were refused for good (5xx)"


def test_complaints_at_one_provider_pause_everything():
    annoyed = DeliveryCounts(accepted=500, complaints=4)

    verdict = decide_pause_or_hold(all_of(annoyed, WELL, WELL), {"a.example": annoyed, "b.example": WELL}, LIMITS)

    assert str(verdict.pause) == "of 500 letters to a.example 4 were complained of"


@example_settings(max_examples=60)
@given(PROVIDERS, COUNTS)
def test_what_is_stopped_is_over_a_limit_and_nothing_is_with_all_limits_off(providers, small_ones):
    whole = all_of(*providers.values(), small_ones)

    verdict = decide_pause_or_hold(whole, providers, LIMITS)

    assert decide_pause_or_hold(whole, providers, OFF).pause is None
    assert not decide_pause_or_hold(whole, providers, OFF).hold
    assert not (verdict.pause and verdict.hold)
    for one in verdict.hold:
        assert next(find_breaches(providers[one.provider], LIMITS, one.provider)) == one
    over = any(list(find_breaches(one, LIMITS)) for one in providers.values())
    if over:
        assert verdict.pause or verdict.hold
    if verdict.pause:
        assert verdict.pause.total >= LIMITS.after


@example_settings(max_examples=40)
@given(
    st.dictionaries(
        st.tuples(
            st.integers(1, 2),
            st.sampled_from(["", "a.example", "b.example"]),
            st.sampled_from([CounterKind.ACCEPTED, CounterKind.REFUSED, CounterKind.DEFERRED]),
        ),
        st.integers(-3, 15),
    )
)
def test_no_count_is_lost_or_reported_twice(numbers):
    kept = Counter(numbers)

    taken = take_reportable_counts(kept)

    assert {key: kept.get(key, 0) + taken.get(key, 0) for key in numbers} == numbers
    assert all(number > 0 for number in taken.values())
    for (campaign_id, provider, kind), number in kept.items():
        assert not provider or number < 10, (campaign_id, kind)


def test_a_provider_is_held_longer_each_time_and_never_for_more_than_twelve_hours():
    hours = [(held_until(times, NOW) - NOW) / timedelta(hours=1) for times in (1, 2, 3, 50)]

    assert hours == [1, 2, 4, 12]
