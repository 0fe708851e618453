"""A letter in the archive: which texts it has, and what an index tells of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from mailer.domain.letters.edition_choice import choose_edition


@dataclass(frozen=True, kw_only=True, slots=True)
class ArchivedEdition:
    """One edition of an archived letter, with its newest text."""

    language: str
    revision_id: int
    changed_at: datetime
    """When that text was written."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ArchivedLetter:
    """A campaign whose letters were sent and may be read on the web."""

    campaign_id: int
    launched_at: datetime
    editions: tuple[ArchivedEdition, ...] = ()
    """Those that were sent, the default one first; empty where they were not asked for."""

    @property
    def languages(self) -> tuple[str, ...]:
        """Of its editions."""
        return tuple(one.language for one in self.editions)

    def edition_for(self, language: str, list_language: str) -> ArchivedEdition:
        """The edition that readers of a language get; there must be one."""
        chosen = choose_edition(language, self.languages, list_language).language
        return next(one for one in self.editions if one.language == chosen)


@dataclass(frozen=True, kw_only=True, slots=True)
class ArchivedText:
    """A text as it was written, with what of its list decides on its words."""

    manuscript: str
    segments: Mapping[str, str]
    """The list's, as they were at the launch."""


@dataclass(frozen=True, kw_only=True, slots=True)
class LetterSummary:
    """What an index tells of one text: as a reader gets it of whom nothing is known."""

    title: str
    lead: str
    tags: tuple[str, ...]
