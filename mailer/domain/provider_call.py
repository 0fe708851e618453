"""A call of a mail provider to one of our hooks, before and after it is believed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True, kw_only=True, slots=True)
class ProviderCall:
    """One POST, as it came."""

    provider: str
    """As `[[provider]] provider` has it."""
    body: bytes
    headers: Mapping[str, str]
    """By their names in lower case."""


@dataclass(frozen=True, kw_only=True, slots=True)
class VerifiedCall:
    """What a provider said, once it is proven that the provider said it."""

    dedup_key: str
    """The same when the same is said again, and never for anything else that is genuine."""
    payload: Any
    """JSON."""
    not_before: datetime | None = None
    """Events before this are not believed, where the call itself does not show when it was made."""
