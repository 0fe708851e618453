"""What an outcome means for a letter: whether it is tried again, and when."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from mailer.domain.delivery import MOST_RESENDS, Delivery, DeliveryOutcome, DeliveryState, RelayOutcome, Verdict

_FIRST_WAIT, _LONGEST_WAIT, _TRY_FOR = timedelta(minutes=5), timedelta(hours=4), timedelta(hours=36)
_FIRST_REWRITE, _LONGEST_REWRITE = timedelta(minutes=1), timedelta(hours=1)
WRONGLY_REFUSED_WAIT = timedelta(hours=1)
"""How long letters wait that were refused for what is not about their recipient; others test the lane first."""


def decide_outcome(delivery: Delivery, outcome: RelayOutcome, now: datetime, jitter: float) -> DeliveryOutcome:
    """The outcome to record for a delivery that was handed for one more try. `jitter` is in [0, 1)."""
    state, due_at, resends, redate = DeliveryState.ACCEPTED, None, delivery.resends, False
    if outcome.verdict is Verdict.REFUSED:
        state = DeliveryState.FAILED
    elif outcome.verdict is Verdict.DEFERRED:
        due_at = retry_at(delivery.attempts + 1, _retrying_since(delivery, now), now, jitter)
        state, redate = (DeliveryState.DEFERRED, True) if due_at else (DeliveryState.FAILED, False)
    elif outcome.verdict is Verdict.UNTRIED:
        # As before it was handed: it may go at once, and since no octet was sent, its repeat may differ.
        state = DeliveryState.DEFERRED if delivery.attempts else DeliveryState.QUEUED
        due_at, redate = now, delivery.dated_at is None
    elif outcome.verdict is Verdict.UNKNOWN and delivery.resend and resends < MOST_RESENDS:
        state, due_at, resends = DeliveryState.DEFERRED, now + _FIRST_WAIT, resends + 1
    elif outcome.verdict is Verdict.UNKNOWN:
        state = DeliveryState.UNCERTAIN
    return DeliveryOutcome(
        delivery_id=delivery.id,
        claim_id=delivery.claim_id,
        state=state,
        due_at=due_at,
        resends=resends,
        renew_date=redate,
        code=outcome.code,
        reply=outcome.reply,
        counts_as_try=outcome.verdict is not Verdict.UNTRIED,
    )


def retry_at(attempts: int, queued_at: datetime, now: datetime, jitter: float) -> datetime | None:
    """When to try again after `attempts` tries, or None once we have tried for a day and a half.

    The wait is 5 minutes, doubled after each try up to 4 hours (RFC 5321 section 4.5.4.1 asks for at least 30 minutes
    on average). `jitter` in [0, 1) adds up to a quarter, so that not all letters return to a relay at once.
    """
    wait = min(_FIRST_WAIT * 2 ** min(attempts - 1, 16), _LONGEST_WAIT) * (1 + jitter / 4)
    return now + wait if now + wait - queued_at <= _TRY_FOR else None


def _retrying_since(delivery: Delivery, now: datetime) -> datetime:
    """When its tries began: time spent waiting before the first try, for whatever reason, does not count."""
    waits = (min(_FIRST_WAIT * 2 ** min(number, 16), _LONGEST_WAIT) for number in range(delivery.attempts))
    return max(delivery.queued_at, now - sum(waits, timedelta()) * 1.25)


def render_again_at(queued_at: datetime, now: datetime) -> datetime:
    """When to render a letter again that could not be rendered: after as long as it has waited, 1 to 60 minutes."""
    return now + min(max(now - queued_at, _FIRST_REWRITE), _LONGEST_REWRITE)


def retry_wrongly_refused(
    refused: DeliveryOutcome, delivery: Delivery, now: datetime, jitter: float
) -> DeliveryOutcome:
    """The outcome of a refusal that was not about the recipient: another try an hour later, if there is still time."""
    due_at = retry_at(delivery.attempts + 1, _retrying_since(delivery, now), now, jitter)
    if due_at is None:
        return refused
    due_at = max(due_at, now + WRONGLY_REFUSED_WAIT)
    return replace(refused, state=DeliveryState.DEFERRED, due_at=due_at, renew_date=True)
