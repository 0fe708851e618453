"""ArchiveCache: what the archive shows of revisions, each worked out once, for a revision never changes."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

from mailer.domain.letters.archive import ArchivedText, LetterSummary
from mailer.mail.compose.archive_letter import ArchiveArticle, compose_article, summarize

K = TypeVar("K")
V = TypeVar("V")

_MOST_SUMMARIES = 20_000
"""A summary takes less than 1 KB."""
_MOST_ARTICLES = 128
"""An article may take 100 KB."""


class ArchiveCache:
    """Keeps the latest results. Threads may use it at the same time."""

    def __init__(self) -> None:
        self._summaries: dict[int, LetterSummary] = {}
        self._articles: dict[tuple[int, str], ArchiveArticle] = {}

    def unknown(self, revision_ids: Iterable[int]) -> list[int]:
        """Those revisions of which no summary is kept."""
        return [one for one in revision_ids if one not in self._summaries]

    def known_summary(self, revision_id: int) -> LetterSummary | None:
        """The summary of a revision; None if it is not kept."""
        return self._summaries.get(revision_id)

    def summary(self, revision_id: int, text: ArchivedText) -> LetterSummary:
        """The summary of a revision with this text. Raises as `summarize`."""
        return _once(self._summaries, revision_id, lambda: summarize(text.manuscript, text.segments), _MOST_SUMMARIES)

    def article(self, revision_id: int, text: ArchivedText, language: str, words_in: str) -> ArchiveArticle:
        """The article of a revision, with its event's date in the language `words_in`. Raises as `compose_article`."""
        return _once(
            self._articles,
            (revision_id, words_in),
            lambda: compose_article(text.manuscript, language, words_in, text.segments),
            _MOST_ARTICLES,
        )


def _once(kept: dict[K, V], key: K, work: Callable[[], V], most: int) -> V:
    if (found := kept.get(key)) is not None:
        return found
    made = work()
    if len(kept) >= most:
        kept.pop(next(iter(kept)), None)
    kept[key] = made
    return made
