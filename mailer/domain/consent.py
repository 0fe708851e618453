"""What a person agreed to or withdrew, and how we know."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class ConsentAct(StrEnum):
    """One kind of line in the consent record."""

    ASKED = "asked"
    """Somebody asked for this address; it is not known yet whether it was the person."""
    HELD = "held"
    """Somebody asked, and the person is not asked for now: too many letters would go out."""
    CONFIRMED = "confirmed"
    DECLINED = "declined"
    LEFT = "left"
    REJOINED = "rejoined"
    """Pressed Undo after leaving."""
    IMPORTED = "imported"
    """On the organiser's word."""
    DEPARTED = "departed"
    """Stands in an imported table as somebody who left, or whom nothing reaches."""
    INVITED = "invited"
    NEVER = "never"
    """Asked not to be asked again, by any list."""
    BOUNCED = "bounced"
    """Letters came back, and none goes there any more."""
    COMPLAINED = "complained"
    RESTORED = "restored"
    """On the organiser's word, after a bounce or a complaint."""


AGREEING_ACTS = (ConsentAct.CONFIRMED, ConsentAct.REJOINED, ConsentAct.IMPORTED)
"""With one of these the person was on the list; without any, all we know of them is a stranger's word."""
IDENTIFYING_KEYS = frozenset({"proof", "client", "from", "envelope_from", "message_id", "diagnostic"})
"""What in the evidence shows who it was: kept for a while only."""


class Channel(StrEnum):
    """Through which door a word reached us."""

    MAIL = "mail"
    FORM = "form"
    LINK = "link"
    IMPORT = "import"
    FEEDBACK = "return"
    """What came back of a letter."""
    COMMAND = "command"


@dataclass(frozen=True, slots=True)
class Evidence:
    """How we know."""

    channel: Channel
    details: dict[str, Any] = field(default_factory=dict)
    """What can be shown later: a Message-ID and sender, the file and who imported it."""
