"""What mail systems' texts mean: the phrases of bounce_phrases.toml, and the reason that they give for a refusal."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from mailer.domain.bounce import BounceReason
from mailer.mail.bounces.phrase_matcher import PhraseMatcher, normalize_words

PHRASE_FILE = Path(__file__).with_name("bounce_phrases.toml")
_RECIPIENT_REASONS = frozenset(
    {BounceReason.FULL, BounceReason.MOVED, BounceReason.DISABLED, BounceReason.SUSPENDED, BounceReason.UNKNOWN_USER}
)
"""Reasons about the recipient's account; after "your" the text means our own account."""


@dataclass(frozen=True, kw_only=True, slots=True)
class BouncePhrases:
    """The phrases of bounce_phrases.toml, ready to match."""

    reasons: tuple[BounceReason, ...]
    """The reason of each `[[reason]]` table; its index is the table's rank."""
    reason_phrases: PhraseMatcher
    """Yields ranks."""
    notice_subjects: PhraseMatcher
    notice_openings: PhraseMatcher
    delays: PhraseMatcher
    given_up: PhraseMatcher
    returned_letter: PhraseMatcher


@cache
def load_bounce_phrases() -> BouncePhrases:
    """The phrases; the first call in a process reads the file, which takes about 10 ms."""
    tables = tomllib.loads(PHRASE_FILE.read_text(encoding="utf-8"))
    reasons, notice = tables["reason"], tables["notice"]
    return BouncePhrases(
        reasons=tuple(BounceReason(table["reason"]) for table in reasons),
        reason_phrases=PhraseMatcher([table["phrases"] for table in reasons]),
        notice_subjects=PhraseMatcher([notice["subjects"]]),
        notice_openings=PhraseMatcher([notice["openings"]]),
        delays=PhraseMatcher([notice["delays"]]),
        given_up=PhraseMatcher([notice["given_up"]]),
        returned_letter=PhraseMatcher([notice["returned_letter"]]),
    )


def match_phrase_reason(text: str) -> BounceReason | None:
    """The reason that a reply's or notice's phrases give; None where no phrase matches. Reads 3000 characters."""
    phrases, words = load_bounce_phrases(), normalize_words(text)
    ranks = (
        rank
        for rank, start in phrases.reason_phrases.find_all(words)
        if not (phrases.reasons[rank] in _RECIPIENT_REASONS and words.endswith(" your ", 0, start))
    )
    best = min(ranks, default=None)
    return None if best is None else phrases.reasons[best]
