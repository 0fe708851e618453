"""What an undo of an import takes back, and whom it keeps and why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class KeptReason(StrEnum):
    """Why a person stays as they are though the import is undone: what has happened to them since."""

    ACTED = "acted"
    """They, or an organiser, did something that the consent record has."""
    MAILED = "mailed"
    """A letter went to them, or is under way."""
    BOUNCED = "bounced"
    IMPORTED = "imported again"
    """A later import changed them, too."""
    CHANGED = "changed"
    """Their details, or how they stand on the list, are not what the import wrote."""


@dataclass(frozen=True, kw_only=True, slots=True)
class UndoResult:
    """The counts of an undo, over all its attempts."""

    number: int
    """Of the import."""
    undone: int
    """People who stand as they did before the import; whom it brought new are gone."""
    lifted: int
    """People of whom only suppressions had come along, which are lifted."""
    kept: Mapping[KeptReason, int]
    """People who were touched since, and stay as they are."""
