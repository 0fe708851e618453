"""Problem: one mistake in a campaign file, or one thing that its writer should look at, with its line."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from enum import StrEnum


class ProblemSeverity(StrEnum):
    """Whether a text can be sent all the same."""

    ERROR = "error"
    """It cannot be sent so."""
    WARNING = "warning"
    """It can, once somebody has said that it is meant so."""


class Rule(StrEnum):
    """What a problem is about."""

    FILE = "file"
    """The front matter, a link, a merge field or a condition cannot be read; the message says what and why."""
    EMPTY = "empty"
    LANGUAGE = "language"
    """The text says that it is in another language than its edition's."""
    UNTRANSLATED = "untranslated"
    """Its text is still that of the default edition, in its language."""
    STALE = "stale"
    """The default edition was changed after it."""
    UNFINISHED = "unfinished"
    """TK, ??? or [[ ]] were left in it."""
    NO_DESCRIPTION = "no description"
    """A picture without a text for those who do not see it."""
    FOREIGN_FIELD = "foreign field"
    """What may be a merge field of another service."""
    NOT_PUBLIC = "not public"
    """It answers a page of this site that not everybody can read."""
    EMPTY_LINK = "empty link"
    LONG_SUBJECT = "long subject"
    UNKNOWN_VALUE = "unknown value"
    """No reader that was looked at has the value of a merge field."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Problem:
    """One mistake or doubt."""

    line: int | None
    """The line of the campaign file, from 1; None where it is about the whole."""
    field: str
    """The key of the front matter that it is about, or `body`; empty for the whole."""
    severity: ProblemSeverity
    rule: Rule
    message: str
    """One sentence that says what is wrong and what helps."""

    @property
    def key(self) -> str:
        """The same for the same problem in the same words, wherever it stands; short."""
        return hashlib.sha256(f"{self.field}\0{self.rule}\0{self.message}".encode()).hexdigest()[:12]
