"""The queue and its gate: in any order of events no delivery is lost and nobody is mailed who must not be.

`make crash` runs the same with many more examples.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterable
from datetime import timedelta
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
from sqlalchemy import Engine, text, update

from mailer.domain.campaign import FINISHED, Campaign, CampaignState
from mailer.domain.delivery import MOST_RESENDS, NOTICES, WAITING, Delivery, DeliveryState, Kind, Notice, Verdict
from mailer.domain.rate_limits import Limits
from mailer.domain.retry import retry_wrongly_refused
from mailer.domain.suppression import EVERY_LIST, SuppressionReason
from mailer.errors import LeaseLost
from mailer.store import campaign_progress, campaigns, suppressions
from mailer.store.counts import campaign_counts
from mailer.store.database import is_sqlite
from mailer.store.people_tables import subscriber
from mailer.store.queue import claim_release, deliveries, gate, orphans, queue_claiming, unrendered_notices, workers
from tests.support.app_helpers import THOROUGH
from tests.support.queue_helpers import (
    CANCELLED,
    CLAIMED,
    EVENT,
    FINAL,
    HANDED,
    LAUNCHING,
    NOW,
    PAUSED,
    SENDING,
    SENT,
    add_worker,
    correct_campaign,
    delivery_outcome,
    find_orphans,
    handoff_request,
    launched_campaign,
    leave_list,
    open_claims,
    recover_dead,
)
from tests.support.queue_model import LetterFields, WorkerModel, letter_fields

STEPS = settings(
    max_examples=1500 if THOROUGH else 60,
    stateful_step_count=60 if THOROUGH else 25,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)
PEOPLE = [f"person{number}@{domain}" for number, domain in enumerate(["big.example"] * 3 + ["small.example"] * 3)]
SLOW = {"small.example": Limits(per_hour=2)}
WHICH, SOME = st.integers(0, 1), st.integers(1, 6)
MINUTES = st.sampled_from([0, 5, 20])
# Deferrals are drawn more often: a letter that is settled tests nothing more.
VERDICT = st.sampled_from([Verdict.DEFERRED, Verdict.DEFERRED, *Verdict])
WORD = st.tuples(VERDICT, st.booleans())
FEW = st.integers(0, 2)
RUN = st.tuples(WHICH, SOME, FEW, st.lists(WORD, max_size=3), FEW, MINUTES)


class Queue(RuleBasedStateMachine):
    """One campaign to six people, and notices; two workers, dead workers, subscribers and organisers."""

    def __init__(self, engine: Engine) -> None:
        super().__init__()
        # Never committed, so that every run begins with an empty database.
        self.tx = engine.connect()
        if not is_sqlite(engine):
            # Hypothesis may take long between two steps.
            self.tx.exec_driver_sql("SET LOCAL idle_in_transaction_session_timeout = 0")
        self.now = NOW
        self.dead: list[WorkerModel] = []
        """Killed, and not recovered yet."""
        self.recovered: list[tuple[int, Delivery]] = []
        self.left: dict[str, set[int]] = {one: set() for one in PEOPLE}
        """The lists (EVERY_LIST: all) from which each person has unsubscribed."""
        self.suppressed: set[int] = set()
        """Claimed deliveries of people who left: their worker learns of it at the gate."""
        self.letters: dict[int, LetterFields] = {}
        """The last letter that passed the gate, of deliveries whose outcome may be unknown."""
        self.copies = Counter[int]()
        """How often a letter may have arrived, since it was new or an organiser requeued it."""
        self.final: dict[int, DeliveryState] = {}
        self.declared_failed: set[int] = set()
        """Of unknown outcome, and declared failed by an organiser: no relay refused them."""

    def teardown(self) -> None:
        try:
            if sys.exc_info()[0] is None and hasattr(self, "campaign_id"):
                self.everything_ends()
        finally:
            self.tx.rollback()
            self.tx.close()

    @initialize(policy=st.sampled_from(["resend", "park"]))
    def begin(self, policy: str) -> None:
        self.campaign_id = launched_campaign(self.tx, PEOPLE, when_uncertain=policy)
        self.list_id = self.campaign.mailing_list_id
        self.policy = policy
        self.workers = [WorkerModel(add_worker(self.tx)) for _ in range(2)]

    @property
    def campaign(self) -> Campaign:
        return campaigns.get(self.tx, self.campaign_id)

    # --- Workers ---------------------------------------------------------------------------------------------------

    @rule(which=WHICH, most=SOME, notices=st.booleans(), limits=st.sampled_from([{}, SLOW]))
    def claim(self, which: int, most: int, notices: bool, limits: dict[str, Limits]) -> None:
        mine, held = self.workers[which], {one.id for one in self.held_by_workers()}
        queue = NOTICES if notices else self.campaign_id

        found = queue_claiming.claim_within_limits(self.tx, [queue], mine.id, most, self.now, limits)

        assert len({one.id for one in found}) == len(found) <= most
        assert not found or notices or self.campaign.state is SENDING
        for one in found:
            assert one.id not in self.final
            assert one.id not in held
            self.check_repeat(one)
        mine.add_claimed(found)

    def check_repeat(self, one: Delivery) -> None:
        """A letter that may have been sent is repeated octet for octet; any other is rendered again."""
        if one.id in self.letters:
            assert letter_fields(handoff_request(one)) == self.letters[one.id]
            assert one.corrections is None
        else:
            assert one.dated_at is None
            assert one.corrections == (self.campaign.corrections if one.campaign_id else None)

    @rule(which=WHICH, most=SOME)
    def hand(self, which: int, most: int) -> None:
        self.commit(self.workers[which], {}, self.workers[which].pop_queued(most))

    @rule(which=WHICH, most=SOME, verdict=VERDICT)
    def answer(self, which: int, most: int, verdict: Verdict) -> None:
        mine = self.workers[which]
        self.commit(mine, {one.id: (one, verdict, False) for one in mine.pop_handed(most)}, [])

    @rule(which=WHICH, words=st.lists(WORD, max_size=3), most=SOME)
    def answer_and_hand(self, which: int, words: list[tuple[Verdict, bool]], most: int) -> None:
        mine = self.workers[which]
        said = zip(mine.pop_handed(len(words)), words, strict=False)
        self.commit(mine, {one.id: (one, *word) for one, word in said}, mine.pop_queued(most))

    @rule(runs=st.lists(RUN, min_size=1, max_size=3))
    def send(self, runs: list[tuple[int, int, int, list[tuple[Verdict, bool]], int, int]]) -> None:
        """What workers do most of the time: claim, hand over, get answers, release what was too much."""
        for which, most, few, words, unused, minutes in runs:
            self.claim(which, most, False, {})
            self.hand(which, few)
            self.answer_and_hand(which, words, 0)
            self.put_back(which, unused, minutes)
            self.now += timedelta(minutes=minutes)

    def commit(
        self, mine: WorkerModel, answers: dict[int, tuple[Delivery, Verdict, bool]], those: list[Delivery]
    ) -> None:
        """One commit: outcomes of letters, and the next letters."""
        campaign, asked = self.campaign, [handoff_request(one, self.now) for one in those]
        words = {}
        for number, (one, verdict, wrongly_refused) in answers.items():
            word = delivery_outcome(one, verdict, self.now)
            # Refused, but not because of its recipient.
            words[number] = (
                retry_wrongly_refused(word, one, self.now, 0.0)
                if wrongly_refused and verdict is Verdict.REFUSED
                else word
            )
            if words[number].renew_date:
                del self.letters[number]
            if verdict in {Verdict.ACCEPTED, Verdict.UNKNOWN}:
                self.may_have_arrived(number)
        done = mine.release_and_close([one for one, _, _ in answers.values()])

        went = gate.commit_batch(self.tx, mine.id, list(words.values()), asked, done, self.now)

        assert went == {one.id for one in those if self.may_go(one, campaign)}
        rows = self.rows()
        assert {number: rows[number].state for number in words} == {n: one.state for n, one in words.items()}
        self.letters |= {one.delivery_id: letter_fields(one) for one in asked if one.delivery_id in went}
        mine.handed |= {one.id: one for one in those if one.id in went}
        missed = [one for one in those if one.id not in went]
        self.suppressed -= {one.id for one in missed}
        mine.release(missed)

    def may_go(self, one: Delivery, campaign: Campaign) -> bool:
        if one.campaign_id == NOTICES:
            return True  # it answers somebody, who may have left
        fresh = one.corrections in {None, campaign.corrections} and one.id not in self.suppressed
        return fresh and campaign.state is SENDING and self.now < NOW + EVENT and not self.left[one.address]

    def may_have_arrived(self, number: int) -> None:
        self.copies[number] += 1
        parks = self.policy == "park" and self.rows()[number].campaign_id
        assert self.copies[number] <= 1 + (0 if parks else MOST_RESENDS)

    @rule(which=WHICH, most=SOME, minutes=MINUTES)
    def put_back(self, which: int, most: int, minutes: int) -> None:
        """A lane is held, or sending stops."""
        mine = self.workers[which]
        those = mine.pop_queued(most)

        gate.release_own_deliveries(
            self.tx, mine.id, [(one.id, self.now + timedelta(minutes=minutes)) for one in those], self.now
        )

        self.suppressed -= {one.id for one in those}
        mine.release(those)

    @rule(which=WHICH)
    def cannot_be_rendered(self, which: int) -> None:
        """A notice waits with the reason; a campaign is paused."""
        mine = self.workers[which]
        for one in mine.pop_queued(1):
            if one.campaign_id == NOTICES:
                claim_release.release_deliveries(self.tx, [(one.id, self.now + timedelta(minutes=1))], self.now)
                unrendered_notices.note_unwritten(self.tx, one.id, "why")
            else:
                campaigns.change_state(self.tx, self.campaign_id, PAUSED, from_states=(SENDING,))
                gate.release_own_deliveries(self.tx, mine.id, [(one.id, self.now)], self.now)
            self.suppressed.discard(one.id)
            mine.release([one])

    @rule(which=WHICH)
    def be_idle(self, which: int) -> None:
        """Nothing is due: renew the lease, and delete finished claims."""
        mine = self.workers[which]
        workers.renew_lease(self.tx, mine.id, self.now)
        gate.commit_batch(self.tx, mine.id, [], [], mine.release_and_close([]), self.now)

    # --- Deaths ----------------------------------------------------------------------------------------------------

    @rule(which=st.sets(WHICH, min_size=1), known=st.booleans())
    def die(self, which: set[int], known: bool) -> None:
        """A worker is killed unnoticed, or recovered while it may still act."""
        for number in which:
            self.dead.append(self.workers[number])
            self.workers[number] = WorkerModel(add_worker(self.tx))
        if known:
            self.recover(self.dead[-len(which) :])

    @precondition(lambda self: self.dead)
    @rule(data=st.data())
    def recover_some(self, data: st.DataObject) -> None:
        those = data.draw(st.sets(st.sampled_from(range(len(self.dead))), min_size=1))
        self.recover([self.dead[number] for number in those])

    def recover(self, those: list[WorkerModel]) -> None:
        handed = {one.id: one for mine in those for one in mine.handed.values()}
        parked = {
            number
            for number, one in handed.items()
            if one.resends == MOST_RESENDS or (self.policy == "park" and one.campaign_id)
        }
        for number in handed:
            self.may_have_arrived(number)

        found = recover_dead(self.tx, *(mine.id for mine in those), now=self.now)

        assert (set(found.resent), set(found.parked)) == (set(handed) - parked, parked)
        for mine in those:
            self.suppressed -= set(mine.queued)
            self.recovered += [(mine.id, one) for one in (mine.queued | mine.handed).values()]
            self.dead.remove(mine)

    @precondition(lambda self: self.recovered)
    @rule(data=st.data(), verdict=VERDICT)
    def recovered_worker_acts(self, data: st.DataObject, verdict: Verdict) -> None:
        worker_id, one = data.draw(st.sampled_from(self.recovered))
        everything = sorted(open_claims(self.tx))
        before = self.rows(), everything, self.campaign

        words = [delivery_outcome(one, verdict, self.now)]
        went = gate.commit_batch(self.tx, worker_id, words, [handoff_request(one, self.now)], everything, self.now)
        gate.release_own_deliveries(self.tx, worker_id, [(one.id, self.now)], self.now)
        with pytest.raises(LeaseLost):
            workers.renew_lease(self.tx, worker_id, self.now)
        with pytest.raises(LeaseLost):
            queue_claiming.claim_within_limits(self.tx, [self.campaign_id], worker_id, 1, self.now, {})

        assert went == set()
        assert (self.rows(), sorted(open_claims(self.tx)), self.campaign) == before

    # --- People ----------------------------------------------------------------------------------------------------

    @rule(address=st.sampled_from(PEOPLE[:2]), every=st.booleans(), back=st.booleans())
    def leave(self, address: str, every: bool, back: bool) -> None:
        """Unsubscribe, or subscribe again: what was suppressed stays suppressed."""
        mailing_list_id = EVERY_LIST if every else self.list_id
        if back:
            suppressions.lift_suppressions(self.tx, f"key of {address}", mailing_list_id, SuppressionReason.LEFT)
            self.left[address].discard(mailing_list_id)
            return
        self.left[address].add(mailing_list_id)
        if self.campaign.state not in FINISHED:
            mine = [one for one in self.queued() if one.campaign_id and one.address == address]
            self.suppressed |= {one.id for one in mine}
        leave_list(self.tx, address, mailing_list_id, self.now)

    @rule(address=st.sampled_from(PEOPLE))
    def ask_for_help(self, address: str) -> None:
        if sum(not row.campaign_id for row in self.rows().values()) < 3:
            notice = Notice(kind=Kind.HELP, address=address, suppression_key=f"key of {address}", language="de")
            assert deliveries.add_notice(self.tx, notice, self.now)

    # --- Organisers, and the clock ---------------------------------------------------------------------------------

    @rule(name=st.sampled_from([None, "Émma", "Rosa"]), language=st.sampled_from([None, "de"]))
    def correct(self, name: str | None, language: str | None) -> None:
        """Correct the text; and a subscriber changes name and language."""
        correct_campaign(self.tx, self.campaign_id)
        who = subscriber.c.address == PEOPLE[-1]
        self.tx.execute(update(subscriber).where(who).values(name=name, language=language))

    @rule(to=st.sampled_from([PAUSED, LAUNCHING, *[SENDING] * 6]))
    def pause_or_resume(self, to: CampaignState) -> None:
        campaigns.change_state(self.tx, self.campaign_id, to, from_states=(LAUNCHING, SENDING, PAUSED))

    @precondition(lambda self: self.now > NOW + EVENT / 2)
    @rule()
    def cancel(self) -> None:
        campaigns.change_state(self.tx, self.campaign_id, CANCELLED, from_states=(SENDING, PAUSED))

    @rule(how=st.sampled_from(["retry", "resend", "accepted", "failed", "wrongly refused"]), minutes=MINUTES)
    def retry_or_settle(self, how: str, minutes: int) -> None:
        """`campaign retry`, `campaign settle`; or a refusal turns out not to be about the recipients."""
        of = DeliveryState.FAILED if how in {"retry", "wrongly refused"} else DeliveryState.UNCERTAIN
        those = [number for number, row in self.rows().items() if row.campaign_id and row.state == of]
        if how in {"accepted", "failed"}:
            deliveries.change_final_state(self.tx, self.campaign_id, of, DeliveryState(how), 0, 99)
            self.final |= dict.fromkeys(those, DeliveryState(how))
            self.declared_failed |= set(those)
        elif how == "wrongly refused" and self.campaign.state not in FINISHED:
            those = [number for number in those if number not in self.declared_failed]
            due_at = self.now + timedelta(minutes=minutes)
            assert sorted(deliveries.requeue_failed(self.tx, dict.fromkeys(those, due_at))) == sorted(those)
            self.waits_again(those)
        elif how != "wrongly refused" and those and self.campaign.state is not CANCELLED:
            campaigns.change_state(self.tx, self.campaign_id, SENDING, from_states=(SENT,), finished_at=None)
            assert deliveries.requeue(self.tx, self.campaign_id, of, 0, 99, self.now) is not None
            self.waits_again(those)
            self.declared_failed -= set(those)
            for number in those:
                self.copies.pop(number, None)

    def waits_again(self, those: Iterable[int]) -> None:
        for number in those:
            self.final.pop(number, None)
            self.letters.pop(number, None)

    @rule(minutes=st.sampled_from([6, 6, 6, 90]))
    def wait(self, minutes: int) -> None:
        self.now += timedelta(minutes=minutes)

    @rule()
    def end_finished_campaigns(self) -> None:
        for campaign_id, state in campaigns.list_over_with_waiting(self.tx, self.now):
            end = DeliveryState.CANCELLED if state is CANCELLED else DeliveryState.EXPIRED
            while deliveries.end_waiting(self.tx, campaign_id, end, 2):
                pass
        assert campaigns.list_over_with_waiting(self.tx, self.now) == []
        if self.campaign_id in queue_claiming.inspect_queue(self.tx, False, self.now).finished:
            assert set(campaign_counts.count_by_state(self.tx, self.campaign_id)) <= FINAL
            campaigns.change_state(self.tx, self.campaign_id, SENT, from_states=(SENDING,), finished_at=self.now)

    @rule()
    def check_orphans(self) -> None:
        """The hourly check takes nothing from a worker that holds it."""
        before = self.rows(), self.campaign
        for queue in (self.campaign_id, NOTICES):
            assert orphans.requeue_orphans(self.tx, queue, list(before[0]), self.now).ids == []
            dropped = set(orphans.delete_empty_claims(self.tx, queue))
            held = {one.claim_id for one in self.held_by_workers() if one.id not in self.suppressed}
            assert dropped.isdisjoint(held)
            for mine in self.all_workers():
                mine.dropped |= dropped
        assert (self.rows(), self.campaign) == before

    # --- Invariants ------------------------------------------------------------------------------------------------

    @invariant()
    def nothing_is_orphaned(self) -> None:
        assert find_orphans(self.tx, self.campaign_id) == find_orphans(self.tx, NOTICES) == []

    @invariant()
    def the_database_agrees_with_the_workers_and_final_states_stay(self) -> None:
        rows = self.rows()
        assert {number for number, row in rows.items() if row.state == HANDED} == {
            number for mine in self.all_workers() for number in mine.handed
        }
        for one in self.queued():
            row = rows[one.id]
            assert one.id in self.suppressed or (row.state in WAITING and row.due_at is None)
        assert open_claims(self.tx) == {number for mine in self.all_workers() for number in mine.open_claims}
        assert {number: rows[number].state for number in self.final} == self.final
        assert all(row.resends <= MOST_RESENDS and (row.state not in FINAL or not row.due_at) for row in rows.values())
        self.final = {number: DeliveryState(row.state) for number, row in rows.items() if row.state in FINAL}

    @rule()
    def check_report(self) -> None:
        """Every recipient is in exactly one state."""
        counts, rows = campaign_counts.count_by_state(self.tx, self.campaign_id), self.rows()
        lines = {line.id: line.state for line in campaign_progress.list_recipients(self.tx, self.campaign_id, 0, 99)}
        assert Counter(lines.values()) == counts
        assert sum(counts.values()) == self.campaign.audience == len(PEOPLE)
        held = {one.id for one in self.queued() if one.campaign_id} - self.suppressed
        assert lines == {
            number: CLAIMED if number in held else row.state for number, row in rows.items() if row.campaign_id
        }
        if not set(counts) <= FINAL:
            assert campaign_progress.any_open(self.tx, self.campaign_id)
            assert self.campaign.state is not SENT

    def everything_ends(self) -> None:
        """With one live worker all letters are settled in the end, and the campaign finishes."""
        last, *others = self.workers
        self.dead += others
        self.workers = [last]
        self.recover(list(self.dead))
        campaigns.change_state(self.tx, self.campaign_id, SENDING, from_states=(PAUSED, LAUNCHING))
        for _ in range(8):
            self.commit(
                last, {one.id: (one, Verdict.ACCEPTED, False) for one in last.pop_handed(99)}, last.pop_queued(99)
            )
            if not last.handed and all(row.state in FINAL for row in self.rows().values()):
                break
            self.end_finished_campaigns()
            self.now += timedelta(hours=1)
            for notices in (True, False):
                self.claim(0, 99, notices, {})
        self.be_idle(0)
        self.end_finished_campaigns()
        assert {DeliveryState(row.state) for row in self.rows().values()} <= FINAL
        assert open_claims(self.tx) == set()
        assert self.campaign.state in FINISHED
        self.check_report()

    # --- Views ---------------------------------------------------------------------------------------------

    def all_workers(self) -> list[WorkerModel]:
        return [*self.workers, *self.dead]

    def queued(self) -> list[Delivery]:
        return [one for mine in self.all_workers() for one in mine.queued.values()]

    def held_by_workers(self) -> list[Delivery]:
        return [*self.queued(), *(one for mine in self.all_workers() for one in mine.handed.values())]

    def rows(self) -> dict[int, Any]:
        return {row.id: row for row in self.tx.execute(_ROWS, {"campaign_id": self.campaign_id})}


_ROWS = text(
    "SELECT id, campaign_id, state, due_at, resends FROM delivery WHERE campaign_id IN (:campaign_id, 0) ORDER BY id"
)


def test_the_queue_keeps_its_promises_in_any_order_of_events(engine: Engine) -> None:
    run_state_machine_as_test(lambda: Queue(engine), settings=STEPS)
