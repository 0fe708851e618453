"""What an outcome means for a letter: it is tried for a day and a half, and resent twice if the outcome is unknown."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailer.domain.delivery import Delivery, DeliveryState, Kind, RelayOutcome, Verdict
from mailer.domain.retry import decide_outcome, render_again_at, retry_at

NOW = datetime(2027, 3, 1, 8, tzinfo=UTC)
LETTER = Delivery(
    id=1, campaign_id=1, kind=Kind.CAMPAIGN, mailing_list_id=1, subscription_id=1, revision_id=1,
    address="rosa@example.org", suppression_key="key", name="Rosa", language="en", values={}, attempts=0, resends=0,
    queued_at=NOW, dated_at=None,
)  # fmt: skip


@given(st.integers(1, 100), st.floats(0, 60), st.floats(0, 1, exclude_max=True))
def test_waits_grow_and_end_after_a_day_and_a_half(attempts: int, hours: float, jitter: float) -> None:
    now = NOW + timedelta(hours=hours)

    again = retry_at(attempts, NOW, now, jitter)

    if again is None:
        assert now + timedelta(hours=5) > NOW + timedelta(hours=36)
    else:
        assert timedelta(minutes=5) <= again - now <= timedelta(hours=5)
        assert again - NOW <= timedelta(hours=36)


@pytest.mark.parametrize(
    ("verdict", "state", "renews_date"),
    [
        (Verdict.ACCEPTED, DeliveryState.ACCEPTED, False),
        (Verdict.REFUSED, DeliveryState.FAILED, False),
        (Verdict.DEFERRED, DeliveryState.DEFERRED, True),
        (Verdict.UNKNOWN, DeliveryState.DEFERRED, False),
    ],
)
def test_only_a_definite_refusal_gives_the_next_try_another_date(
    verdict: Verdict, state: DeliveryState, renews_date: bool
) -> None:
    outcome = decide_outcome(LETTER, RelayOutcome(verdict, 250, "words"), NOW, 0.0)

    assert (outcome.state, outcome.renew_date, outcome.code, outcome.reply) == (state, renews_date, 250, "words")


def test_a_letter_of_unknown_outcome_is_resent_twice_and_then_parked() -> None:
    outcomes = [
        decide_outcome(replace(LETTER, resends=resends), RelayOutcome(Verdict.UNKNOWN, None, ""), NOW, 0.0)
        for resends in range(3)
    ]

    assert [outcome.state for outcome in outcomes] == [
        DeliveryState.DEFERRED,
        DeliveryState.DEFERRED,
        DeliveryState.UNCERTAIN,
    ]
    assert [outcome.resends for outcome in outcomes] == [1, 2, 2]


def test_a_letter_deferred_for_a_day_and_a_half_has_failed() -> None:
    late = decide_outcome(
        replace(LETTER, attempts=20), RelayOutcome(Verdict.DEFERRED, 450, "later"), NOW + timedelta(hours=36), 0.0
    )

    assert late.state is DeliveryState.FAILED


def test_time_spent_waiting_before_the_first_try_does_not_count() -> None:
    waited = NOW + timedelta(days=9)

    first = decide_outcome(LETTER, RelayOutcome(Verdict.DEFERRED, 450, "come again"), waited, 0.0)
    later = decide_outcome(replace(LETTER, attempts=5), RelayOutcome(Verdict.DEFERRED, 450, "come again"), waited, 0.0)

    assert [first.state, later.state] == [DeliveryState.DEFERRED] * 2
    assert first.due_at == waited + timedelta(minutes=5)


@given(st.floats(0, 24 * 30))
def test_a_letter_that_cannot_be_rendered_is_rendered_again_after_growing_pauses(hours: float) -> None:
    now = NOW + timedelta(hours=hours)

    pause = render_again_at(NOW, now) - now

    assert timedelta(minutes=1) <= pause <= timedelta(hours=1)
    assert pause >= min(now - NOW, timedelta(hours=1))
