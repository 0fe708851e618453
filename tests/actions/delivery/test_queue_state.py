"""QueueState: what a worker claims, takes, hands and learns."""

from datetime import UTC, datetime, timedelta

from mailer.actions.delivery.queue_state import QueueState
from mailer.actions.delivery.render_letter import RenderFailure
from mailer.domain.abuse_limits import CounterKind
from mailer.domain.delivery import NOTICES, Delivery, Kind, RelayOutcome, Verdict
from mailer.domain.governor import CHECK_INTERVAL
from mailer.relay.lane_scheduler import LaneScheduler

NOW = datetime(2027, 3, 1, 8, tzinfo=UTC)
REFUSED = RelayOutcome(Verdict.REFUSED, 550, "5.1.1 no such user")
UNTRIED = RelayOutcome(Verdict.UNTRIED, 421, "4.3.2 later")


def delivery(number: int, *, campaign_id: int = 1) -> Delivery:
    return Delivery(
        id=number,
        campaign_id=campaign_id,
        kind=Kind.CAMPAIGN,
        mailing_list_id=1,
        subscription_id=number,
        revision_id=1,
        address=f"person{number}@example.org",
        suppression_key="",
        name=None,
        language=None,
        values={},
        attempts=0,
        resends=0,
        queued_at=NOW,
        dated_at=None,
    )


def state_with(*numbers: int) -> QueueState:
    queue = QueueState(LaneScheduler())
    queue.add_claimed([delivery(number) for number in numbers])
    return queue


def test_the_feeder_is_woken_when_few_deliveries_are_left() -> None:
    queue = state_with(*range(5))
    queue.set_refill_threshold(2)

    queue.take_to_render(2)
    woken_early = queue.feeder_wakeup.is_set()
    queue.take_to_render(1)

    assert (woken_early, queue.feeder_wakeup.is_set()) == (False, True)


def test_a_delivery_that_is_put_back_can_be_taken_again() -> None:
    queue = state_with(1)
    [taken] = queue.take_to_render(9)

    queue.put_back(taken)

    assert queue.take_to_render(9) == [taken]
    assert queue.claimed.keys() == {1}


def test_a_render_failure_is_no_longer_claimed_or_in_flight() -> None:
    queue = state_with(1)
    [taken] = queue.take_to_render(9)
    queue.add_render_failure(RenderFailure(taken, "line 4: no such name"))

    failure = queue.take_render_failure()

    assert (failure.delivery, queue.has_open_deliveries, queue.render_failures) == (taken, False, [])


def test_a_handed_letter_is_unanswered_until_its_outcome_is_known() -> None:
    queue = state_with(1)
    [taken] = queue.take_to_render(9)

    queue.begin_handoff(taken)
    queue.count_handed()
    during = (queue.unanswered, queue.claimed)
    queue.end_handoff()

    assert (during, queue.unanswered, queue.handed) == ((1, {}), 0, 1)


def test_the_sixth_untried_in_a_row_is_deferred() -> None:
    queue = state_with(1)
    one = delivery(1)

    verdicts = [queue.limit_untried(one, UNTRIED).verdict for _ in range(7)]

    assert verdicts == [*[Verdict.UNTRIED] * 5, Verdict.DEFERRED, Verdict.UNTRIED]


def test_a_refusal_is_settled_unless_a_lane_suspects_it_or_the_run_is_over() -> None:
    queue = state_with()
    one = delivery(1)
    queue.scheduler.lane("example.org").record_outcome(one, REFUSED, NOW)
    queue.add_refused(one, REFUSED)

    while_suspected = queue.take_settled_refusals(())
    at_the_end = queue.take_settled_refusals((), final=True)

    assert (while_suspected, at_the_end) == ([], [(one, REFUSED)])
    assert queue.take_settled_refusals((), final=True) == []


def test_a_wrong_refusal_is_neither_settled_nor_counted() -> None:
    queue = state_with()
    one = delivery(1)
    queue.count_for_governor(one, CounterKind.REFUSED, 1)
    queue.add_refused(one, REFUSED)

    queue.add_wrongly_refused(one)

    assert queue.take_settled_refusals((), final=True) == []
    assert queue.take_governor_counts(NOW, final=True) == {}
    assert queue.wrongly_refused == {1: one}


def test_the_governor_gets_counts_at_most_once_in_its_interval_and_never_of_notices() -> None:
    queue = state_with()
    queue.count_for_governor(delivery(1), CounterKind.ACCEPTED, 20)
    queue.count_for_governor(delivery(2, campaign_id=NOTICES), CounterKind.ACCEPTED, 20)

    first = queue.take_governor_counts(NOW)
    too_early = queue.take_governor_counts(NOW + CHECK_INTERVAL - timedelta(seconds=1))
    later = queue.take_governor_counts(NOW + CHECK_INTERVAL)

    assert first == {(1, "example.org", CounterKind.ACCEPTED): 20, (1, "", CounterKind.ACCEPTED): 20}
    assert (too_early, later) == (None, {})


def test_a_successor_continues_with_what_was_not_recorded() -> None:
    failed, successor = state_with(), state_with()
    failed.add_wrongly_refused(delivery(1))
    failed.add_refused(delivery(2), REFUSED)

    successor.take_over(failed)

    assert successor.wrongly_refused.keys() == {1}
    assert [one.id for one, _ in successor.take_settled_refusals((), final=True)] == [2]
