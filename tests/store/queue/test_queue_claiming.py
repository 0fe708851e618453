"""What a worker claims at a time: a fair share of each campaign, within the limits."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from sqlalchemy import Connection, Engine

from mailer.domain.delivery import NOTICES, Delivery, DeliveryState, Kind, Notice, Verdict
from mailer.domain.rate_limits import Limits
from mailer.domain.suppression import EVERY_LIST
from mailer.store import campaigns
from mailer.store.queue import deliveries, gate, lane_holds, queue_claiming
from mailer.store.queue.lane_holds import Hold
from tests.support.queue_helpers import (
    NOW,
    PAUSED,
    QUEUED,
    SENDING,
    add_worker,
    claim_deliveries,
    delivery_outcome,
    delivery_row,
    hand_over,
    launched_campaign,
    leave_list,
    open_claims,
    state_by_address,
    state_counts,
)

HOUR = timedelta(hours=1)
SLOW = [f"person{number}@slow.example" for number in range(6)]
FAST = [f"person{number}@fast.example" for number in range(6)]


def fetch(
    tx: Connection, *campaign_ids: int, mine: int, most: int = 100, limits: Mapping[str, Limits] | None = None,
    now: object = NOW,
) -> list[Delivery]:  # fmt: skip
    return queue_claiming.claim_within_limits(tx, campaign_ids, mine, most, now, limits or {})  # type: ignore[arg-type]


def test_a_small_campaign_has_its_share_beside_a_large_one_oldest_delivery_first(engine: Engine) -> None:
    with engine.begin() as tx:
        large, small, mine = launched_campaign(tx, 40), launched_campaign(tx, 3, name="gardens"), add_worker(tx)

        claimed = fetch(tx, large, small, mine=mine, most=10)

    ids = [one.id for one in claimed if one.campaign_id == large]
    assert [one.campaign_id for one in claimed] == [large] * 5 + [small] * 3
    assert ids == sorted(ids)
    assert claimed[0].address == "person0@example.org"


def test_with_more_campaigns_than_letters_each_gets_one(engine: Engine) -> None:
    with engine.begin() as tx:
        going, mine = [launched_campaign(tx, 2, name=f"list{number}") for number in range(4)], add_worker(tx)

        claimed = fetch(tx, *going, mine=mine, most=3)

    assert [one.campaign_id for one in claimed] == going


def test_a_campaign_paused_after_the_inspection_is_not_claimed(engine: Engine) -> None:
    with engine.begin() as tx:
        campaign_id, mine = launched_campaign(tx, 2), add_worker(tx)
        due = queue_claiming.inspect_queue(tx, False, NOW).due
        campaigns.change_state(tx, campaign_id, PAUSED, from_states=(SENDING,))

        claimed = fetch(tx, *due, mine=mine)

        assert (due, claimed, open_claims(tx)) == ([campaign_id], [], set())


def test_a_spread_campaign_is_sent_evenly_over_its_time(engine: Engine) -> None:
    with engine.begin() as tx:
        campaign_id, mine = launched_campaign(tx, 60, over_s=30), add_worker(tx)
        gone, later = [], None

        for second in range(40):
            claimed = fetch(tx, campaign_id, mine=mine, now=NOW + timedelta(seconds=second))
            gone.append(len(claimed))
            hand_over(tx, mine, *claimed)
            later = queue_claiming.inspect_queue(tx, False, NOW + timedelta(seconds=second)).due

    assert sum(gone) == 60
    assert max(gone[1:]) <= 3
    assert sum(gone[:10]) <= 10 * 2 + 3
    assert sum(gone[:33]) == 60
    assert later == []


def test_a_spread_campaign_takes_its_time_however_often_it_is_claimed_from(engine: Engine) -> None:
    with engine.begin() as tx:
        campaign_id, mine = launched_campaign(tx, 60, over_s=30), add_worker(tx)

        gone = [
            len(fetch(tx, campaign_id, mine=mine, now=NOW + timedelta(seconds=quarter / 4))) for quarter in range(130)
        ]

    assert sum(gone[:40]) <= 10 * 2 + 3
    assert sum(gone[:80]) >= 20 * 2 - 3
    assert sum(gone) == 60


def test_a_small_campaign_over_a_long_time_sends_single_letters(engine: Engine) -> None:
    with engine.begin() as tx:
        campaign_id, mine = launched_campaign(tx, 3, over_s=3 * 3600), add_worker(tx)

        gone = [len(fetch(tx, campaign_id, mine=mine, now=NOW + HOUR / 4 * quarter)) for quarter in range(12)]

    assert gone == [1, 0, 0, 0] * 3


def test_notices_are_not_spread_and_do_not_wait_for_campaigns(engine: Engine) -> None:
    help_wanted = Notice(kind=Kind.HELP, address="rosa@example.org", suppression_key="key", language="en")
    with engine.begin() as tx:
        launched_campaign(tx, 2)
        mine = add_worker(tx)
        deliveries.add_notice(tx, help_wanted, NOW)
        seen = queue_claiming.inspect_queue(tx, True, NOW)

        claimed = fetch(tx, *seen.due, mine=mine)

        assert (seen.due, [one.kind for one in claimed]) == ([NOTICES], [Kind.HELP])
        assert queue_claiming.inspect_queue(tx, True, NOW).due == []


def test_letters_beyond_a_domains_limit_wait_at_spaced_times_and_others_go(engine: Engine) -> None:
    with engine.begin() as tx:
        campaign_id, mine = launched_campaign(tx, [*SLOW, *FAST]), add_worker(tx)

        claimed = fetch(tx, campaign_id, mine=mine, limits={"slow.example": Limits(per_second=0.5)})
        now = state_by_address(tx, campaign_id)
        due = [delivery_row(tx, number).due_at for number in range(1, 7)]

    assert [one.address for one in claimed] == [SLOW[0], *FAST]
    assert [now[one] for one in SLOW[1:]] == [QUEUED] * 5
    assert due == [None, *(NOW + timedelta(seconds=2 * number) for number in range(1, 6))]


def test_letters_beyond_the_hourly_limit_wait_for_the_next_hour_and_leave_no_claim(engine: Engine) -> None:
    limits = {"slow.example": Limits(per_hour=2)}
    with engine.begin() as tx:
        campaign_id, mine = launched_campaign(tx, SLOW), add_worker(tx)
        first = fetch(tx, campaign_id, mine=mine, most=2, limits=limits)
        before = open_claims(tx)

        none = fetch(tx, campaign_id, mine=mine, limits=limits)
        due = {delivery_row(tx, number).due_at for number in range(3, 7)}
        after = open_claims(tx)
        next_hour = fetch(tx, campaign_id, mine=mine, limits=limits, now=NOW + HOUR)

    assert [one.address for one in first] == SLOW[:2]
    assert none == []
    assert due == {NOW + HOUR}
    assert after == before
    assert [one.address for one in next_hour] == SLOW[2:4]


def test_everybody_at_a_limited_domain_is_claimed_once_over_the_hours(engine: Engine) -> None:
    limits = {"slow.example": Limits(per_hour=2), "fast.example": Limits(per_second=100)}
    with engine.begin() as tx:
        campaign_id, mine = launched_campaign(tx, [*SLOW, *FAST]), add_worker(tx)
        gone = []

        for hour in range(5):
            now = NOW + hour * HOUR
            claimed = fetch(tx, campaign_id, mine=mine, limits=limits, now=now)
            gone += [one.address for one in claimed]
            hand_over(tx, mine, *claimed, now=now)
            done = {one.claim_id for one in claimed}
            gate.commit_batch(
                tx, mine, [delivery_outcome(one, Verdict.ACCEPTED, now) for one in claimed], [], sorted(done), now
            )
        found = state_counts(tx, campaign_id)
        over = queue_claiming.inspect_queue(tx, False, NOW + 5 * HOUR).finished

    assert sorted(gone) == sorted([*SLOW, *FAST])
    assert found == {DeliveryState.ACCEPTED: 12}
    assert over == [campaign_id]


def test_a_suppressed_delivery_does_not_wait_for_a_later_time(engine: Engine) -> None:
    with engine.begin() as tx:
        campaign_id, mine = launched_campaign(tx, SLOW), add_worker(tx)
        fetch(tx, campaign_id, mine=mine, limits={"slow.example": Limits(per_hour=1)})
        leave_list(tx, SLOW[3], EVERY_LIST)

        claimed = fetch(tx, campaign_id, mine=mine, now=NOW + HOUR)

    assert [one.address for one in claimed] == [SLOW[1], SLOW[2], SLOW[4], SLOW[5]]


def test_the_queue_status_says_what_is_due_finished_and_held(engine: Engine) -> None:
    holding = Hold(lane="slow.example", until=NOW + HOUR, reason="421 later")
    with engine.begin() as tx:
        going, paused, over = (launched_campaign(tx, 1, name=name) for name in ("a1", "a2", "a3"))
        campaigns.change_state(tx, paused, PAUSED, from_states=(SENDING,))
        leave_list(tx, "person0@example.org", campaigns.get(tx, over).mailing_list_id)
        lane_holds.set_hold(tx, holding, NOW)
        mine = add_worker(tx)

        first = queue_claiming.inspect_queue(tx, False, NOW)
        [one] = claim_deliveries(tx, going, mine)
        second = queue_claiming.inspect_queue(tx, False, NOW)
        hand_over(tx, mine, one)
        gate.commit_batch(tx, mine, [delivery_outcome(one, Verdict.ACCEPTED)], [], [one.claim_id], NOW)
        third = queue_claiming.inspect_queue(tx, False, NOW)

    assert (first.due, first.finished, first.holds) == ([going], [over], {"slow.example": holding})
    assert (second.due, second.finished) == ([], [over])
    assert (third.due, third.finished) == ([], [going, over])
