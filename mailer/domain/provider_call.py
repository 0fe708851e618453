"""A mail provider's HTTP call to us, before and after its signature is verified."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True, kw_only=True, slots=True)
class ProviderCall:
    """One POST request as it came in."""

    provider: str
    """The value of `[[provider]] provider`."""
    body: bytes
    headers: Mapping[str, str]
    """By lower-case name."""


@dataclass(frozen=True, kw_only=True, slots=True)
class VerifiedCall:
    """The content of a call whose signature or login is verified."""

    dedup_key: str
    """Equal when the provider repeats the call, different for any other genuine call."""
    payload: Any
    """The decoded JSON."""
    not_before: datetime | None = None
    """Older events are refused; set where the call carries no signed time."""
