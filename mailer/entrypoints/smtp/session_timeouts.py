"""How long a client at the mail door may take: for a command, for a mail, for everything."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

_MAIL_TAKES = 5
"""A whole mail may take this many times as long as one command."""
_NEVER = float("inf")


class SessionClock:
    """One timer for one connection; moving its hands costs next to nothing, as it is set anew only when it rings."""

    def __init__(self, loop: asyncio.AbstractEventLoop, patience_s: float, time_is_up: Callable[[], None]) -> None:
        self._loop, self._patience_s, self._time_is_up = loop, patience_s, time_is_up
        self._until = self._ends_at = self._rings_at = _NEVER
        self._heard_at: float | None = None
        """When the last octets of a mail came; None outside of mails."""
        self._timer: asyncio.TimerHandle | None = None

    def ends_in(self, seconds: float) -> None:
        """The session is over then, whatever it is at."""
        self._ends_at = self._loop.time() + seconds

    def expect_command(self) -> None:
        """Whole, and soon: its octets one by one do not count."""
        self._expect(self._patience_s)

    def expect_mail(self) -> None:
        """Whole in a longer while, and no piece of it long after the one before."""
        self._expect(self._patience_s * _MAIL_TAKES)
        self._heard_at = self._loop.time()
        self._set()

    def expect_end(self, seconds: float) -> None:
        """The client may take so long to fetch our last words."""
        self._expect(seconds)

    def hold(self) -> None:
        """It is for us to answer."""
        self._until, self._heard_at = _NEVER, None

    def heard(self) -> None:
        """Something came, be it a single octet."""
        if self._heard_at is not None:
            self._heard_at = self._loop.time()

    def stop(self) -> None:
        """Never ring again."""
        if self._timer is not None:
            self._timer.cancel()

    def _expect(self, seconds: float) -> None:
        self._until, self._heard_at = self._loop.time() + seconds, None
        self._set()

    @property
    def _due(self) -> float:
        silent = _NEVER if self._heard_at is None else self._heard_at + self._patience_s
        # A mail that is just being written down is answered before the session ends.
        return _NEVER if self._until == _NEVER else min(self._until, silent, self._ends_at)

    def _set(self) -> None:
        if (due := self._due) < self._rings_at:
            self.stop()
            self._rings_at, self._timer = due, self._loop.call_at(due, self._ring)

    def _ring(self) -> None:
        self._rings_at = _NEVER
        if self._loop.time() >= self._due:
            self._time_is_up()
        else:
            self._set()
