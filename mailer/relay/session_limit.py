"""SessionLimit: how many letters a relay takes over one connection, by the settings and by its replies."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import dataclass

from mailer.relay.smtp_protocol import SERVICE_CLOSING, Reply

PROBE_INTERVAL_S = 60.0
"""How often one connection tests whether the relay takes more letters by now."""
_PROBE_FACTOR = 10
"""After so many times the learnt number of letters the relay plainly takes more."""

_LETTER_WORD = r"(?:messages?|e?-?mails?|letters?|recipients?|rcpts?|transactions?|deliver(?:y|ies)|envelopes?)"
_SESSION_WORD = r"(?:session|connection|conn|channel)"
_LETTER_LIMIT = re.compile(
    rf"{_LETTER_WORD}\b.{{0,30}}?\b(?:per|in|for|on|over|during|within)\b.{{0,20}}?\b{_SESSION_WORD}\b"
    rf"|\b{_SESSION_WORD}\b.{{0,30}}?{_LETTER_WORD}\b.{{0,20}}?\b(?:limit|maximum|quota)"
    rf"|\b(?:limit|maximum|max)\b.{{0,20}}?{_LETTER_WORD}.{{0,20}}?\b{_SESSION_WORD}\b",
    re.IGNORECASE,
)
_RECIPIENT_LIMIT = re.compile(r"4\.5\.3\b|too many recipients", re.IGNORECASE)
"""As a reply to the only recipient of a letter: the relay counts those of earlier letters, too."""
_CONNECTION_LIMIT = re.compile(
    r"too many\b.{0,30}\b(?:connections?|sessions?|clients?|users)\b"
    r"|\b(?:connections?|sessions?)\b.{0,40}\b(?:limit|exceed|maximum|too many)"
    r"|\b(?:limit|maximum|max|concurrent|simultaneous)\b.{0,30}\b(?:connections?|sessions?)\b",
    re.IGNORECASE,
)


def is_session_limit(reply: Reply, *, to_recipient: bool, to_sender: bool) -> bool:
    """Whether a reply on a reused connection is about that connection, not about the next letter."""
    if reply.code == SERVICE_CLOSING or (to_sender and reply.code == 452):
        return True
    if to_recipient and reply.code == 452 and _RECIPIENT_LIMIT.search(reply.text):
        return True
    return reply.code >= 400 and _LETTER_LIMIT.search(reply.text) is not None


def is_connection_limit(code: int, text: str) -> bool:
    """Whether a reply to a new connection says that there are too many connections."""
    return code // 100 == 4 or _CONNECTION_LIMIT.search(text) is not None


@dataclass(slots=True)
class SessionLimit:
    """The most letters over one connection to a relay."""

    configured: int | None = None
    clock: Callable[[], float] = time.monotonic
    learnt: int | None = None
    _next_probe_at: float = 0.0

    def max_letters(self, *, probing: bool = False) -> int | None:
        """After how many letters we hang up before the relay does; None: never. `probing` ignores what was learnt."""
        if self.learnt is None or probing:
            return self.configured
        return min(self.learnt, self.configured or self.learnt)

    def starts_probe(self) -> bool:
        """Whether a connection that is opened now should probe; at most one a minute."""
        now = self.clock()
        if self.learnt is None or now < self._next_probe_at:
            return False
        self._next_probe_at = now + PROBE_INTERVAL_S
        return True

    def record_session_end(self, letters: int) -> None:
        """Learn from a connection that the relay ended after so many letters."""
        if letters > 0:
            self.learnt = min(letters, self.learnt or letters)
            self._next_probe_at = self.clock() + PROBE_INTERVAL_S

    def record_probe(self, letters: int) -> None:
        """Forget what was learnt if a probing connection carried far more letters than that."""
        if self.learnt is not None and letters > _PROBE_FACTOR * self.learnt:
            self.learnt = None
