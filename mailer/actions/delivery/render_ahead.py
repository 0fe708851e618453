"""Writing ahead: letters are written, signed and laid ready before a connection wants them."""

from __future__ import annotations

from datetime import datetime

from mailer.actions.delivery.render_letter import RenderedLetter
from mailer.actions.delivery.send_worker import SendWorker
from mailer.domain.delivery import Delivery
from mailer.relay.route import next_route

_BATCH_SIZE = 32
"""Letters written at a time: enough that their way to another thread and back is worth it."""


async def render_ahead(worker: SendWorker) -> None:
    """Write the letters of what may go, so many that no connection waits for one."""
    while not (worker.closing or worker.stopping):
        now = worker.app.clock()
        room = sum(route.free_slots(now) for route in worker.routes)
        batch = worker.scheduler.take(min(room, _BATCH_SIZE)) if room else []
        if batch and worker.scheduler.size <= worker.refill_threshold:
            worker.feeder_wakeup.set()
        if batch:
            await _render_batch(worker, batch, now)
        else:
            await worker.renderer_wakeup.wait()
            worker.renderer_wakeup.clear()


async def _render_batch(worker: SendWorker, batch: list[Delivery], now: datetime) -> None:
    """Write a batch and lay it ready; what could not be, for whatever reason, waits on the tray again."""
    left = {one.id: one for one in batch}
    try:
        for written in await worker.renderer.render_many(batch, now.replace(microsecond=0)):
            route = next_route(worker.routes, now) or worker.routes[0]
            if not isinstance(written, RenderedLetter):
                worker.scheduler.mark_finished(left.pop(written.delivery.id))
                worker.render_failures.append(written)
                worker.feeder_wakeup.set()
            elif not route.lane.closed(worker.app.clock()):
                del left[written.delivery.id]
                route.add_letter(written)
    finally:
        for delivery in left.values():
            worker.requeue(delivery)
