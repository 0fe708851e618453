"""EarlierLetter: a letter that other software sent before a list moved here, as the archive shows it."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from datetime import datetime

EARLIER_PAGE = "earlier"
"""The segment of an archive's path below which its earlier letters stand."""


@dataclass(frozen=True, kw_only=True, slots=True)
class EarlierLetter:
    """One letter, without addresses of anybody."""

    message_id: str
    """Without angle brackets; one made of the content where it had none."""
    sent_at: datetime
    subject: str
    author: str | None
    """The name that From shows, if any."""
    text: str
    """Plain text; addresses in it are masked."""
    number: int | None = None
    """Its place in the archive that it comes from, which is in its old address there (pipermail)."""
    id: int = 0
    """0 before it is stored."""

    @property
    def message_id_hash(self) -> str:
        """The Message-ID as archivers write it into addresses: SHA-1 in base 32 (X-Message-ID-Hash of Mailman 3)."""
        return base64.b32encode(hashlib.sha1(self.message_id.encode(), usedforsecurity=False).digest()).decode()
