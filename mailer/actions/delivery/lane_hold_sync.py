"""Lane holds in the database: what this worker found is recorded, and what others found is applied to its lanes."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import structlog
from sqlalchemy import Connection

from mailer.actions.delivery.send_worker import SendWorker
from mailer.relay.lane import Lane
from mailer.relay.route import Priority
from mailer.store.queue import lane_holds
from mailer.store.queue.lane_holds import Hold

_log = structlog.get_logger()

_NOTICE_HOLD_PREFIX = "notices to "


async def record_lane_changes(worker: SendWorker, now: datetime) -> None:
    """Set a hold for each lane that closed, and lift it for each that opened."""
    for lane in worker.queue.changed_lanes:
        await worker.app.database.write(_record_lane, worker.priority, lane, now)
    worker.queue.clear_changed_lanes()


def _record_lane(tx: Connection, priority: Priority, lane: Lane, now: datetime) -> None:
    name = _hold_name(priority, lane.name)
    if lane.closed_until is None:
        lane_holds.lift_hold(tx, name)
        _log.info("recovered lane", lane=name)
    else:
        lane_holds.set_hold(tx, Hold(lane=name, until=lane.closed_until, reason=lane.reason), now)
        _log.warning("stopped lane", lane=name, until=lane.closed_until, reason=lane.reason)


def apply_holds(worker: SendWorker, holds: Mapping[str, Hold], now: datetime) -> None:
    """Close the lanes that are held, by whichever worker, and reopen relays that are not held any more.

    A lane whose time is over takes one letter first. So does a relay on the first look after a start, whatever its
    time: a restart often means that an administrator repaired something.
    """
    queue = worker.queue
    relay_lanes = {_hold_name(worker.priority, route.lane.name): route.lane for route in worker.routes}
    for name, hold in holds.items():
        lane = relay_lanes.get(name) or _domain_lane(worker, name)
        if lane is not None and lane.closed_until is None and lane not in queue.changed_lanes:
            is_first_look = name in relay_lanes and not queue.has_read_holds
            lane.apply_hold(now if is_first_look else hold.until, hold.reason)
    for name, lane in relay_lanes.items():
        if name not in holds and lane.closed_until is not None and lane not in queue.changed_lanes:
            lane.reopen()
    queue.mark_holds_read()


def _hold_name(priority: Priority, lane: str) -> str:
    """A lane's name among the holds. Notices have holds of their own, so that they never wait for a campaign's."""
    return f"{_NOTICE_HOLD_PREFIX}{lane}" if priority is Priority.NOTICES else lane


def _domain_lane(worker: SendWorker, name: str) -> Lane | None:
    """The lane to a held domain; None if the hold is of another relay or of the other priority."""
    is_for_notices = name.startswith(_NOTICE_HOLD_PREFIX)
    domain = name.removeprefix(_NOTICE_HOLD_PREFIX)
    if is_for_notices is not (worker.priority is Priority.NOTICES) or domain.startswith("relay "):
        return None
    return worker.queue.scheduler.lane(domain)
