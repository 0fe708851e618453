"""The queue and its one gate: whatever happens in whatever order, nobody is lost and nobody is mailed unasked."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import Connection, Engine, Row, select

from mailer.domain.address import parse_address
from mailer.domain.campaign import CampaignState
from mailer.domain.delivery import (
    MOST_RESENDS,
    NOTICES,
    Delivery,
    DeliveryState,
    Kind,
    Notice,
    Outcome,
    Settlement,
    Verdict,
    settle,
)
from mailer.domain.suppression import EVERY_LIST, Reason
from mailer.store import audience, campaigns, deliveries, progress, subscribers, subscriptions, suppressions, workers
from mailer.store import mailing_lists as lists
from mailer.store.database import Database, open_engine
from mailer.store.queue_tables import delivery

NOW = datetime(2027, 3, 1, 8, 0, tzinfo=UTC)
EVENT = timedelta(hours=8)
SENDING, PAUSED, CANCELLED = CampaignState.SENDING, CampaignState.PAUSED, CampaignState.CANCELLED
HANDED, CLAIMED = DeliveryState.HANDED, DeliveryState.CLAIMED
FINAL = set(DeliveryState) - {HANDED, CLAIMED, DeliveryState.QUEUED, DeliveryState.DEFERRED}

STEPS = settings(
    max_examples=20, stateful_step_count=25, deadline=None, database=None, suppress_health_check=list(HealthCheck)
)


def launched(tx: Connection, people: int, *, name: str = "appeals") -> int:
    """A campaign to so many people whose audience is frozen; its id."""
    appeals = lists.add(tx, name=name, title="Appeals", description="", language="en", owner="ada@example.org", now=NOW)
    addresses = [parse_address(f"person{number}@example.org") for number in range(people)]
    ids = [subscribers.find_or_add(tx, one, f"key of {one.key}", NOW) for one in addresses]
    subscriptions.confirm_many(tx, appeals.id, {number: {} for number in ids}, NOW)
    starts_at = NOW + EVENT
    campaign_id = campaigns.add(tx, mailing_list_id=appeals.id, subject="Seeds", event_starts_at=starts_at, now=NOW)
    ceiling = audience.ceiling(tx, appeals.id)
    campaigns.move(tx, campaign_id, SENDING, of=(CampaignState.DRAFT,), launched_at=NOW, launch_ceiling=ceiling)
    written = audience.freeze(tx, campaigns.get(tx, campaign_id), {"en": 1}, ceiling, NOW)
    campaigns.advance_launch(tx, campaign_id, cursor=ceiling, more=written)
    return campaign_id


def outcome(verdict: Verdict) -> Outcome:
    return Outcome(verdict, None, verdict.value)


class Queue(RuleBasedStateMachine):
    """One campaign to four people; a worker, its predecessors that came back to life, people and organisers."""

    def __init__(self, engine: Engine) -> None:
        super().__init__()
        # Never committed: every run finds the database as empty as the one before.
        self.tx = engine.connect()
        self.now = NOW
        self.claimed: dict[int, Delivery] = {}
        self.handed: dict[int, Delivery] = {}
        self.lost: list[tuple[int, Delivery]] = []
        self.accepted: set[int] = set()
        self.left: set[str] = set()
        self.taken: set[int] = set()
        """Claims that somebody who left took from the worker, who learns of it at the gate."""
        self.final: dict[int, DeliveryState] = {}

    def teardown(self) -> None:
        self.tx.rollback()
        self.tx.close()

    @initialize()
    def begin(self) -> None:
        self.campaign_id = launched(self.tx, 4)
        self.worker_id = workers.enter(self.tx, "campaigns", self.now)

    @property
    def state(self) -> CampaignState:
        return campaigns.get(self.tx, self.campaign_id).state

    @rule(most=st.integers(2, 4))
    def claim(self, most: int) -> None:
        for one in deliveries.claim(self.tx, [self.campaign_id], self.worker_id, most, self.now):
            assert one.id not in self.final
            self.claimed[one.id] = one

    @precondition(lambda self: self.claimed)
    @rule(most=st.integers(1, 4))
    def hand(self, most: int) -> None:
        wanted = [self.claimed.pop(number) for number in sorted(self.claimed)[:most]]
        dates = {one.id: one.dated_at or self.now for one in wanted}

        went = deliveries.turn(self.tx, [], dates | dict.fromkeys(self.handed, self.now), self.worker_id, self.now)

        open_gate = self.state is SENDING and self.now < NOW + EVENT
        assert went == {one.id for one in wanted if open_gate and one.address not in self.left}
        self.handed |= {one.id: one for one in wanted if one.id in went}

    @precondition(lambda self: self.handed)
    @rule(most=st.integers(1, 4), verdict=st.sampled_from(Verdict))
    def answer(self, most: int, verdict: Verdict) -> None:
        answered = [self.handed.pop(number) for number in sorted(self.handed)[:most]]
        self.accepted |= {one.id for one in answered if verdict is Verdict.ACCEPTED}

        deliveries.turn(self.tx, [self.settled(one, verdict) for one in answered], {}, self.worker_id, self.now)

    @precondition(lambda self: self.claimed)
    @rule()
    def put_back(self) -> None:
        deliveries.put_back(self.tx, list(self.claimed), self.worker_id, self.now)
        self.claimed.clear()

    @precondition(lambda self: self.claimed or self.handed)
    @rule()
    def die_and_recover(self) -> None:
        self.lost += [(self.worker_id, one) for one in (self.claimed | self.handed).values()]
        self.worker_id = workers.enter(self.tx, "campaigns", self.now)

        found = deliveries.recover(self.tx, self.campaign_id, self.worker_id, self.now)

        assert set(found.resent + found.parked) == set(self.handed)
        self.claimed, self.handed = {}, {}

    @precondition(lambda self: self.lost)
    @rule(data=st.data(), verdict=st.sampled_from(Verdict))
    def the_dead_speak(self, data: st.DataObject, verdict: Verdict) -> None:
        worker_id, one = data.draw(st.sampled_from(self.lost))
        before = self.rows()

        went = deliveries.turn(self.tx, [self.settled(one, verdict)], {one.id: self.now}, worker_id, self.now)

        assert went == set()
        assert self.rows() == before

    @rule(number=st.integers(0, 1), mailing_list=st.sampled_from(["this", "every"]))
    def leave(self, number: int, mailing_list: str) -> None:
        address, list_id = f"person{number}@example.org", campaigns.get(self.tx, self.campaign_id).mailing_list_id
        self.left.add(address)
        self.taken |= {one.id for one in self.claimed.values() if one.address == address}
        barred = list_id if mailing_list == "this" else EVERY_LIST
        suppressions.order(self.tx, f"key of {address}", barred, Reason.LEFT, self.now)
        known = subscribers.ids(self.tx, [address])
        deliveries.suppress_waiting(self.tx, known[address], barred)

    @rule(to=st.sampled_from([PAUSED, SENDING]))
    def pause_or_resume(self, to: CampaignState) -> None:
        campaigns.move(self.tx, self.campaign_id, to, of=(SENDING, PAUSED))

    @precondition(lambda self: self.now > NOW + timedelta(hours=4))
    @rule()
    def cancel(self) -> None:
        campaigns.move(self.tx, self.campaign_id, CANCELLED, of=(SENDING, PAUSED))

    @rule(minutes=st.sampled_from([10, 300]))
    def wait(self, minutes: int) -> None:
        self.now += timedelta(minutes=minutes)

    @rule()
    def end_what_is_over(self) -> None:
        for campaign_id, state in campaigns.over_with_waiting(self.tx, self.now):
            end = DeliveryState.CANCELLED if state is CANCELLED else DeliveryState.EXPIRED
            deliveries.end_waiting(self.tx, campaign_id, end, 500)

    @invariant()
    def everyone_is_accounted_for(self) -> None:
        counts = progress.counts(self.tx, self.campaign_id)
        assert sum(counts.values()) == campaigns.get(self.tx, self.campaign_id).audience == 4
        assert progress.any_open(self.tx, self.campaign_id) is not set(counts).issubset(FINAL)

    @invariant()
    def the_ledger_agrees_with_the_worker_and_with_what_was_settled_before(self) -> None:
        rows = self.rows()
        assert {number for number, row in rows.items() if row.state == CLAIMED} == set(self.claimed) - self.taken
        assert {number for number, row in rows.items() if row.state == HANDED} == set(self.handed)
        assert {number for number, row in rows.items() if row.state == DeliveryState.ACCEPTED} == self.accepted
        assert {number: rows[number].state for number in self.final} == self.final
        assert all(row.resends <= MOST_RESENDS for row in rows.values())
        self.final = {number: DeliveryState(row.state) for number, row in rows.items() if row.state in FINAL}

    def settled(self, one: Delivery, verdict: Verdict) -> Settlement:
        return settle(one, outcome(verdict), self.now, 0.0)

    def rows(self) -> dict[int, Row[Any]]:
        found = self.tx.execute(select(delivery).where(delivery.c.campaign_id == self.campaign_id))
        return {row.id: row for row in found}


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    """Each database, empty."""
    made = open_engine(database_url)
    yield made
    made.dispose()


def test_in_whatever_order_things_happen_the_queue_keeps_its_promises(engine: Engine) -> None:
    run_state_machine_as_test(lambda: Queue(engine), settings=STEPS)


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """Each database, as the service opens it."""
    made = Database(database_url)
    yield made
    await made.close()


async def test_of_two_workers_that_reach_at_once_each_delivery_goes_to_one(database: Database) -> None:
    campaign_id = await database.write(launched, 30)
    mine, yours = [await database.write(workers.enter, "campaigns", NOW) for _ in range(2)]

    trays = await asyncio.gather(
        *(database.write(deliveries.claim, [campaign_id], worker, 5, NOW) for worker in [mine, yours] * 3)
    )

    claimed = [one.id for tray in trays for one in tray]
    assert len(set(claimed)) == len(claimed) == 30


def test_a_small_campaign_has_its_share_beside_a_large_one_and_goes_oldest_first(engine: Engine) -> None:
    with engine.begin() as tx:
        large, small = launched(tx, 40), launched(tx, 3, name="gardens")
        worker_id = workers.enter(tx, "campaigns", NOW)

        claimed = deliveries.claim(tx, [large, small], worker_id, 10, NOW)

    ids = [one.id for one in claimed if one.campaign_id == large]
    assert [one.campaign_id for one in claimed] == [large] * 5 + [small] * 3
    assert ids == sorted(ids)
    assert claimed[0].address == "person0@example.org"


def test_the_word_of_a_worker_given_up_for_dead_counts_no_more(engine: Engine) -> None:
    with engine.begin() as tx:
        campaign_id = launched(tx, 2)
        dead, alive = (workers.enter(tx, "campaigns", NOW) for _ in range(2))
        first, second = deliveries.claim(tx, [campaign_id], dead, 2, NOW)
        deliveries.turn(tx, [], {first.id: NOW}, dead, NOW)
        deliveries.recover(tx, campaign_id, alive, NOW)
        deliveries.claim(tx, [campaign_id], alive, 2, NOW)
        deliveries.turn(tx, [], {first.id: NOW}, alive, NOW)

        refused = settle(first, outcome(Verdict.REFUSED), NOW, 0.0)
        went = deliveries.turn(tx, [refused], {second.id: NOW}, dead, NOW)
        counts = progress.counts(tx, campaign_id)

    assert went == set()
    assert counts == {HANDED: 1, CLAIMED: 1}


def test_a_letter_whose_worker_dies_a_third_time_is_parked_and_one_in_living_hands_is_left_alone(
    engine: Engine,
) -> None:
    with engine.begin() as tx:
        campaign_id = launched(tx, 2)
        found = []
        for _ in range(3):
            mortal = workers.enter(tx, "campaigns", NOW)
            [one] = deliveries.claim(tx, [campaign_id], mortal, 1, NOW)
            deliveries.turn(tx, [], {one.id: NOW}, mortal, NOW)
            alive = workers.enter(tx, "campaigns", NOW)
            found.append(deliveries.recover(tx, campaign_id, alive, NOW))
        [other] = deliveries.claim(tx, [campaign_id], alive, 1, NOW)

        untouched = deliveries.recover(tx, campaign_id, alive, NOW)
        counts = progress.counts(tx, campaign_id)

    assert [(one.resent, one.parked) for one in found] == [((1,), ()), ((1,), ()), ((), (1,))]
    assert (other.id, untouched.resent) == (2, ())
    assert counts == {DeliveryState.UNCERTAIN: 1, CLAIMED: 1}


def test_the_gate_closes_the_moment_the_event_begins(engine: Engine) -> None:
    with engine.begin() as tx:
        campaign_id = launched(tx, 2)
        worker_id = workers.enter(tx, "campaigns", NOW)
        first, second = deliveries.claim(tx, [campaign_id], worker_id, 2, NOW)

        before = deliveries.turn(tx, [], {first.id: NOW}, worker_id, NOW + EVENT - timedelta(seconds=1))
        after = deliveries.turn(tx, [], {second.id: NOW}, worker_id, NOW + EVENT)
        counts = progress.counts(tx, campaign_id)

    assert (before, after) == ({first.id}, set())
    assert counts == {HANDED: 1, DeliveryState.EXPIRED: 1}


@pytest.mark.parametrize(("verdict", "kept"), [(Verdict.UNKNOWN, True), (Verdict.DEFERRED, False)])
def test_a_letter_keeps_its_date_unless_it_was_definitely_refused(engine: Engine, verdict: Verdict, kept: bool) -> None:
    with engine.begin() as tx:
        campaign_id = launched(tx, 1)
        worker_id = workers.enter(tx, "campaigns", NOW)
        [first] = deliveries.claim(tx, [campaign_id], worker_id, 1, NOW)
        deliveries.turn(tx, [], {first.id: NOW}, worker_id, NOW)
        later = NOW + timedelta(hours=1)

        deliveries.turn(tx, [settle(first, outcome(verdict), NOW, 0.0)], {}, worker_id, NOW)
        [again] = deliveries.claim(tx, [campaign_id], worker_id, 1, later)
        deliveries.put_back(tx, [again.id], worker_id, later)
        counts = progress.counts(tx, campaign_id)

    assert counts == {DeliveryState.DEFERRED: 1}
    assert again.dated_at == (NOW if kept else None)
    assert (again.attempts, again.resends) == (1, int(kept))


@pytest.mark.parametrize(("barred", "goes"), [("the list", True), ("every list", False)])
def test_a_notice_goes_to_who_left_its_list_but_not_to_who_wants_none_at_all(
    engine: Engine, barred: str, goes: bool
) -> None:
    notice = Notice(
        kind=Kind.GOODBYE,
        address="rosa@example.org",
        suppression_key="key",
        language="en",
        mailing_list_id=1,
        cause="c",
    )
    with engine.begin() as tx:
        worker_id = workers.enter(tx, "notices", NOW)
        suppressions.order(tx, "key", 1 if barred == "the list" else EVERY_LIST, Reason.LEFT, NOW)

        written = [deliveries.add_notice(tx, notice, NOW) for _ in range(2)]
        [claimed] = deliveries.claim(tx, [NOTICES], worker_id, 5, NOW)
        handed = deliveries.turn(tx, [], {claimed.id: NOW}, worker_id, NOW)
        counts = progress.counts(tx, NOTICES)

    assert written == [True, False]
    assert handed == ({claimed.id} if goes else set())
    assert counts == {HANDED if goes else DeliveryState.SUPPRESSED: 1}
