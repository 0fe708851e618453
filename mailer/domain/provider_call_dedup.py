"""Deduplication of provider calls: a call that comes again within a day is not processed again."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime, timedelta

from mailer.errors import ProviderCallInProgress, ProviderCallRefused

_KEEP_FOR = timedelta(hours=26)
"""Longer than the signature of any provider's call is accepted."""
_MAX_CALLS = 50_000


@dataclass(slots=True)
class _SeenCall:
    at: datetime
    digest: bytes
    done: bool = False


class SeenCalls:
    """The calls that this process has taken in; a restart forgets them, as processing a call twice changes nothing."""

    def __init__(self, max_calls: int = _MAX_CALLS) -> None:
        self._max_calls = max_calls
        self._seen: OrderedDict[str, _SeenCall] = OrderedDict()

    def claim(self, dedup_key: str, body: bytes, now: datetime) -> bool:
        """Whether a call is new. The caller processes a new one, and then calls `mark_done` or `forget`.

        Raises ProviderCallInProgress while the same call is being processed, and ProviderCallRefused where the key came
        with another body: somebody put a signature that does not cover the body (Mailgun's) under a body of their own.
        """
        self._forget_old(now)
        digest = hashlib.sha256(body).digest()
        if known := self._seen.get(dedup_key):
            if known.digest != digest:
                raise ProviderCallRefused("its token was used by another call")
            if not known.done:
                raise ProviderCallInProgress("the same call is being processed")
            return False
        self._seen[dedup_key] = _SeenCall(now, digest)
        return True

    def mark_done(self, dedup_key: str) -> None:
        """Remember that a claimed call was processed."""
        if known := self._seen.get(dedup_key):
            known.done = True

    def forget(self, dedup_key: str) -> None:
        """Forget a claimed call that could not be processed: when it comes again it is new."""
        self._seen.pop(dedup_key, None)

    def _forget_old(self, now: datetime) -> None:
        while self._seen:
            oldest, seen = next(iter(self._seen.items()))
            if len(self._seen) < self._max_calls and now - seen.at < _KEEP_FOR:
                return
            del self._seen[oldest]
