"""The keeper asks what became of mail: which letters of ours cannot be written, and which mails wait for people."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Connection

from mailer.domain.health_check import Finding, fail, ok, warn
from mailer.store import incoming_mails
from mailer.store.database import Database
from mailer.store.incoming_mails import IncomingState
from mailer.store.queue import unrendered_notices
from mailer.store.queue.unrendered_notices import Stuck

_MOST = 5
"""Letters that are named one by one."""
_OF_LATE = timedelta(days=7)


async def check_mail(database: Database, now: datetime) -> list[Finding]:
    """Findings of a database that has this version's schema; nothing is changed."""

    def read(tx: Connection) -> list[Finding]:
        return [
            _unwritten(unrendered_notices.unwritten(tx, _MOST)),
            _not_carried(unrendered_notices.not_carried(tx, now - _OF_LATE, _MOST)),
            _parked(incoming_mails.number_in(tx, IncomingState.PARKED)),
        ]

    return await database.read(read)


def _unwritten(found: list[Stuck]) -> Finding:
    if not found:
        return ok("notices", "all of them can be written")
    return fail("notices", f"they wait: {_named(found)}", "They are tried again within the hour; mend what is said.")


def _not_carried(found: list[Stuck]) -> Finding:
    if not found:
        return ok("owners", "got all mail of the last week that was for them")
    return warn("owners", f"mail did not reach them: {_named(found)}", "It is kept in the database for a week.")


def _parked(number: int) -> Finding:
    if not number:
        return ok("parked", "no mail that came in broke the service")
    return warn("parked", f"{number} mails that came in broke the service, and wait", "The log says why.")


def _named(found: list[Stuck]) -> str:
    return "; ".join(f"{one.kind} {one.id} to {one.address} ({one.why})" for one in found)
