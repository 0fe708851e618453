"""LetterResources: what a letter needs besides its text and its list, read from the database before it is compiled."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field

from mailer.domain.letters.letter_template import LetterTemplate
from mailer.domain.letters.media import MediaFile


@dataclass(frozen=True, kw_only=True, slots=True)
class LetterResources:
    """The files and templates that some texts name; what none of them names may be missing."""

    templates: Mapping[str, LetterTemplate] = field(default_factory=dict)
    """Organisers' templates by name; they go before those of templates/letters."""
    template_names: tuple[str, ...] = ()
    """Of all organisers' templates, for whoever names one that there is not."""
    media: Mapping[str, MediaFile] = field(default_factory=dict)
    """By path; with its content where it goes into the letter itself: inline pictures and attachments."""
    missing: frozenset[str] = frozenset()
    """Paths of media files that the texts name, and that there are not."""
    cited_titles: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """Of letters in our archive that some texts answer: by the key of their path, their titles by language."""
    languages: tuple[str, ...] = ()
    """Of all editions of the campaign, the default one first."""

    @property
    def key(self) -> Hashable:
        """The same for the same resources."""
        templates = frozenset((name, one.id) for name, one in self.templates.items())
        cited = frozenset((key, tuple(titles.items())) for key, titles in self.cited_titles.items())
        return templates, self.template_names, frozenset(self.media), self.missing, cited, self.languages


NO_RESOURCES = LetterResources()
