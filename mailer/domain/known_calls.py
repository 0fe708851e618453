"""The calls of providers that were heard already: what is heard again is not acted on again."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from datetime import datetime, timedelta

from mailer.errors import CallRefused

_KEPT = timedelta(hours=26)
"""Longer than any call is believed after it was signed."""
_MOST = 50_000


class KnownCalls:
    """What this process has heard lately; to act twice would do no harm, so that a restart may forget it."""

    def __init__(self, most: int = _MOST) -> None:
        self._most = most
        self._heard: OrderedDict[str, tuple[datetime, bytes]] = OrderedDict()

    def claim(self, name: str, body: bytes, now: datetime) -> bool:
        """Whether a call of this name is new; from now on it is not.

        CallRefused where the name was another call's: a signature that does not cover the body (Mailgun's) was put
        under another one.
        """
        self._forget_old(now)
        digest = hashlib.sha256(body).digest()
        if known := self._heard.get(name):
            if known[1] != digest:
                raise CallRefused("its token was another call's")
            return False
        self._heard[name] = (now, digest)
        return True

    def forget(self, name: str) -> None:
        """It could not be acted on: when it comes again it is new."""
        self._heard.pop(name, None)

    def _forget_old(self, now: datetime) -> None:
        while self._heard:
            oldest, (at, _) = next(iter(self._heard.items()))
            if len(self._heard) < self._most and now - at < _KEPT:
                return
            del self._heard[oldest]
