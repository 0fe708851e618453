"""ImportDecision: what an import does to one person, and the rules by which it is decided."""

from __future__ import annotations

from dataclasses import dataclass

from mailer.domain.imports.import_run import Outcome
from mailer.store.imports.changed_people import PersonChange


@dataclass(frozen=True, kw_only=True, slots=True)
class ImportRules:
    """What holds for all people of an import."""

    invite: bool
    """Readers are asked by letter instead of being put on the list."""
    on_own_word: bool
    """The organiser states that the people agreed: people who have still to confirm here are confirmed by it, too."""
    with_row_evidence: bool
    """The consent record keeps the export's own words of each person."""


@dataclass(slots=True)
class ImportDecision:
    """What an import does to one person."""

    outcome: Outcome
    change: PersonChange | None = None
    """None where nothing is written."""
    is_invited: bool = False
    """Whether they get a letter that asks."""
