"""How the service logs: one line a fact, on stderr."""

from __future__ import annotations

import logging
import sys

import structlog


def log_to_stderr() -> None:
    """Set up structlog: for people on a terminal, as key=value for a journal."""
    terminal = sys.stderr.isatty()
    renderer = (
        structlog.dev.ConsoleRenderer()
        if terminal
        else structlog.processors.LogfmtRenderer(key_order=["timestamp", "level", "event"])
    )
    errors = [] if terminal else [structlog.processors.format_exc_info]
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            *errors,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    # The clock's own words ("job executed", once a second) say nothing.
    logging.getLogger("apscheduler").setLevel(logging.WARNING)
