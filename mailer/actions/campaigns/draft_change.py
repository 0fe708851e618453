"""DraftChange: what is to become of a draft's text, the whole of it or single fields."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from mailer.errors import CampaignFileRefused
from mailer.mail.compose.campaign_file import MOST_CHARACTERS
from mailer.mail.compose.front_matter import normalize_line_ends
from mailer.mail.compose.letter_fields import join_fields


@dataclass(frozen=True, kw_only=True, slots=True)
class DraftChange:
    """What is to be saved: the whole text, or single fields."""

    fields: Mapping[str, str]
    text: str | None

    def check_length(self) -> None:
        """Raise CampaignFileRefused for what is longer than a letter may be."""
        length = len(self.text or "") + sum(map(len, self.fields.values()))
        if length > MOST_CHARACTERS:
            raise CampaignFileRefused(f"{length} characters are too many for a letter; the most is {MOST_CHARACTERS}")

    def apply_to(self, text: str) -> str:
        """The changed text, fit for a database. Raises CampaignFileRefused if the fields of `text` cannot be read."""
        if self.text is not None:
            return _storable(normalize_line_ends(self.text))
        if not self.fields:
            return text
        return join_fields(text, {name: _storable(value) for name, value in self.fields.items()})


def _storable(text: str) -> str:
    """Without NUL and lone surrogates, which no database takes."""
    return text.replace("\0", "").encode("utf-8", "ignore").decode()
