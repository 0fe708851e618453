"""How many letters a relay takes over one connection: how it says so, and what is learnt from that."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import dataclass

from mailer.relay.smtp_protocol import CLOSING, Reply

TRY_MORE_S = 60.0
"""How often one connection tries whether the relay takes more by now."""
_MANY = 10
"""Times as many letters as were learnt: after them it is plain that the relay takes more."""

_THING = r"(?:messages?|e?-?mails?|letters?|recipients?|rcpts?|transactions?|deliver(?:y|ies)|envelopes?)"
_SESSION = r"(?:session|connection|conn|channel)"
_LETTERS = re.compile(
    rf"{_THING}\b.{{0,30}}?\b(?:per|in|for|on|over|during|within)\b.{{0,20}}?\b{_SESSION}\b"
    rf"|\b{_SESSION}\b.{{0,30}}?{_THING}\b.{{0,20}}?\b(?:limit|maximum|quota)"
    rf"|\b(?:limit|maximum|max)\b.{{0,20}}?{_THING}.{{0,20}}?\b{_SESSION}\b",
    re.IGNORECASE,
)
_RECIPIENTS = re.compile(r"4\.5\.3\b|too many recipients", re.IGNORECASE)
"""In answer to the only recipient of a letter: those of the letters before are counted, too."""
_CONNECTIONS = re.compile(
    r"too many\b.{0,30}\b(?:connections?|sessions?|clients?|users)\b"
    r"|\b(?:connections?|sessions?)\b.{0,40}\b(?:limit|exceed|maximum|too many)"
    r"|\b(?:limit|maximum|max|concurrent|simultaneous)\b.{0,30}\b(?:connections?|sessions?)\b",
    re.IGNORECASE,
)


def ends_session(reply: Reply, *, to_recipient: bool, to_sender: bool) -> bool:
    """Whether a reply on a connection that has carried letters is about that connection, not about the next letter."""
    if reply.code == CLOSING or (to_sender and reply.code == 452):
        return True
    if to_recipient and reply.code == 452 and _RECIPIENTS.search(reply.text):
        return True
    return reply.code >= 400 and _LETTERS.search(reply.text) is not None


def no_more_connections(code: int, text: str) -> bool:
    """Whether a reply to our coming says that others of ours, or of anybody, must go first."""
    return code // 100 == 4 or _CONNECTIONS.search(text) is not None


@dataclass(slots=True)
class SessionLimit:
    """The most letters over one connection to a relay: as the settings say, and as the relay showed."""

    given: int | None = None
    clock: Callable[[], float] = time.monotonic
    learnt: int | None = None
    _try_more_at: float = 0.0

    def most(self, *, trying: bool = False) -> int | None:
        """After how many letters we hang up, before the relay does; a connection that is `trying` goes on."""
        if self.learnt is None or trying:
            return self.given
        return min(self.learnt, self.given or self.learnt)

    def tries(self) -> bool:
        """Whether a connection that is opened now is the one in a minute that tries for more than was learnt."""
        now = self.clock()
        if self.learnt is None or now < self._try_more_at:
            return False
        self._try_more_at = now + TRY_MORE_S
        return True

    def ended(self, letters: int) -> None:
        """The relay ended a connection after so many letters."""
        if letters > 0:
            self.learnt = min(letters, self.learnt or letters)
            self._try_more_at = self.clock() + TRY_MORE_S

    def took(self, letters: int) -> None:
        """A connection that tried for more has carried so many: far more, and what was learnt is forgotten."""
        if self.learnt is not None and letters > _MANY * self.learnt:
            self.learnt = None
