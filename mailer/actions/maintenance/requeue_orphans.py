"""Once an hour, find orphaned deliveries, which no worker would ever claim, and put them back into the queue."""

from __future__ import annotations

import structlog

from mailer.app import App
from mailer.domain.abuse_limits import HOUR
from mailer.store import locks
from mailer.store.locks import Lock
from mailer.store.queue import orphans

_log = structlog.get_logger()

_CHUNK = 500
"""Deliveries in one transaction, so few that sending does not wait."""


async def requeue_orphans(app: App) -> int:
    """Put orphaned deliveries back into the queue. Returns how many; 0 where a process did it within the last hour.

    There should be none: each is logged as an error, since only a fault of ours leaves one. What a worker claims, or a
    dead worker that is not recovered yet, is no orphan. Claims without deliveries are deleted.
    """
    if not await app.database.write(locks.acquire, Lock.CHECK_ORPHANS, "", HOUR, app.clock()):
        return 0
    number = 0
    for campaign_id in await app.database.read(orphans.list_campaigns_to_check, app.clock()):
        orphan_ids = (await app.database.read(orphans.find_orphans, campaign_id)).ids
        for begin in range(0, len(orphan_ids), _CHUNK):
            chunk = orphan_ids[begin : begin + _CHUNK]
            requeued = await app.database.write(orphans.requeue_orphans, campaign_id, chunk, app.clock())
            number += len(requeued.ids)
            if requeued.ids:
                _log.error("recovered deliveries that no worker held", campaign=campaign_id, deliveries=requeued.ids)
        if empty := await app.database.write(orphans.delete_empty_claims, campaign_id):
            _log.warning("recovered from claims without deliveries", campaign=campaign_id, claims=empty)
    return number
