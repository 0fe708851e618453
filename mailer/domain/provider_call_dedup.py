"""The calls of providers that were heard already: what is heard again is not acted on again."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime, timedelta

from mailer.errors import ProviderCallInProgress, ProviderCallRefused

_KEEP_FOR = timedelta(hours=26)
"""Longer than any call is believed after it was signed."""
_MAX_CALLS = 50_000


@dataclass(slots=True)
class _SeenCall:
    at: datetime
    digest: bytes
    done: bool = False


class SeenCalls:
    """What this process has heard lately; to act twice would do no harm, so that a restart may forget it."""

    def __init__(self, most: int = _MAX_CALLS) -> None:
        self._most_processes = most
        self._seen: OrderedDict[str, _SeenCall] = OrderedDict()

    def claim(self, name: str, body: bytes, now: datetime) -> bool:
        """Whether a call of this name is new: then it is to be acted on, and said to be `done`, or forgotten.

        CallUnderway where that is being done: what is not yet written down must not be said to be. CallRefused where
        the name was another call's: a signature that does not cover the body (Mailgun's) was put under another one.
        """
        self._forget_old(now)
        digest = hashlib.sha256(body).digest()
        if known := self._seen.get(name):
            if known.digest != digest:
                raise ProviderCallRefused("its token was another call's")
            if not known.done:
                raise ProviderCallInProgress("it is being acted on")
            return False
        self._seen[name] = _SeenCall(now, digest)
        return True

    def mark_done(self, name: str) -> None:
        """It was acted on."""
        if known := self._seen.get(name):
            known.done = True

    def forget(self, name: str) -> None:
        """It could not be acted on: when it comes again it is new."""
        self._seen.pop(name, None)

    def _forget_old(self, now: datetime) -> None:
        while self._seen:
            oldest, seen = next(iter(self._seen.items()))
            if len(self._seen) < self._most_processes and now - seen.at < _KEEP_FOR:
                return
            del self._seen[oldest]
