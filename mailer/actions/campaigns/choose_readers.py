"""Chooses readers of a campaign whose letters differ most."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from mailer.app import App
from mailer.domain.actor import Actor


class ReaderTrait(StrEnum):
    """Why a reader was chosen."""

    LONGEST_NAME = "longest name"
    NO_NAME = "no name"
    RIGHT_TO_LEFT = "right to left"
    EDITION = "edition"
    """One of the readers of an edition."""
    ANY = "any"


@dataclass(frozen=True, kw_only=True, slots=True)
class ChosenReader:
    """A reader whose letter is worth looking at."""

    address: str
    name: str | None
    language: str | None
    """Their own language, where known."""
    edition: str
    """The language of the edition they get."""
    trait: ReaderTrait
    is_invented: bool
    """Whether there is no such person."""


async def choose_readers(app: App, actor: Actor, campaign_id: int, number: int = 5) -> tuple[ChosenReader, ...]:
    """Readers that differ: the longest name, no name, a right-to-left one, one of each edition, then any.

    They are looked for among the list's 250 newest and 250 oldest subscriptions. An actor who may not see people gets
    invented ones. Raises NotFound, NotPermitted.
    """
    raise NotImplementedError
