"""A mail door in a process of its own, for tests that kill or weigh it.

    python -m tests.support.smtp_server_process DATABASE FOLDER

Prints its port, and then each time a mail is about to be committed and has been. With a third word `stuck` it stops
there for ever, before the commit. A line on stdin makes it print the most memory it ever had, in MB.
"""

from __future__ import annotations

import asyncio
import sys
from datetime import UTC, datetime
from pathlib import Path

from mailer.actions.inbound.receive import MailReceiver
from mailer.domain.incoming_message import IncomingMessage
from mailer.entrypoints.service.logging_setup import log_to_stderr
from mailer.entrypoints.smtp.handler import SmtpServerConfig
from mailer.entrypoints.smtp.server import start_smtp_server
from mailer.settings.intake_tables import IntakeSettings
from tests.support.app_helpers import DOMAIN, make_app
from tests.support.peak_memory import peak_kib


def print_line(what: object) -> None:
    """A line on stdout."""
    sys.stdout.write(f"{what}\n")
    sys.stdout.flush()


class ReportingReception(MailReceiver):
    """Says where it is."""

    async def receive(self, message: IncomingMessage) -> None:
        """Commit, unless we are stuck."""
        print_line("written")
        if sys.argv[3:] == ["stuck"]:
            await asyncio.Event().wait()
        await super().receive(message)


async def main(database: str, folder: Path) -> None:
    """Until killed."""
    log_to_stderr()
    app = make_app(database, lambda: datetime.now(UTC), 1)  # type: ignore[arg-type]
    settings = IntakeSettings(spool=folder / "spool", keep_free_megabytes=0)
    receiver = ReportingReception(app, settings)
    await receiver.delete_orphaned_files()
    config = SmtpServerConfig(
        host="127.0.0.1",
        port=0,
        protocol="smtp",
        hostname=DOMAIN,
        domain=DOMAIN,
        spool=settings.spool,
        most_octets=11 * 2**20,
    )
    server = await start_smtp_server(config, receiver)
    print_line(server.port)
    while await asyncio.to_thread(sys.stdin.readline):
        print_line(peak_kib() / 1024)


asyncio.run(main(sys.argv[1], Path(sys.argv[2])))
