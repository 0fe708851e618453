"""End the pauses whose hour has come: those people get letters again."""

from __future__ import annotations

from sqlalchemy import Connection

from mailer.app import App
from mailer.domain.consent import Channel, ConsentAct, Evidence
from mailer.store import consents, paused_people, subscriptions

_CHUNK = 200
"""Pauses in one transaction."""


async def end_pauses(app: App) -> int:
    """Lift each pause that ends by itself once its time has come, with a line in the consent record; returns how many.

    Until then nothing is sent, also where the service stood still at that hour. Idempotent.
    """
    ended = 0
    while ended_now := await app.database.write(_end_chunk, app):
        ended += ended_now
    return ended


def _end_chunk(tx: Connection, app: App) -> int:
    now = app.clock()
    number, ended = paused_people.end_due(tx, now, _CHUNK)
    for one in ended:
        evidence = Evidence(Channel.IMPORT, {"until": one.until.isoformat()})
        consents.record(tx, subscriptions.get(tx, one.subscription_id), ConsentAct.RESUMED, evidence, now)
    return number
