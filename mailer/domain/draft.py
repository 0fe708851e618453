"""Drafts: a campaign's texts while they are written, their versions, and approvals of them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

VERSION_SPAN_S = 300
"""What one person saves within so many seconds is one version: the last."""


class EditionStatus(StrEnum):
    """What a campaign's text in one language needs."""

    READY = "ready"
    STALE = "stale"
    """The default edition was changed since this one was last said to be up to date with it."""
    EMPTY = "empty"
    """It has no subject or no text yet, or still the text of the default edition."""
    PROBLEMS = "problems"
    """It has mistakes for which it cannot be sent."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Draft:
    """The text of one edition as it is now, newer than any revision of it or the same."""

    edition_id: int
    language: str
    is_default: bool
    version: int
    """Grows with each save. 0: nobody has written here since the edition's newest revision."""
    text: str
    """A campaign file, finished or not."""
    changed_at: datetime
    changed_by: str
    """As the audit log names them; empty where it is not known."""
    source_digest: str | None
    """`text_digest` of the default edition's text that this one was last up to date with; None for the default."""
    revision_id: int | None
    """The newest revision; None if this edition was never frozen."""
    frozen_text: str | None
    """The text of that revision."""

    def is_older_than(self, default: Draft) -> bool:
        """Whether the default edition was changed since this one was last said to be up to date with it."""
        return self.source_digest is not None and self.source_digest != text_digest(default.text)

    @property
    def is_frozen(self) -> bool:
        """Whether the newest revision has this text."""
        return self.text == self.frozen_text


@dataclass(frozen=True, kw_only=True, slots=True)
class DraftVersion:
    """A text that an edition had, or one that was set aside because somebody else had saved meanwhile."""

    version: int
    changed_at: datetime
    changed_by: str
    is_aside: bool
    """Whether it never was the edition's text: its writer had begun from an older version."""
    is_current: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Approval:
    """Somebody read the texts of a campaign, or one of them, and agrees that they are sent."""

    approved_by: str
    organiser_id: int | None
    at: datetime
    is_valid: bool
    """Whether the texts are still the same."""
    language: str | None = None
    """The edition that was approved by itself; None: all that are sent."""


@dataclass(frozen=True, kw_only=True, slots=True)
class SampleReader:
    """An invented person for whom a letter is shown."""

    address: str = "reader@example.org"
    name: str | None = None
    language: str | None = None
    attributes: Mapping[str, str] | None = None


SAMPLE_READERS = {
    "long": SampleReader(name="Maria-Magdalena Konstantinopoulou-Schwarzenberger", address="maria@example.org"),
    "nameless": SampleReader(address="nameless@example.org"),
    "rtl": SampleReader(name="ليلى الخطيب", language="ar", address="leila@example.org"),
    "plain": SampleReader(name="Rosa", address="rosa@example.org"),
}
"""Invented people whose letters differ, by name."""


def text_digest(text: str) -> str:
    """SHA-256 of a text, in hexadecimal."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def campaign_digest(texts: Mapping[str, str]) -> str:
    """SHA-256 of all texts of a campaign, by language: what an approval is of."""
    return text_digest("\0".join(f"{language}\0{text_digest(texts[language])}" for language in sorted(texts)))
