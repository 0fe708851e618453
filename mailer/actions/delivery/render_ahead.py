"""Render task: renders and signs letters before a connection is free for them."""

from __future__ import annotations

from datetime import datetime

from mailer.actions.delivery.render_letter import RenderedLetter
from mailer.actions.delivery.send_worker import SendWorker
from mailer.domain.delivery import Delivery
from mailer.relay.route import next_route

_BATCH_SIZE = 32
"""Letters rendered together: enough that the way to another thread and back pays."""


async def render_ahead(worker: SendWorker) -> None:
    """Keep as many letters ready as the routes have room for, until the run stops."""
    queue = worker.queue
    while worker.may_take_letters:
        now = worker.app.clock()
        free_slots = sum(route.free_slots(now) for route in worker.routes)
        if batch := queue.take_to_render(min(free_slots, _BATCH_SIZE)):
            await _render_batch(worker, batch, now)
        else:
            await queue.renderer_wakeup.wait()
            queue.renderer_wakeup.clear()


async def _render_batch(worker: SendWorker, batch: list[Delivery], now: datetime) -> None:
    """Render a batch and add each letter to a route; a delivery without a letter goes back to the scheduler."""
    left = {one.id: one for one in batch}
    try:
        for result in await worker.renderer.render_many(batch, now.replace(microsecond=0)):
            route = next_route(worker.routes, now) or worker.routes[0]
            if not isinstance(result, RenderedLetter):
                del left[result.delivery.id]
                worker.queue.add_render_failure(result)
            elif not route.lane.closed(worker.app.clock()):
                del left[result.delivery.id]
                route.add_letter(result)
    finally:
        for delivery in left.values():
            worker.queue.put_back(delivery)
