"""What pages show of a draft: its text and fields, and how the campaign's other editions stand."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from mailer.domain.campaign import Campaign
from mailer.domain.draft import EditionStatus
from mailer.domain.mailing_list import MailingList
from mailer.mail.compose.letter_fields import LetterFields


@dataclass(frozen=True, kw_only=True, slots=True)
class EditionView:
    """How one edition of a campaign stands."""

    language: str
    is_default: bool
    version: int
    status: EditionStatus
    errors: int
    """Mistakes for which it cannot be sent."""
    is_frozen: bool
    """Whether letters have this text; else it is frozen when the campaign is scheduled, tested or approved."""
    readers: int | None
    """How many people a launch would send it to; None where that was not counted."""


@dataclass(frozen=True, kw_only=True, slots=True)
class DraftView:
    """One edition of a campaign as it is being written."""

    campaign: Campaign
    mailing_list: MailingList
    language: str
    is_default: bool
    version: int
    """Give it to `save_draft`."""
    text: str
    fields: LetterFields | None
    """None if the front matter cannot be read: then only the whole text can be edited."""
    changed_at: datetime
    changed_by: str
    editions: tuple[EditionView, ...]
    """All editions of the campaign, the default one first."""
    missing: dict[str, int]
    """Readers whose language has no edition, by language; they get the default edition."""
    may_write: bool
    """Whether the actor may save this text now."""

    @property
    def edition(self) -> EditionView:
        """How this edition stands."""
        return next(one for one in self.editions if one.language == self.language)
