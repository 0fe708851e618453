"""The clerk's work: between a desk and the ledger, but for the turns of the connections."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import structlog
from sqlalchemy import Connection

from mailer.actions.delivery.apply_governor import govern
from mailer.actions.delivery.send_worker import Desk, stay_alive
from mailer.domain.campaign import CampaignState
from mailer.domain.delivery import NOTICES, Delivery
from mailer.domain.governor import LOOK_EVERY, ripe
from mailer.domain.retry import WRONGED_WAIT, write_again_at
from mailer.mail.bounces.smtp_rejection import refused_letter
from mailer.relay.lane import Lane
from mailer.relay.route import Priority
from mailer.store import campaign_progress, campaigns
from mailer.store.queue import claim_release, deliveries, gate, lane_holds, queue_claiming, unrendered_notices
from mailer.store.queue.lane_holds import Hold
from mailer.store.queue.queue_claiming import Look

_log = structlog.get_logger()

_NOTICES_TO = "notices to "
_TRAY = 40
"""Deliveries claimed at a time, per connection: enough that no connection waits for a claim."""


async def fill(desk: Desk) -> bool:
    """Write down what was learned, heed what others learned, and claim what is due; whether anything was."""
    app, now = desk.app, desk.app.clock()
    await stay_alive(desk, now)
    await write_down(desk, now)
    pass_on(desk, now)
    await _govern(desk, now)
    if desk.closing:
        return False
    if not desk.claimed:
        await desk.ledger.close_claims()
    seen = await app.database.read(queue_claiming.look, desk.priority is Priority.NOTICES, now)
    _heed(desk, seen, now)
    await _clear(desk, now)
    desk.more.set()  # the hour of a relay's lane may have passed, with letters on the tray
    await _finish_what_is_over(desk, seen.over, now)
    if all(route.lane.closed(now) for route in desk.routes):
        # At no hour: whoever starts anew, or finds a relay well before its time, may take them.
        unused = desk.tray.empty()
        await _give_back(desk, unused, [(one.id, now) for one in unused], now)
        return False
    most = _TRAY * sum(route.connections for route in desk.routes if not route.lane.closed(now))
    desk.enough = most // 2
    if not seen.due or desk.tray.size > desk.enough:
        return False
    limits = {name: one.limits for name, one in app.domains.items() if one.limits.any}
    claimed = await app.database.write(queue_claiming.fetch, seen.due, desk.worker_id, most, now, limits)
    desk.claimed.update((one.id, one) for one in claimed)
    desk.ledger.took(claimed)
    desk.tray.put(claimed)
    await _clear(desk, now)
    desk.more.set()
    return bool(claimed)


async def write_down(desk: Desk, now: datetime) -> None:
    """Tell the ledger which lanes closed or opened, who was wronged, and what cannot be written."""
    for lane in desk.news:
        await desk.app.database.write(_tell, desk.priority, lane, now)
    desk.news.clear()
    if desk.wronged:
        hours = {one.id: now + WRONGED_WAIT for one in desk.wronged.values()}
        for number in await desk.app.database.write(deliveries.reopen, hours):
            desk.wronged.pop(number, None)  # the others' refusals are not committed yet
    while desk.unwritten:
        one = desk.unwritten.pop()
        desk.claimed.pop(one.delivery.id, None)
        await desk.app.database.write(_hold_unwritten, one.delivery, one.why, now)
        desk.ledger.gave_up((one.delivery.claim_id,))


async def _govern(desk: Desk, now: datetime, *, at_the_end: bool = False) -> None:
    """Tell the governor what was heard, now and then; what it stops is heeded with the next look."""
    if desk.priority is not Priority.CAMPAIGNS:
        return
    if desk.governed_at is None or now - desk.governed_at >= LOOK_EVERY or (at_the_end and desk.heard):
        desk.governed_at = now
        await govern(desk.app, ripe(desk.heard))


def pass_on(desk: Desk, now: datetime, *, at_the_end: bool = False) -> None:
    """Lay what was refused for its reader's sake where it is acted on.

    While others are refused in the same words, it may be the lane that is unwell, not they; at the end nobody knows.
    """
    for delivery, outcome in list(desk.refused.values()):
        lanes = (desk.tray.lane(delivery.domain), *(route.lane for route in desk.routes))
        if at_the_end or not any(lane.suspects(delivery) for lane in lanes):
            del desk.refused[delivery.id]
            desk.app.refused.append(refused_letter(delivery, outcome, now))


def _tell(tx: Connection, priority: Priority, lane: Lane, now: datetime) -> None:
    name = _hold_name(priority, lane.name)
    if lane.closed_until is None:
        lane_holds.lift(tx, name)
        _log.info("open again", lane=name)
    else:
        lane_holds.put(tx, Hold(lane=name, until=lane.closed_until, reason=lane.reason), now)
        _log.warning("held", lane=name, until=lane.closed_until, why=lane.reason)


def _hold_name(priority: Priority, lane: str) -> str:
    """A lane's name among the holds: notices have holds of their own, and never wait for a campaign's."""
    return f"{_NOTICES_TO}{lane}" if priority is Priority.NOTICES else lane


def _hold_unwritten(tx: Connection, delivery: Delivery, why: str, now: datetime) -> None:
    """A campaign is paused with the reason; a notice waits, longer each time, for it is our fault."""
    if delivery.campaign_id == NOTICES:
        claim_release.put_back(tx, [(delivery.id, write_again_at(delivery.queued_at, now))], now)
        unrendered_notices.remark(tx, delivery.id, why)
    else:
        remark = f"cannot be written for {delivery.address}: {why}"
        campaigns.move(tx, delivery.campaign_id, CampaignState.PAUSED, of=(CampaignState.SENDING,), remark=remark)
        claim_release.put_back(tx, [(delivery.id, now)], now)


def _heed(desk: Desk, seen: Look, now: datetime) -> None:
    """Close the lanes that are held, by whomever; those whose hour has passed take a single letter first.

    So do relays when we have just started, whatever their hour: people start us anew when they have mended something.
    And one that was found well by others is open.
    """
    known = {_hold_name(desk.priority, route.lane.name): route.lane for route in desk.routes}
    for name, hold in seen.holds.items():
        lane = known.get(name) or _held_domain(desk, name)
        if lane is not None and lane.closed_until is None and lane not in desk.news:
            lane.heed(now if name in known and not desk.has_looked else hold.until, hold.reason)
    for name, lane in known.items():
        if name not in seen.holds and lane.closed_until is not None and lane not in desk.news:
            lane.reopen()
    desk.has_looked = True


def _held_domain(desk: Desk, name: str) -> Lane | None:
    """The lane to a domain that is held; of a hold that is another relay's, or of the other priority, None."""
    of_notices = name.startswith(_NOTICES_TO)
    domain = name.removeprefix(_NOTICES_TO)
    if of_notices is not (desk.priority is Priority.NOTICES) or domain.startswith("relay "):
        return None
    return desk.tray.lane(domain)


