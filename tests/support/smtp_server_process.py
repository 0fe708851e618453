"""A mail door in a process of its own, for tests that kill or weigh it.

    python -m tests.support.smtp_server_process DATABASE FOLDER

Prints its port, and then each time a mail is about to be committed and has been. With a third word `stuck` it stops
there for ever, before the commit. A line on stdin makes it print the most memory it ever had, in MB.
"""

from __future__ import annotations

import asyncio
import resource
import sys
from datetime import UTC, datetime
from pathlib import Path

from mailer.actions.inbound.receive import Reception
from mailer.domain.incoming_message import Arrival
from mailer.entrypoints.service.logging_setup import log_to_stderr
from mailer.entrypoints.smtp.handler import IntakeDoor
from mailer.entrypoints.smtp.server import open_intake
from mailer.settings.intake_tables import IntakeSettings
from tests.support.app_helpers import DOMAIN, make_app


def say(what: object) -> None:
    """A line on stdout."""
    sys.stdout.write(f"{what}\n")
    sys.stdout.flush()


class Watched(Reception):
    """Says where it is."""

    async def receive(self, arrival: Arrival) -> None:
        """Commit, unless we are stuck."""
        say("written")
        if sys.argv[3:] == ["stuck"]:
            await asyncio.Event().wait()
        await super().receive(arrival)


async def main(database: str, folder: Path) -> None:
    """Until killed."""
    log_to_stderr()
    app = make_app(database, lambda: datetime.now(UTC), 1)  # type: ignore[arg-type]
    settings = IntakeSettings(spool=folder / "spool", keep_free_megabytes=0)
    reception = Watched(app, settings)
    await reception.sweep()
    door = IntakeDoor(
        host="127.0.0.1",
        port=0,
        protocol="smtp",
        hostname=DOMAIN,
        domain=DOMAIN,
        spool=settings.spool,
        most_octets=11 * 2**20,
    )
    intake = await open_intake(door, reception)
    say(intake.port)
    while await asyncio.to_thread(sys.stdin.readline):
        say(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


asyncio.run(main(sys.argv[1], Path(sys.argv[2])))
