"""SessionTimeouts: how long an SMTP client may take for a command, a message and a session."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

_MAIL_TIMEOUT_FACTOR = 5
"""A whole message may take this many times as long as one command."""
_NEVER = float("inf")


class SessionTimeouts:
    """The deadlines of one connection. They move often, so their one timer is set again only when it fires."""

    def __init__(self, loop: asyncio.AbstractEventLoop, timeout_s: float, on_timeout: Callable[[], None]) -> None:
        self._loop, self._timeout_s, self._on_timeout = loop, timeout_s, on_timeout
        self._until = self._session_ends_at = self._timer_at = _NEVER
        self._last_octets_at: float | None = None
        """When the last octets of a message came; None outside of messages."""
        self._timer: asyncio.TimerHandle | None = None

    def limit_session(self, seconds: float) -> None:
        """End the session after this time, whatever the client does."""
        self._session_ends_at = self._loop.time() + seconds

    def expect_command(self) -> None:
        """Wait for one complete command line; single octets do not extend the deadline."""
        self._expect(self._timeout_s)

    def expect_mail(self) -> None:
        """Wait for a whole message, with no long pause between two pieces of it."""
        self._expect(self._timeout_s * _MAIL_TIMEOUT_FACTOR)
        self._last_octets_at = self._loop.time()
        self._schedule()

    def expect_end(self, seconds: float) -> None:
        """Give the client this time to read our last reply."""
        self._expect(seconds)

    def suspend(self) -> None:
        """Set no deadline: we are working on a reply."""
        self._until, self._last_octets_at = _NEVER, None

    def note_activity(self) -> None:
        """Note that octets came."""
        if self._last_octets_at is not None:
            self._last_octets_at = self._loop.time()

    def stop(self) -> None:
        """Cancel the timer for good."""
        if self._timer is not None:
            self._timer.cancel()

    def _expect(self, seconds: float) -> None:
        self._until, self._last_octets_at = self._loop.time() + seconds, None
        self._schedule()

    @property
    def _due(self) -> float:
        silence_deadline = _NEVER if self._last_octets_at is None else self._last_octets_at + self._timeout_s
        # A message that is being stored is answered before the session ends.
        return _NEVER if self._until == _NEVER else min(self._until, silence_deadline, self._session_ends_at)

    def _schedule(self) -> None:
        if (due := self._due) < self._timer_at:
            self.stop()
            self._timer_at, self._timer = due, self._loop.call_at(due, self._on_timer)

    def _on_timer(self) -> None:
        self._timer_at = _NEVER
        if self._loop.time() >= self._due:
            self._on_timeout()
        else:
            self._schedule()
