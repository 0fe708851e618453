"""Sets up structlog: one line per event, on stderr."""

from __future__ import annotations

import logging
import sys

import structlog


def log_to_stderr() -> None:
    """Log to stderr: coloured on a terminal, as key=value (logfmt) elsewhere."""
    terminal = sys.stderr.isatty()
    renderer = (
        # Structlog's own way also writes every local variable: slowly, and some are secrets.
        structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
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
    # APScheduler logs "job executed" every second.
    logging.getLogger("apscheduler").setLevel(logging.WARNING)
