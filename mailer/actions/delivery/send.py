"""One run of a send worker: claim what is due, render and send it, and requeue what was not handed."""

from __future__ import annotations

from mailer.actions.delivery.queue_feeder import fill_queue, requeue_unsent
from mailer.actions.delivery.send_tasks import SendTasks
from mailer.actions.delivery.send_worker import SendWorker
from mailer.errors import WorkerFailed

_LAST_REPLIES_S = 10.0
"""How long, after a failure, the replies to letters that are already given are awaited."""


async def send(worker: SendWorker) -> int:
    """Send until nothing is due or the service closes; returns how many letters were handed.

    1. The queue feeder claims due deliveries (`fill_queue`).
    2. Render tasks turn them into letters, ready on a route (`render_ahead`).
    3. Delivery tasks, one for each connection, pass the gate and send (`deliver_letters`).
    4. What was claimed and not handed is queued again, whatever happens (`requeue_unsent`).

    Raises RelayUnavailable if no relay can be reached, DatabaseUnavailable, and WorkerFailed or any other error that
    ended a task. If the worker is not `is_intact` afterwards, abandon it: other workers recover what it had.
    """
    worker.begin_run()
    tasks, relay_error = SendTasks(worker), None
    try:
        tasks.start_watching_close()
        while relay_error is None and (
            await fill_queue(worker) or (not worker.is_closing and worker.queue.has_open_deliveries)
        ):
            tasks.start_missing()
            relay_error = await tasks.wait_for_change()
        await tasks.stop()
        relay_error = relay_error or tasks.collect_ended()
    except Exception:
        # A letter that is given may still get its reply; without it nobody knows whether it was accepted.
        await tasks.stop(_LAST_REPLIES_S)
        raise
    finally:
        try:
            await tasks.cancel()
            await requeue_unsent(worker)
        finally:
            await worker.outcomes.wait_until_idle()
    if worker.queue.unanswered:
        raise WorkerFailed(f"{worker.queue.unanswered} letters were cut off after they were handed; they are recovered")
    worker.end_run()
    if relay_error is not None:
        raise relay_error
    return worker.queue.handed
