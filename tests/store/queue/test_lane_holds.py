"""Lanes to which nothing is sent for a while, and why."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import Engine, select

from mailer.store.queue import lane_holds
from mailer.store.queue.lane_holds import Hold
from mailer.store.queue.queue_tables import hold
from tests.support.queue_helpers import NOW

SLOW = Hold(lane="slow.example", until=NOW + timedelta(minutes=5), reason="421 4.7.0 too many letters")
LATER = Hold(lane="slow.example", until=NOW + timedelta(hours=1), reason="550 5.7.1 «nicht berechtigt»")
RELAY = Hold(lane="relay 127.0.0.1:25", until=NOW, reason="the relay 127.0.0.1:25 cannot be reached")


def test_a_hold_is_kept_with_its_reason_until_it_is_lifted(engine: Engine) -> None:
    with engine.begin() as tx:
        lane_holds.set_hold(tx, SLOW, NOW)
        lane_holds.set_hold(tx, RELAY, NOW)
        both = lane_holds.holds_by_lane(tx)
        lane_holds.lift_hold(tx, "slow.example")
        left = lane_holds.holds_by_lane(tx)

    assert both == {"slow.example": SLOW, "relay 127.0.0.1:25": RELAY}
    assert left == {"relay 127.0.0.1:25": RELAY}


def test_a_later_hold_replaces_the_earlier_one_and_keeps_since(engine: Engine) -> None:
    with engine.begin() as tx:
        lane_holds.set_hold(tx, SLOW, NOW)
        lane_holds.set_hold(tx, LATER, NOW + timedelta(minutes=5))
        found = lane_holds.holds_by_lane(tx)
        since = tx.execute(select(hold.c.since)).scalar_one()

    assert found == {"slow.example": LATER}
    assert since == NOW


def test_lifting_a_lane_that_is_not_held_is_no_error(engine: Engine) -> None:
    with engine.begin() as tx:
        lane_holds.lift_hold(tx, "fast.example")

        assert lane_holds.holds_by_lane(tx) == {}
