"""What a person agreed to or withdrew, and how we know."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class Act(StrEnum):
    """One kind of line in the consent record."""

    ASKED = "asked"
    """Somebody asked for this address; it is not known yet whether it was the person."""
    CONFIRMED = "confirmed"
    DECLINED = "declined"
    LEFT = "left"
    REJOINED = "rejoined"
    """Pressed Undo after leaving."""
    IMPORTED = "imported"
    """On the organiser's word."""
    INVITED = "invited"
    NEVER = "never"
    """Asked not to be asked again, by any list."""


class Way(StrEnum):
    """Through which door a word reached us."""

    MAIL = "mail"
    FORM = "form"
    LINK = "link"
    IMPORT = "import"


@dataclass(frozen=True, slots=True)
class Evidence:
    """How we know."""

    way: Way
    words: dict[str, Any] = field(default_factory=dict)
    """What can be shown later: a Message-ID and sender, the file and who imported it."""
