"""How long a client at the mail door may take: for a command, for a mail, for everything."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

_MAIL_TIMEOUT_FACTOR = 5
"""A whole mail may take this many times as long as one command."""
_NEVER = float("inf")


class SessionTimeouts:
    """One timer for one connection; moving its hands costs next to nothing, as it is set anew only when it rings."""

    def __init__(self, loop: asyncio.AbstractEventLoop, timeout_s: float, on_timeout: Callable[[], None]) -> None:
        self._loop, self._timeout_s, self._on_timeout = loop, timeout_s, on_timeout
        self._until = self._session_ends_at = self._timer_at = _NEVER
        self._last_octets_at: float | None = None
        """When the last octets of a mail came; None outside of mails."""
        self._timer: asyncio.TimerHandle | None = None

    def limit_session(self, seconds: float) -> None:
        """The session is over then, whatever it is at."""
        self._session_ends_at = self._loop.time() + seconds

    def expect_command(self) -> None:
        """Whole, and soon: its octets one by one do not count."""
        self._expect(self._timeout_s)

    def expect_mail(self) -> None:
        """Whole in a longer while, and no piece of it long after the one before."""
        self._expect(self._timeout_s * _MAIL_TIMEOUT_FACTOR)
        self._last_octets_at = self._loop.time()
        self._schedule()

    def expect_end(self, seconds: float) -> None:
        """The client may take so long to fetch our last words."""
        self._expect(seconds)

    def suspend(self) -> None:
        """It is for us to answer."""
        self._until, self._last_octets_at = _NEVER, None

    def note_activity(self) -> None:
        """Something came, be it a single octet."""
        if self._last_octets_at is not None:
            self._last_octets_at = self._loop.time()

    def stop(self) -> None:
        """Never ring again."""
        if self._timer is not None:
            self._timer.cancel()

    def _expect(self, seconds: float) -> None:
        self._until, self._last_octets_at = self._loop.time() + seconds, None
        self._schedule()

    @property
    def _due(self) -> float:
        silence_deadline = _NEVER if self._last_octets_at is None else self._last_octets_at + self._timeout_s
        # A mail that is just being written down is answered before the session ends.
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
