"""Migration 0002: every recipient is kept, and what waited is claimed once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, MetaData, Table, func, select

from mailer.domain.campaign import CampaignState
from mailer.domain.delivery import NOTICES, DeliveryState
from mailer.store import audience, campaign_progress, campaigns
from mailer.store.counts import campaign_counts
from mailer.store.database import open_engine
from mailer.store.migration import check_schema, migrate_database, upgrade
from mailer.store.queue.queue_tables import delivery
from tests.support.app_helpers import ROOT
from tests.support.queue_helpers import NOW, add_worker, claim_deliveries, delivery_row, hand_over, open_claims
from tests.support.released_databases import empty_postgresql

MIGRATIONS = ROOT / "migrations"
PEOPLE = 12
# (subscription, state, resends, whether it has a date)
QUEUE = [
    (1, "queued", 0, False),
    (2, "claimed", 0, False),
    (3, "handed", 0, True),
    (4, "handed", 2, True),
    (5, "deferred", 1, True),
    (6, "accepted", 0, True),
    (7, "cancelled", 0, False),
    (8, "suppressed", 0, False),
    (9, "claimed", 0, False),
]
LAUNCHED, HALF, DONE = 1, 2, 3


@pytest.fixture(params=["sqlite", "postgresql"])
def old_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A database of each kind with the schema of before."""
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path}/mailer.db"
        _first_schema(url)
        yield url
        return
    with empty_postgresql(request) as url:
        _first_schema(url)
        yield url


def _first_schema(url: str) -> None:
    engine = open_engine(url, foreign_keys=False)
    with engine.begin() as connection:
        upgrade(connection, MIGRATIONS, "0001")
        _fill(connection)
    engine.dispose()


def _fill(tx: Any) -> None:
    """As the version of before left it when it was killed: letters in all states, and a launch half done."""
    old = MetaData()
    old.reflect(tx)

    def put(table: str, **values: Any) -> None:
        tx.execute(Table(table, old).insert().values(**values))

    at = NOW if tx.dialect.name == "postgresql" else NOW.replace(tzinfo=None)
    put("mailing_list", id=1, name="appeals", title="A", description="", language="en", owner="o@e.org", created_at=at)
    put("worker", id=7, name="campaigns", started_at=at)
    for number in range(1, PEOPLE + 1):
        address = f"person{number}@example.org"
        person = {"address": address, "address_key": address, "mailbox_key": address, "created_at": at}
        put("subscriber", id=number, suppression_key=f"key {number}", name=f"New {number}", **person)
        standing = {"state": "confirmed", "attributes": {"town": "X"}, "created_at": at, "changed_at": at}
        put("subscription", id=number, mailing_list_id=1, subscriber_id=number, **standing)
    states = {LAUNCHED: ("sending", len(QUEUE), PEOPLE), HALF: ("launching", 2, PEOPLE), DONE: ("sent", 1, 1)}
    for number, (state, size, top) in states.items():
        row = {"state": state, "subject": "s", "launched_at": at, "launch_ceiling": top, "created_at": at}
        cursor = size if state != "sending" else top
        put("campaign", id=number, mailing_list_id=1, launch_cursor=cursor, audience=size, **row)
        put("edition", id=number, campaign_id=number, language="en", is_default=True)
        put("revision", id=number, edition_id=number, manuscript="text", created_at=at)
    for number, state, resends, dated in QUEUE:
        _delivery(put, at, LAUNCHED, number, state, resends=resends, dated_at=at if dated else None)
    _delivery(put, at, HALF, 1, "queued")
    _delivery(put, at, HALF, 2, "queued")
    _delivery(put, at, DONE, 1, "accepted", dated_at=at)
    for number, (state, cause) in enumerate([("queued", "a"), ("claimed", None), ("handed", None), ("accepted", "b")]):
        notice = {"address": "n@example.org", "suppression_key": "k", "language": "en", "values": {"word": number}}
        taken = 7 if state in {"claimed", "handed"} else None
        times = {"due_at": at, "queued_at": at, "dated_at": at if state == "handed" else None}
        put("delivery", campaign_id=NOTICES, kind="help", state=state, cause=cause, worker_id=taken, **notice, **times)


def _delivery(put: Any, at: Any, campaign_id: int, number: int, state: str, **other: Any) -> None:
    taken = {"worker_id": 7 if state in {"claimed", "handed"} else None}
    named = {"name": "Rosa" if number == 3 else None, "language": "en", "values": {"town": "Y"}}
    known = {"address": f"person{number}@example.org", "suppression_key": f"key {number}", "revision_id": campaign_id}
    ids = {"campaign_id": campaign_id, "mailing_list_id": 1, "subscriber_id": number, "subscription_id": number}
    put("delivery", kind="campaign", state=state, due_at=at, queued_at=at, **(ids | known | named | taken | other))


@pytest.fixture
def migrated(old_url: str) -> Iterator[Engine]:
    migrate_database(old_url, MIGRATIONS)
    check_schema(old_url, MIGRATIONS)
    engine = open_engine(old_url)
    yield engine
    engine.dispose()


