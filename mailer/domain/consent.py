"""Lines of the consent record: what a person agreed to or withdrew, through which channel, on what evidence."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class ConsentAct(StrEnum):
    """What a line of the consent record states."""

    ASKED = "asked"
    """Subscription was requested for this address; whether by the person is not known yet."""
    HELD = "held"
    """Subscription was requested, and the request was deferred because of the limits of [shield]."""
    CONFIRMED = "confirmed"
    DECLINED = "declined"
    LEFT = "left"
    REJOINED = "rejoined"
    """The person pressed Undo after leaving."""
    IMPORTED = "imported"
    """An organiser put the person on the list and states that they agreed."""
    DEPARTED = "departed"
    """An imported table has the person as unsubscribed or suppressed."""
    INVITED = "invited"
    NEVER = "never"
    """The person chose "never ask me again", for all lists."""
    BOUNCED = "bounced"
    """Letters bounced, and the address was suppressed."""
    COMPLAINED = "complained"
    RESTORED = "restored"
    """An organiser lifted a suppression, or mail from the person lifted one for bounces, or a pause."""
    RESUMED = "resumed"
    """A pause ended at the hour that was chosen for it elsewhere."""


AGREED_AT = "agreed_at"
"""The key, in the evidence of imported people, of when they agreed elsewhere."""
AGREEING_ACTS = (ConsentAct.CONFIRMED, ConsentAct.REJOINED, ConsentAct.IMPORTED)
"""A person with one of these was on the list; without one, all that is known comes from unconfirmed requests."""
IDENTIFYING_KEYS = frozenset(
    {"proof", "client", "from", "envelope_from", "message_id", "diagnostic", "optin_ip", "confirm_ip", "ip_address"}
)
"""Keys of the evidence that identify the sender. They are erased after [hearing] keep_evidence_days."""
IMPORT_NUMBER = "import"
"""The key, in the evidence of a numbered import's lines, of its number: an undo takes them back."""


class Channel(StrEnum):
    """How an agreement or withdrawal reached the service."""

    MAIL = "mail"
    FORM = "form"
    LINK = "link"
    IMPORT = "import"
    FEEDBACK = "return"
    """A bounce or complaint."""
    COMMAND = "command"


@dataclass(frozen=True, slots=True)
class Evidence:
    """The channel and details by which a line of the consent record can be shown to be true."""

    channel: Channel
    details: dict[str, Any] = field(default_factory=dict)
    """Message-ID and sender, or the file and who imported it, ... as JSON."""
