"""Own the database while `serve` runs: one service per database, and its files private."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import structlog

from mailer.app import App
from mailer.store.database_files import make_private
from mailer.store.queue import workers

_log = structlog.get_logger()


def own_database(app: App) -> AbstractContextManager[Callable[[], None]]:
    """Own the database while the block runs; raises DatabaseOwned if another service does.

    Yields a blocking function that raises DatabaseOwned or DatabaseUnavailable if we do not own it any more: PostgreSQL
    forgets its owner when it restarts.
    """
    return workers.own_database(app.database.engine)


def service_running(app: App) -> bool:
    """Whether a `serve` runs on this database."""
    return workers.is_owned(app.database.engine)


def make_files_private(app: App, spool: Path) -> None:
    """Take away others' access to the files of the database and the spool, which older versions gave them."""
    database = Path(str(app.database.engine.url.database)) if app.database.has_one_writer else None
    if changed := make_private(database, spool):
        _log.warning("changed the mode of files that others could read", files=[str(file) for file in changed])
