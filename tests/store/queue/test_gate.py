"""The gate: what makes it miss, and what it records of a letter that passes."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import Engine, update

from mailer.domain.delivery import NOTICES, DeliveryState, Kind, Notice, Verdict
from mailer.domain.suppression import EVERY_LIST, SuppressionReason
from mailer.store import campaign_progress, campaigns, suppressions
from mailer.store.people_tables import subscriber
from mailer.store.queue import deliveries, gate, unrendered_notices, workers
from tests.support.queue_helpers import (
    CANCELLED,
    CLAIMED,
    EVENT,
    HANDED,
    NOW,
    PAUSED,
    QUEUED,
    SENDING,
    add_worker,
    claim_deliveries,
    correct_campaign,
    delivery_outcome,
    delivery_row,
    hand_over,
    handoff_request,
    launched_campaign,
    leave_list,
    open_claims,
    record_verdict,
    state_by_address,
    state_counts,
)

ROSA, EMMA = "person0@example.org", "person1@example.org"


def test_the_gate_closes_when_the_event_begins(engine: Engine) -> None:
    with engine.begin() as tx:
        campaign_id, mine = launched_campaign(tx, 2), add_worker(tx)
        first, second = claim_deliveries(tx, campaign_id, mine)

        before = hand_over(tx, mine, first, now=NOW + EVENT - timedelta(seconds=1))
        after = hand_over(tx, mine, second, now=NOW + EVENT)
        found = state_counts(tx, campaign_id)

    assert (before, after) == ({first.id}, set())
    assert found == {HANDED: 1, DeliveryState.EXPIRED: 1}


def test_in_one_commit_deliveries_that_miss_get_their_new_state_and_the_others_are_handed(engine: Engine) -> None:
    with engine.begin() as tx:
        mine, appeals = add_worker(tx), launched_campaign(tx, 3)
        gardens, swaps = launched_campaign(tx, 2, name="gardens"), launched_campaign(tx, 2, name="swaps")
        claimed = [one for campaign_id in (appeals, gardens, swaps) for one in claim_deliveries(tx, campaign_id, mine)]
        leave_list(tx, ROSA, campaigns.get(tx, appeals).mailing_list_id)
        campaigns.change_state(tx, gardens, PAUSED, from_states=(SENDING,))
        campaigns.change_state(tx, swaps, CANCELLED, from_states=(SENDING,))

        went = hand_over(tx, mine, *claimed)
        found = [state_by_address(tx, campaign_id) for campaign_id in (appeals, gardens, swaps)]

    assert went == {one.id for one in claimed if one.campaign_id == appeals and one.address != ROSA}
    assert found == [
        {ROSA: DeliveryState.SUPPRESSED, EMMA: HANDED, "person2@example.org": HANDED},
        dict.fromkeys((ROSA, EMMA), QUEUED),
        dict.fromkeys((ROSA, EMMA), DeliveryState.CANCELLED),
    ]


def test_releasing_a_claim_checks_suppressions_by_the_recipients_own_key(engine: Engine) -> None:
    with engine.begin() as tx:
        campaign_id, mine = launched_campaign(tx, 3), add_worker(tx)
        claimed = claim_deliveries(tx, campaign_id, mine)
        suppressions.add(tx, f"key of {EMMA}", EVERY_LIST, SuppressionReason.LEFT, NOW)

        gate.release_deliveries(tx, [(one.id, NOW) for one in claimed], NOW)
        found = state_by_address(tx, campaign_id)

    assert found == {ROSA: QUEUED, EMMA: DeliveryState.SUPPRESSED, "person2@example.org": QUEUED}


def test_a_delivery_released_until_a_time_is_not_claimed_before_it(engine: Engine) -> None:
    hour = NOW + timedelta(minutes=7)
    with engine.begin() as tx:
        campaign_id, mine = launched_campaign(tx, 1), add_worker(tx)
        [one] = claim_deliveries(tx, campaign_id, mine)

        gate.release_deliveries(tx, [(one.id, hour)], NOW)
        before = claim_deliveries(tx, campaign_id, mine, now=hour - timedelta(microseconds=1))
        due_before = campaign_progress.any_due(tx, campaign_id, hour - timedelta(microseconds=1))
        due = campaign_progress.any_due(tx, campaign_id, hour)
        after = claim_deliveries(tx, campaign_id, mine, now=hour)

    assert (before, due_before, due) == ([], False, True)
    assert [again.id for again in after] == [one.id]


def test_a_correction_stops_letters_rendered_before_it_and_lets_new_ones_pass(engine: Engine) -> None:
    with engine.begin() as tx:
        campaign_id, mine = launched_campaign(tx, 2), add_worker(tx)
        first, second = claim_deliveries(tx, campaign_id, mine)
        before = hand_over(tx, mine, first)
        correct_campaign(tx, campaign_id)

        old = hand_over(tx, mine, second)
        [again] = claim_deliveries(tx, campaign_id, mine)
        new = hand_over(tx, mine, again)

    assert (before, old, new) == ({first.id}, set(), {second.id})
    assert (second.corrections, again.corrections) == (0, 1)
    assert again.revision_id is not None
    assert again.revision_id > (second.revision_id or 0)


def test_a_repeat_keeps_its_text_and_passes_after_a_correction(engine: Engine) -> None:
    with engine.begin() as tx:
        campaign_id, mine = launched_campaign(tx, 1), add_worker(tx)
        [first] = claim_deliveries(tx, campaign_id, mine)
        hand_over(tx, mine, first)
        record_verdict(tx, mine, Verdict.UNKNOWN, first)
        correct_campaign(tx, campaign_id)

        [repeat] = claim_deliveries(tx, campaign_id, mine, now=NOW + timedelta(hours=1))
        went = hand_over(tx, mine, repeat)

    assert went == {first.id}
    assert (repeat.corrections, repeat.revision_id, repeat.dated_at) == (None, first.revision_id, NOW)


def test_a_letter_rendered_again_replaces_all_values_kept_for_a_repeat(engine: Engine) -> None:
    with engine.begin() as tx:
        campaign_id, mine = launched_campaign(tx, 1), add_worker(tx)
        tx.execute(update(subscriber).values(name="Rosa", language="de"))
        [first] = claim_deliveries(tx, campaign_id, mine)
        hand_over(tx, mine, first)
        record_verdict(tx, mine, Verdict.DEFERRED, first)
        tx.execute(update(subscriber).values(name=None, language=None))

        [second] = claim_deliveries(tx, campaign_id, mine, now=NOW + timedelta(hours=1))
        hand_over(tx, mine, second)
        record_verdict(tx, mine, Verdict.UNKNOWN, second)
        [repeat] = claim_deliveries(tx, campaign_id, mine, now=NOW + timedelta(hours=2))

    assert (first.name, first.language) == ("Rosa", "de")
    assert (second.name, second.language) == (repeat.name, repeat.language) == (None, None)
    assert repeat.revision_id == second.revision_id != first.revision_id


@pytest.mark.parametrize(("verdict", "kept"), [(Verdict.UNKNOWN, True), (Verdict.DEFERRED, False)])
def test_a_letter_keeps_its_date_unless_it_was_definitely_refused(engine: Engine, verdict: Verdict, kept: bool) -> None:
    later = NOW + timedelta(hours=1)
    with engine.begin() as tx:
        campaign_id, mine = launched_campaign(tx, 1), add_worker(tx)
        [first] = claim_deliveries(tx, campaign_id, mine)
        hand_over(tx, mine, first)

        record_verdict(tx, mine, verdict, first)
        [again] = claim_deliveries(tx, campaign_id, mine, now=later)
        gate.release_deliveries(tx, [(again.id, later)], later)
        found = state_counts(tx, campaign_id)

    assert found == {DeliveryState.DEFERRED: 1}
    assert again.dated_at == (NOW if kept else None)
    assert (again.attempts, again.resends) == (1, int(kept))


def test_the_last_outcome_the_next_letter_and_the_end_of_the_claim_share_a_commit(engine: Engine) -> None:
    with engine.begin() as tx:
        campaign_id, mine = launched_campaign(tx, 2), add_worker(tx)
        [first] = claim_deliveries(tx, campaign_id, mine, 1)
        [second] = claim_deliveries(tx, campaign_id, mine, 1)
        hand_over(tx, mine, first)

        went = gate.commit_batch(
            tx, mine, [delivery_outcome(first, Verdict.ACCEPTED)], [handoff_request(second)], [first.claim_id], NOW
        )
        found = state_counts(tx, campaign_id)
        left = open_claims(tx)

    assert went == {second.id}
    assert found == {DeliveryState.ACCEPTED: 1, HANDED: 1}
    assert left == {second.claim_id}


def test_an_outcome_that_comes_twice_or_under_another_claim_changes_nothing(engine: Engine) -> None:
    with engine.begin() as tx:
        campaign_id, mine = launched_campaign(tx, 2), add_worker(tx)
        first, second = claim_deliveries(tx, campaign_id, mine)
        hand_over(tx, mine, first)
        record_verdict(tx, mine, Verdict.ACCEPTED, first)

        record_verdict(tx, mine, Verdict.REFUSED, first, second)
        found = state_counts(tx, campaign_id)

    assert found == {DeliveryState.ACCEPTED: 1, CLAIMED: 1}


def test_the_relays_reply_is_stored_unchanged(engine: Engine) -> None:
    words = 'non è "qui" \\ 550\t5.1.1 ✂ \'; DROP TABLE delivery; -- %s %(x)s :now 𝔛'
    with engine.begin() as tx:
        campaign_id, mine = launched_campaign(tx, 1), add_worker(tx)
        [one] = claim_deliveries(tx, campaign_id, mine)
        asked = handoff_request(one, values={"name": words, "n": "é"})
        gate.commit_batch(tx, mine, [], [asked], [], NOW)
        said = delivery_outcome(one, Verdict.UNKNOWN)
        object.__setattr__(said, "reply", words)

        gate.commit_batch(tx, mine, [said], [], [], NOW)
        kept = delivery_row(tx, one.id)
        [repeat] = claim_deliveries(tx, campaign_id, mine, now=NOW + timedelta(hours=1))

    assert kept.reply == words
    assert repeat.values == {"name": words, "n": "é"}


def test_an_unknown_worker_is_handed_nothing_and_records_nothing(engine: Engine) -> None:
    with engine.begin() as tx:
        campaign_id, mine = launched_campaign(tx, 2), add_worker(tx)
        first, second = claim_deliveries(tx, campaign_id, mine)
        hand_over(tx, mine, first)

        went = gate.commit_batch(
            tx, mine + 1, [delivery_outcome(first, Verdict.REFUSED)], [handoff_request(second)], [first.claim_id], NOW
        )
        found = state_counts(tx, campaign_id)
        left = open_claims(tx)

    assert went == set()
    assert found == {HANDED: 1, CLAIMED: 1}
    assert left == {first.claim_id}


@pytest.mark.parametrize(("barred", "goes"), [("the list", True), ("every list", False)])
def test_a_notice_goes_to_unsubscribed_people_but_not_to_those_who_want_no_mail(
    engine: Engine, barred: str, goes: bool
) -> None:
    notice = Notice(
        kind=Kind.GOODBYE,
        address="rosa@example.org",
        suppression_key="key",
        language="en",
        mailing_list_id=1,
        values={"what": "it needs"},
        cause="c",
    )
    with engine.begin() as tx:
        mine = workers.register(tx, "notices", NOW)
        place, why = (1, SuppressionReason.LEFT) if goes else (EVERY_LIST, SuppressionReason.NEVER)
        suppressions.add(tx, "key", place, why, NOW)

        written = [deliveries.add_notice(tx, notice, NOW) for _ in range(2)]
        [claimed] = claim_deliveries(tx, NOTICES, mine, 5)
        handed = hand_over(tx, mine, claimed)
        kept = delivery_row(tx, claimed.id)

    assert written == [True, False]
    assert handed == ({claimed.id} if goes else set())
    assert kept.state == (HANDED if goes else DeliveryState.SUPPRESSED)
    assert (kept.values, kept.language) == ({"what": "it needs"}, "en")


def test_the_reason_why_a_letter_cannot_be_rendered_is_noted_while_it_waits(engine: Engine) -> None:
    with engine.begin() as tx:
        campaign_id, mine = launched_campaign(tx, 2), add_worker(tx)
        first, second = claim_deliveries(tx, campaign_id, mine)
        hand_over(tx, mine, second)

        unrendered_notices.note_unwritten(tx, first.id, "no such word")
        unrendered_notices.note_unwritten(tx, second.id, "too late")
        found = state_counts(tx, campaign_id)
        replies = [delivery_row(tx, one.id).reply for one in (first, second)]

    assert found == {DeliveryState.CLAIMED: 1, HANDED: 1}
    assert replies == ["cannot be written: no such word", None]
