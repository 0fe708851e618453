"""Render task: renders and signs letters before a connection is free for them."""

from __future__ import annotations

from datetime import datetime

from mailer.actions.delivery.queue_state import QueueState
from mailer.actions.delivery.render_letter import RenderedLetter
from mailer.actions.delivery.send_worker import SendWorker
from mailer.domain.delivery import Delivery
from mailer.relay.route import next_route

_BATCH_SIZE = 32
"""Letters rendered together: enough that the way to another thread and back pays."""
_FIRST_BATCH_SIZE = 4
"""Before anything is known of how large they are."""
_MOST_OCTETS = 64_000_000
"""Of all letters of a worker that are in memory: with attachments each may have ten million."""


async def render_ahead(worker: SendWorker) -> None:
    """Keep as many letters ready as the routes and the memory have room for, until the run stops."""
    queue = worker.queue
    while worker.may_take_letters:
        now = worker.app.clock()
        free_slots = sum(route.free_slots(now) for route in worker.routes)
        most = min(free_slots, _BATCH_SIZE, _room_in_memory(queue))
        if most > 0 and (batch := queue.take_to_render(most)):
            await _render_batch(worker, batch, now)
        else:
            await queue.renderer_wakeup.wait()
            queue.renderer_wakeup.clear()


def _room_in_memory(queue: QueueState) -> int:
    """How many more letters may be rendered, as large as the last ones were; those being sent count, too."""
    most = _MOST_OCTETS // queue.letter_octets if queue.letter_octets else _FIRST_BATCH_SIZE
    return most - queue.scheduler.in_flight


async def _render_batch(worker: SendWorker, batch: list[Delivery], now: datetime) -> None:
    """Render a batch and add each letter to a route; a delivery without a letter goes back to the scheduler."""
    left = {one.id: one for one in batch}
    try:
        for result in await worker.renderer.render_many(batch, now.replace(microsecond=0)):
            route = next_route(worker.routes, now) or worker.routes[0]
            if not isinstance(result, RenderedLetter):
                del left[result.delivery.id]
                worker.queue.add_render_failure(result)
                continue
            worker.queue.note_size(len(result.letter.content))
            if not route.lane.closed(worker.app.clock()):
                del left[result.delivery.id]
                route.add_letter(result)
    finally:
        for delivery in left.values():
            worker.queue.put_back(delivery)
