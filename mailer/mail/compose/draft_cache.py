"""DraftCache: the letters and the problems of texts that are being written, each worked out once for each text."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any, TypeVar

from mailer.domain.draft import text_digest
from mailer.domain.language import choose_language
from mailer.domain.site import ListIdentity
from mailer.errors import CampaignFileRefused
from mailer.mail.compose.campaign_file import CampaignFile, parse_campaign_file
from mailer.mail.compose.compile_letter import CompiledLetter, compile_letter
from mailer.mail.compose.dry_run import dry_run_letter
from mailer.mail.compose.find_problems import find_problems
from mailer.mail.compose.letter_fields import join_fields, split_fields
from mailer.mail.compose.letter_resources import LetterResources
from mailer.mail.compose.problem import Problem
from mailer.mail.compose.templates import SOURCE_LANGUAGE, Templates

T = TypeVar("T")

_MISSING = "..."

_SIZE = 256
"""Letters and lists of problems that are kept; a letter holds about 20 KB."""


class DraftCache:
    """Keeps the latest results, by text and list. Threads may use it at the same time."""

    def __init__(self) -> None:
        self._kept: dict[Hashable, Any] = {}

    def letter(
        self,
        text: str,
        edition_language: str,
        list_identity: ListIdentity,
        templates: Templates,
        campaign_id: int,
        resources: LetterResources,
        reader_language: str | None = None,
    ) -> CompiledLetter:
        """The compiled letter of an edition's text, for readers of a language (None: of the edition's).

        Raises CampaignFileRefused.
        """
        chosen = choose_language((reader_language, edition_language), templates.languages) or SOURCE_LANGUAGE
        of = (text_digest(text), edition_language, list_identity.mailing_list, campaign_id, resources.key)
        key = ("letter", *of, chosen)
        return self._once(
            key,
            lambda: compile_letter(
                parse_campaign_file(text, edition_language), list_identity, templates, chosen, campaign_id, resources
            ),
        )

    def problems(
        self,
        text: str,
        edition_language: str,
        list_identity: ListIdentity,
        templates: Templates,
        campaign_id: int,
        resources: LetterResources,
        known_values: frozenset[str] | None = None,
    ) -> tuple[Problem, ...]:
        """All problems of an edition's text, as `find_problems` gives them, rehearsed for sample readers."""

        def try_letter(_: CampaignFile) -> frozenset[str]:
            letter = self.letter(text, edition_language, list_identity, templates, campaign_id, resources)
            dry_run_letter(letter)
            return letter.names

        of = (text_digest(text), edition_language, list_identity.mailing_list, campaign_id, resources.key)
        key = ("problems", *of, known_values)
        return self._once(key, lambda: find_problems(text, edition_language, try_letter, known_values))

    def fill_gaps(self, text: str) -> str:
        """The text with `...` in place of a missing subject or body, so that the rest can be looked at."""
        return self._once(("filled", text_digest(text)), lambda: _fill_gaps(text))

    def _once(self, key: Hashable, work: Callable[[], T]) -> T:
        if (found := self._kept.get(key)) is not None:
            return found
        made = work()
        if len(self._kept) >= _SIZE:
            self._kept.pop(next(iter(self._kept)), None)
        self._kept[key] = made
        return made


def _fill_gaps(text: str) -> str:
    try:
        written = split_fields(text)
    except CampaignFileRefused:
        return text
    gaps = {name: _MISSING for name in ("subject", "body") if not getattr(written, name).strip()}
    return join_fields(text, gaps) if gaps else text