def test_migration_0002_keeps_every_recipient(migrated: Engine) -> None:
    with migrated.begin() as tx:
        found = {one: campaign_counts.count_by_state(tx, one) for one in (LAUNCHED, HALF, DONE)}
        of_notices = select(delivery.c.state, func.count()).where(delivery.c.campaign_id == NOTICES)
        notices = {state: number for state, number in tx.execute(of_notices.group_by(delivery.c.state))}
        audiences = {one: campaigns.get(tx, one).audience for one in (LAUNCHED, HALF, DONE)}
        going = [campaign_progress.any_open(tx, one) for one in (LAUNCHED, HALF, DONE, NOTICES)]

    assert found[LAUNCHED] == {
        DeliveryState.QUEUED: 3,
        DeliveryState.DEFERRED: 2,
        DeliveryState.UNCERTAIN: 1,
        DeliveryState.ACCEPTED: 1,
        DeliveryState.CANCELLED: 1,
        DeliveryState.SUPPRESSED: 1,
    }
    assert notices == {DeliveryState.QUEUED: 2, DeliveryState.DEFERRED: 1, DeliveryState.ACCEPTED: 1}
    assert {one: sum(found[one].values()) for one in audiences} == audiences
    assert going == [True, True, False, True]


def test_waiting_deliveries_are_claimed_once_and_no_others(migrated: Engine) -> None:
    with migrated.begin() as tx:
        mine = add_worker(tx)
        first, again = claim_deliveries(tx, LAUNCHED, mine, 100), claim_deliveries(tx, LAUNCHED, mine, 100)
        notices, no_more = claim_deliveries(tx, NOTICES, mine, 100), claim_deliveries(tx, NOTICES, mine, 100)
        went = hand_over(tx, mine, *first, *notices)

    assert sorted(one.subscription_id or 0 for one in first) == [1, 2, 3, 5, 9]
    assert sorted(one.values["word"] for one in notices) == [0, 1, 2]
    assert (again, no_more) == ([], [])
    assert went == {one.id for one in (*first, *notices)}


def test_a_letter_that_may_have_been_sent_is_repeated_unchanged_and_others_are_rendered_again(
    migrated: Engine,
) -> None:
    with migrated.begin() as tx:
        by_person = {one.subscription_id: one for one in claim_deliveries(tx, LAUNCHED, add_worker(tx), 100)}

    repeat, fresh = by_person[3], by_person[1]
    assert (repeat.dated_at, repeat.resends, repeat.name) == (NOW, 1, "Rosa")
    assert {name: repeat.values[name] for name in ("town",)} == {"town": "Y"}
    assert (repeat.corrections, repeat.revision_id) == (None, LAUNCHED)
    assert (fresh.dated_at, fresh.name, fresh.values) == (None, "New 1", {"town": "X"})
    assert (by_person[5].resends, by_person[5].dated_at) == (1, NOW)


def test_a_parked_letter_stays_uncertain(migrated: Engine) -> None:
    with migrated.begin() as tx:
        number = tx.execute(select(delivery.c.id).where(delivery.c.subscription_id == 4)).scalar_one()
        kept = delivery_row(tx, number)
        waiting = tx.execute(
            select(func.count()).where(delivery.c.due_at.is_not(None), delivery.c.state.not_in(("queued", "deferred")))
        ).scalar_one()

    assert (kept.state, kept.resends, kept.due_at, kept.claim_id) == (DeliveryState.UNCERTAIN, 2, None, None)
    assert waiting == 0


def test_an_interrupted_launch_continues_and_each_delivery_is_claimed_once(migrated: Engine) -> None:
    with migrated.begin() as tx:
        mine = add_worker(tx)
        early = claim_deliveries(tx, HALF, mine, 1)
        half = campaigns.get(tx, HALF)
        written = audience.freeze_audience(tx, half, PEOPLE)
        campaigns.advance_launch(tx, HALF, cursor=PEOPLE, more=written)
        campaigns.change_state(tx, HALF, CampaignState.SENDING, from_states=(CampaignState.LAUNCHING,))
        late = claim_deliveries(tx, HALF, mine, 100)
        went = hand_over(tx, mine, *early, *late)

    claimed = [one.subscription_id for one in (*early, *late)]
    assert written == PEOPLE - 2
    assert claimed == list(range(1, PEOPLE + 1))
    assert len(went) == PEOPLE


def test_old_workers_are_gone_and_hold_nothing(migrated: Engine) -> None:
    with migrated.begin() as tx:
        assert open_claims(tx) == set()
        assert tx.execute(select(func.count()).where(delivery.c.claim_id.is_not(None))).scalar_one() == 0
        assert tx.exec_driver_sql("SELECT count(*) FROM worker").scalar_one() == 0


def test_a_cause_is_still_answered_once_and_a_recipient_has_one_letter(migrated: Engine) -> None:
    def refused(**values: Any) -> bool:
        with migrated.connect() as tx:
            row = {"kind": "help", "state": "queued", **values}
            try:
                tx.execute(delivery.insert().values(**row))
            except Exception as error:
                return "unique" in str(error).lower()
            return False

    assert refused(campaign_id=NOTICES, cause="a")
    assert refused(campaign_id=LAUNCHED, subscription_id=1)
    assert not refused(campaign_id=NOTICES, cause=None)