async def _clear(desk: Desk, now: datetime) -> None:
    """What waits in lanes that are closed goes back to the ledger until they open."""
    cleared = desk.tray.clear(now)
    hours = [(one.id, desk.tray.lane(one.domain).closed_until or now) for one in cleared]
    await _give_back(desk, cleared, hours, now)


async def _give_back(
    desk: Desk, unused: Sequence[Delivery], hours: Sequence[tuple[int, datetime]], now: datetime
) -> None:
    if not unused:
        return
    await desk.app.database.write(gate.give_back, desk.worker_id, hours, now)
    for one in unused:
        desk.claimed.pop(one.id, None)
    desk.ledger.gave_up(one.claim_id for one in unused)


async def put_back(desk: Desk) -> None:
    """The run is over: whatever did not come to the gate waits again, and claims that are done are forgotten."""
    now = desk.app.clock()
    for route in desk.routes:
        desk.recall(route)
    desk.tray.empty()
    unused = list(desk.claimed.values())
    await _give_back(desk, unused, [(one.id, now) for one in unused], now)
    await write_down(desk, now)
    pass_on(desk, now, at_the_end=True)
    await _govern(desk, now, at_the_end=True)
    if unused and not desk.closing:
        desk.app.bells.of(desk.priority).set()
    await desk.ledger.close_claims()
    seen = await desk.app.database.read(queue_claiming.look, desk.priority is Priority.NOTICES, now)
    await _finish_what_is_over(desk, seen.over, now)


async def _finish_what_is_over(desk: Desk, over: Sequence[int], now: datetime) -> None:
    for campaign_id in over:
        await desk.app.database.write(_finish, campaign_id, now)


def _finish(tx: Connection, campaign_id: int, now: datetime) -> None:
    """ "sent" is said only when nothing waits; whoever lets letters wait again has the campaign's row meanwhile."""
    campaigns.get(tx, campaign_id, lock=True)
    if not campaign_progress.any_open(tx, campaign_id):
        sending = (CampaignState.SENDING,)
        if campaigns.move(tx, campaign_id, CampaignState.SENT, of=sending, finished_at=now):
            _log.info("campaign sent", campaign=campaign_id)
