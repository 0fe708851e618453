"""A letter ready for the relay: its envelope and its octets."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Letter:
    """One message and its envelope (RFC 5321 section 2.3.1)."""

    return_path: str
    recipient: str
    content: bytes
    """Header and body, CRLF line ends, ASCII, dots not yet stuffed."""
