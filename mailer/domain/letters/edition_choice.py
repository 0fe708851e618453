"""Which edition of a campaign a reader gets, and how many readers each edition has."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from mailer.domain.language import choose_language


class Fallback(StrEnum):
    """Why a reader gets an edition, in the order in which they are tried."""

    OWN = "own"
    """It is in the reader's own language."""
    BROADER = "broader"
    """It is in the language that theirs is a kind of: `pt-br` gets `pt` (RFC 4647 lookup)."""
    LIST = "list"
    """No edition is in their language, or that is not known: it is in the list's language."""
    DEFAULT = "default"
    """There is no edition in the list's language either: it is the campaign's first."""


@dataclass(frozen=True, slots=True)
class ChosenEdition:
    """The edition that a reader gets, by its language tag, and why."""

    language: str
    fallback: Fallback


@dataclass(frozen=True, kw_only=True, slots=True)
class ReaderGroup:
    """Readers of one language who get the same edition."""

    language: str
    """Their language tag; empty where it is not known."""
    fallback: Fallback
    readers: int


@dataclass(frozen=True, kw_only=True, slots=True)
class EditionReaders:
    """Who gets one edition."""

    language: str
    groups: tuple[ReaderGroup, ...]
    """The largest first."""

    @property
    def readers(self) -> int:
        """How many people get it."""
        return sum(one.readers for one in self.groups)


def choose_edition(
    reader_language: str | None, editions: Sequence[str], list_language: str, sent: Collection[str] | None = None
) -> ChosenEdition:
    """The edition for a reader: in their language, else in a broader one, else in the list's, else the first.

    `editions` are the language tags of all editions, the default one first. With `sent` only those are sent: a reader
    who was taken into the audience for one of them, and whose choice has become another since, gets one of `sent`.
    """
    chosen = _choose(reader_language, editions, list_language)
    if sent is None or chosen.language in sent:
        return chosen
    return _choose(reader_language, [one for one in editions if one in sent], list_language)


def _choose(reader_language: str | None, editions: Sequence[str], list_language: str) -> ChosenEdition:
    own = choose_language([reader_language], editions)
    if own is not None:
        return ChosenEdition(own, Fallback.OWN if own == reader_language else Fallback.BROADER)
    of_list = choose_language([list_language], editions)
    if of_list is not None:
        return ChosenEdition(of_list, Fallback.LIST)
    return ChosenEdition(editions[0], Fallback.DEFAULT)


def count_by_edition(
    readers_by_language: Mapping[str, int], editions: Sequence[str], list_language: str
) -> tuple[EditionReaders, ...]:
    """Who gets each of `editions`, in their order; `readers_by_language` has "" where the language is not known."""
    groups: dict[str, list[ReaderGroup]] = defaultdict(list)
    for language, number in sorted(readers_by_language.items(), key=lambda one: (-one[1], one[0])):
        if number:
            chosen = choose_edition(language, editions, list_language)
            groups[chosen.language].append(ReaderGroup(language=language, fallback=chosen.fallback, readers=number))
    return tuple(EditionReaders(language=one, groups=tuple(groups[one])) for one in editions)
