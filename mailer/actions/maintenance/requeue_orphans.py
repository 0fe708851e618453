"""Once an hour, deliveries that nobody would ever take are looked for, and put back into the queue."""

from __future__ import annotations

import structlog

from mailer.app import App
from mailer.domain.abuse_limits import HOUR
from mailer.store import locks
from mailer.store.locks import Lock
from mailer.store.queue import orphans

_log = structlog.get_logger()

_CHUNK = 500
"""Deliveries put back in one transaction: so few that no letter waits long for it."""


async def requeue_orphans(app: App) -> int:
    """Let orphaned deliveries wait again, unless that was done within the hour, by whichever process; how many were.

    There should be none: each is logged as an error, for it is a fault of ours that left it so. What a worker holds,
    or a dead one that is not buried yet, is none. Claims of which nothing is held any more are forgotten.
    """
    if not await app.database.write(locks.acquire, Lock.CHECK_ORPHANS, "", HOUR, app.clock()):
        return 0
    number = 0
    for campaign_id in await app.database.read(orphans.list_campaigns_to_check, app.clock()):
        found = (await app.database.read(orphans.find_orphans, campaign_id)).ids
        for begin in range(0, len(found), _CHUNK):
            some = found[begin : begin + _CHUNK]
            taken = await app.database.write(orphans.requeue_orphans, campaign_id, some, app.clock())
            number += len(taken.ids)
            if taken.ids:
                _log.error("nobody held these deliveries: they wait again", campaign=campaign_id, deliveries=taken.ids)
        if empty := await app.database.write(orphans.delete_empty_claims, campaign_id):
            _log.warning("claims with nothing left in them", campaign=campaign_id, claims=empty)
    return number
