"""Check which notices cannot be rendered, which forwarded mails failed, and which incoming mails are parked."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Connection

from mailer.domain.health_check import HealthCheck, fail, ok, warn
from mailer.store import incoming_mails
from mailer.store.database import Database
from mailer.store.incoming_mails import IncomingState
from mailer.store.queue import unrendered_notices
from mailer.store.queue.unrendered_notices import StuckNotice

_MAX_NAMED = 5
"""The most notices that are named one by one."""
_RECENT = timedelta(days=7)


async def check_mail(database: Database, now: datetime) -> list[HealthCheck]:
    """Three checks of a database with the current schema; nothing is changed."""

    def read(tx: Connection) -> list[HealthCheck]:
        return [
            check_notices(tx),
            _check_forwarded(unrendered_notices.list_failed_forwards(tx, now - _RECENT, _MAX_NAMED)),
            check_parked(tx),
        ]

    return await database.read(read)


def check_notices(tx: Connection) -> HealthCheck:
    """Check that every notice that waits can be rendered."""
    found = unrendered_notices.list_unwritten(tx, _MAX_NAMED)
    if not found:
        return ok("notices", "all of them can be rendered")
    return fail(
        "notices", f"they wait: {_describe(found)}", "They are tried again within the hour; put right what is said."
    )


def _check_forwarded(found: list[StuckNotice]) -> HealthCheck:
    if not found:
        return ok("owners", "got all mail of the last week that was for them")
    return warn("owners", f"mail did not reach them: {_describe(found)}", "It is kept in the database for a week.")


def check_parked(tx: Connection) -> HealthCheck:
    """Check that no incoming mail was given up."""
    number = incoming_mails.count_in_state(tx, IncomingState.PARKED)
    if not number:
        return ok("parked", "no incoming mail failed to be processed")
    return warn(
        "parked", f"{number} incoming mails failed to be processed three times, and are parked", "The log says why."
    )


def _describe(found: list[StuckNotice]) -> str:
    return "; ".join(f"{one.kind} {one.id} to {one.address} ({one.why})" for one in found)
