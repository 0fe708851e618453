"""Writing ahead: letters are written, signed and laid ready before a connection wants them."""

from __future__ import annotations

from datetime import datetime

from mailer.actions.delivery.render_letter import Written
from mailer.actions.delivery.send_worker import Desk
from mailer.domain.delivery import Delivery
from mailer.relay.route import next_route

_BATCH = 32
"""Letters written at a time: enough that their way to another thread and back is worth it."""


async def write_ahead(desk: Desk) -> None:
    """Write the letters of what may go, so many that no connection waits for one."""
    while not (desk.closing or desk.home):
        now = desk.app.clock()
        room = sum(route.room(now) for route in desk.routes)
        batch = desk.tray.take(min(room, _BATCH)) if room else []
        if batch and desk.tray.size <= desk.enough:
            desk.low.set()
        if batch:
            await _write(desk, batch, now)
        else:
            await desk.more.wait()
            desk.more.clear()


async def _write(desk: Desk, batch: list[Delivery], now: datetime) -> None:
    """Write a batch and lay it ready; what could not be, for whatever reason, waits on the tray again."""
    left = {one.id: one for one in batch}
    try:
        for written in await desk.writer.write_many(batch, now.replace(microsecond=0)):
            route = next_route(desk.routes, now) or desk.routes[0]
            if not isinstance(written, Written):
                desk.tray.landed(left.pop(written.delivery.id))
                desk.unwritten.append(written)
                desk.low.set()
            elif not route.lane.closed(desk.app.clock()):
                del left[written.delivery.id]
                route.lay(written)
    finally:
        for delivery in left.values():
            desk.lay_back(delivery)
