"""The queue and its one gate: whatever happens in whatever order, nobody is lost and nobody is mailed unasked."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

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
from queue_room import (
    CANCELLED,
    CLAIMED,
    EVENT,
    FINAL,
    HANDED,
    NOW,
    PAUSED,
    SENDING,
    correct,
    launched,
    leave,
    open_claims,
    settled,
    wanted,
    worker,
)
from sqlalchemy import Engine, select, update

from mailer.domain.campaign import Campaign
from mailer.domain.delivery import MOST_RESENDS, Delivery, DeliveryState, Verdict
from mailer.domain.suppression import EVERY_LIST
from mailer.store import campaigns, claims, deliveries, gate, progress, recovery
from mailer.store.gate import Wanted
from mailer.store.queue_tables import delivery
from mailer.store.tables import subscriber

STEPS = settings(
    max_examples=15, stateful_step_count=35, deadline=None, database=None, suppress_health_check=list(HealthCheck)
)


@dataclass
class Worker:
    """What a worker knows of its own."""

    id: int
    tray: dict[int, Delivery] = field(default_factory=dict)
    handed: dict[int, Delivery] = field(default_factory=dict)
    open: dict[int, set[int]] = field(default_factory=dict)
    """What has not come back of each claim."""

    def come_back(self, those: list[Delivery]) -> list[int]:
        """The claims of which nothing is open any more."""
        for one in those:
            self.open[one.claim_id].discard(one.id)
        done = [number for number, left in self.open.items() if not left]
        for number in done:
            del self.open[number]
        return done


@dataclass(frozen=True)
class Sent:
    """What the gate was asked with when a letter passed."""

    dated_at: Any
    revision_id: int | None
    language: str | None
    values: Any


class Queue(RuleBasedStateMachine):
    """One campaign to four people; two workers, their predecessors that came back to life, people and organisers."""

    def __init__(self, engine: Engine) -> None:
        super().__init__()
        # Never committed: every run finds the database as empty as the one before.
        self.tx = engine.connect()
        self.now = NOW
        self.dead: list[tuple[int, Delivery]] = []
        self.left: set[str] = set()
        self.taken: set[int] = set()
        """Claims that somebody who left took from their worker, who learns of it at the gate."""
        self.letters: dict[int, Sent] = {}
        """The last letter that passed the gate, of those whose fate may be unknown."""
        self.final: dict[int, DeliveryState] = {}

    def teardown(self) -> None:
        self.tx.rollback()
        self.tx.close()

    @initialize(policy=st.sampled_from(["resend", "park"]))
    def begin(self, policy: str) -> None:
        self.campaign_id = launched(self.tx, 4, when_uncertain=policy)
        self.policy = policy
        self.workers = [Worker(worker(self.tx)) for _ in range(2)]

    @property
    def campaign(self) -> Campaign:
        return campaigns.get(self.tx, self.campaign_id)

    @rule(which=st.integers(0, 1), most=st.integers(1, 4))
    def claim(self, which: int, most: int) -> None:
        mine = self.workers[which]
        held = self.in_hands()

        found = claims.take(self.tx, self.campaign_id, mine.id, most, self.now)

        assert len({one.id for one in found}) == len(found) <= most
        for one in found:
            assert one.id not in self.final
            assert one.id not in held
            self.check_repeat(one)
            mine.tray[one.id] = one
            mine.open.setdefault(one.claim_id, set()).add(one.id)

    def check_repeat(self, one: Delivery) -> None:
        """A letter that may have gone out is repeated octet for octet; any other is written anew."""
        if one.id in self.letters:
            assert Sent(one.dated_at, one.revision_id, one.language, wanted(one).values) == self.letters[one.id]
            assert one.corrections is None
        else:
            assert one.dated_at is None
            assert one.corrections == self.campaign.corrections

    @rule(which=st.integers(0, 1), most=st.integers(1, 4))
    def hand(self, which: int, most: int) -> None:
        mine, told = self.workers[which], self.campaign
        those = [mine.tray.pop(number) for number in sorted(mine.tray)[:most]]
        asked = [wanted(one, self.now) for one in those]

        went = gate.turn(self.tx, mine.id, [], asked, [], self.now)

        open_gate = told.state is SENDING and self.now < NOW + EVENT
        fresh = {one.id for one in those if one.corrections in {None, told.corrections}}
        welcome = {one.id for one in those if one.address not in self.left and one.id not in self.taken}
        assert went == (fresh & welcome if open_gate else set())
        mine.handed |= {one.id: one for one in those if one.id in went}
        self.letters |= {one.delivery_id: _sent(one) for one in asked if one.delivery_id in went}
        missed = [one for one in those if one.id not in went]
        self.taken -= {one.id for one in missed}
        gate.turn(self.tx, mine.id, [], [], mine.come_back(missed), self.now)

    @rule(which=st.integers(0, 1), most=st.integers(1, 4), verdict=st.sampled_from(Verdict))
    def answer(self, which: int, most: int, verdict: Verdict) -> None:
        mine = self.workers[which]
        those = [mine.handed.pop(number) for number in sorted(mine.handed)[:most]]
        words = [settled(one, verdict, self.now) for one in those]
        for one in words:
            if one.redate:
                del self.letters[one.delivery_id]

        gate.turn(self.tx, mine.id, words, [], mine.come_back(those), self.now)

        assert {one.delivery_id: self.rows()[one.delivery_id].state for one in words} == {
            one.delivery_id: one.state for one in words
        }

    @rule(which=st.integers(0, 1))
    def put_back(self, which: int) -> None:
        mine = self.workers[which]
        those = list(mine.tray.values())

        gate.put_back(self.tx, [(one.id, self.now) for one in those], self.now)

        mine.tray.clear()
        self.taken -= {one.id for one in those}
        gate.turn(self.tx, mine.id, [], [], mine.come_back(those), self.now)

    @rule(which=st.integers(0, 1))
    def die_and_be_buried(self, which: int) -> None:
        gone = self.workers[which]
        self.dead += [(gone.id, one) for one in (gone.tray | gone.handed).values()]
        self.taken -= set(gone.tray)

        found = recovery.bury(self.tx, [gone.id], self.now)

        parked = {one.id for one in gone.handed.values() if one.resends == MOST_RESENDS or self.policy == "park"}
        assert (set(found.resent), set(found.parked)) == (set(gone.handed) - parked, parked)
        self.workers[which] = Worker(worker(self.tx))

    @precondition(lambda self: self.dead)
    @rule(data=st.data(), verdict=st.sampled_from(Verdict))
    def the_dead_speak(self, data: st.DataObject, verdict: Verdict) -> None:
        worker_id, one = data.draw(st.sampled_from(self.dead))
        everything = sorted(open_claims(self.tx))
        before = self.rows(), everything, self.campaign

        went = gate.turn(
            self.tx, worker_id, [settled(one, verdict, self.now)], [wanted(one, self.now)], everything, self.now
        )

        assert went == set()
        assert (self.rows(), sorted(open_claims(self.tx)), self.campaign) == before

    @rule(number=st.integers(0, 1), mailing_list=st.sampled_from(["this", "every"]))
    def leave(self, number: int, mailing_list: str) -> None:
        address = f"person{number}@example.org"
        self.left.add(address)
        trays = [one for mine in self.workers for one in mine.tray.values()]
        if self.campaign.state is not CANCELLED:
            self.taken |= {one.id for one in trays if one.address == address}
        leave(self.tx, address, self.campaign.mailing_list_id if mailing_list == "this" else EVERY_LIST, self.now)

    @rule(
        number=st.integers(1, 3), name=st.sampled_from([None, "Émma", "Rosa"]), language=st.sampled_from([None, "de"])
    )
    def tell_of_oneself(self, number: int, name: str | None, language: str | None) -> None:
        who = subscriber.c.address == f"person{number}@example.org"
        self.tx.execute(update(subscriber).where(who).values(name=name, language=language))

    @rule()
    def correct(self) -> None:
        correct(self.tx, self.campaign_id)

    @rule(to=st.sampled_from([PAUSED, SENDING]))
    def pause_or_resume(self, to: Any) -> None:
        campaigns.move(self.tx, self.campaign_id, to, of=(SENDING, PAUSED))

    @precondition(lambda self: self.now > NOW + EVENT / 2)
    @rule()
    def cancel(self) -> None:
        campaigns.move(self.tx, self.campaign_id, CANCELLED, of=(SENDING, PAUSED))

    @rule(of=st.sampled_from([DeliveryState.FAILED, DeliveryState.UNCERTAIN]))
    def ask_to_retry(self, of: DeliveryState) -> None:
        assert deliveries.wait_again(self.tx, self.campaign_id, of, 0, 10, self.now) is not None
        for number in [number for number, state in self.final.items() if state is of]:
            del self.final[number]
            self.letters.pop(number, None)

    @rule(minutes=st.sampled_from([10, 300]))
    def wait(self, minutes: int) -> None:
        self.now = self.now + (EVENT / 48 if minutes == 10 else EVENT / 1.6)

    @rule()
    def end_what_is_over(self) -> None:
        for campaign_id, state in campaigns.over(self.tx, self.now):
            end = DeliveryState.CANCELLED if state is CANCELLED else DeliveryState.EXPIRED
            while deliveries.end_waiting(self.tx, campaign_id, end, 2):
                pass
        assert campaigns.over(self.tx, self.now) == []

    @invariant()
    def everyone_is_accounted_for(self) -> None:
        counts = progress.counts(self.tx, self.campaign_id)
        assert sum(counts.values()) == self.campaign.audience == 4
        holds = any(mine.open for mine in self.workers)
        assert progress.any_open(self.tx, self.campaign_id) == (holds or not set(counts) <= FINAL)

    @invariant()
    def the_ledger_agrees_with_the_workers_and_with_what_was_settled_before(self) -> None:
        lines = {line.id: line.state for line in progress.of_campaign(self.tx, self.campaign_id, 0, 10)}
        trays = {number for mine in self.workers for number in mine.tray}
        assert {number for number, state in lines.items() if state is CLAIMED} == trays - self.taken
        assert {number for number, state in lines.items() if state is HANDED} == {
            number for mine in self.workers for number in mine.handed
        }
        assert open_claims(self.tx) == {number for mine in self.workers for number in mine.open}
        assert {number: lines[number] for number in self.final} == self.final
        rows = self.rows().values()
        assert all(row.resends <= MOST_RESENDS and (row.state not in FINAL or row.due_at is None) for row in rows)
        self.final = {number: state for number, state in lines.items() if state in FINAL}

    def in_hands(self) -> set[int]:
        return {number for mine in self.workers for number in mine.tray | mine.handed}

    def rows(self) -> dict[int, Any]:
        found = self.tx.execute(select(delivery).where(delivery.c.campaign_id == self.campaign_id))
        return {row.id: row for row in found}


def _sent(one: Wanted) -> Sent:
    return Sent(one.dated_at, one.revision_id, one.language, one.values)


def test_in_whatever_order_things_happen_the_queue_keeps_its_promises(engine: Engine) -> None:
    run_state_machine_as_test(lambda: Queue(engine), settings=STEPS)
