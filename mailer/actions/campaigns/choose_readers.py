"""Chooses readers of a campaign whose letters differ most."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import Connection

from mailer.actions.campaigns.campaign_access import load_campaign
from mailer.app import App
from mailer.domain.accounts.actor import Actor
from mailer.domain.accounts.role import Permission
from mailer.domain.draft import SAMPLE_READERS
from mailer.domain.language import text_direction
from mailer.domain.letters.edition_choice import choose_edition
from mailer.domain.mailing_list import MailingList
from mailer.store import mailing_lists
from mailer.store.writing import drafts, readers
from mailer.store.writing.readers import Reader

_AT_EACH_END = 250
_RIGHT_TO_LEFT = {"R", "AL"}


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

    subscription_id: int | None
    """None for an invented one."""
    sample: str | None
    """The name of an invented one in SAMPLE_READERS."""
    address: str
    name: str | None
    language: str | None
    """Their own language, where known."""
    edition: str
    """The language of the edition they get."""
    trait: ReaderTrait


async def choose_readers(
    app: App, actor: Actor, campaign_id: int, number: int = 5, *, known: tuple[MailingList, Sequence[str]] | None = None
) -> tuple[ChosenReader, ...]:
    """Readers that differ: the longest name, no name, a right-to-left one, one of each edition, then any.

    They are looked for among the list's 250 newest and 250 oldest subscriptions. Where there is none for an edition,
    and for an actor who may not see people, they are invented. `known` are the campaign's list and the languages
    of its editions, the default one first, where the caller has them. Raises NotFound, NotPermitted.
    """

    def read(tx: Connection) -> tuple[_Editions, list[Reader]]:
        mailing_list, languages = known or _load_editions(tx, actor, campaign_id)
        actor.require(Permission.READ, mailing_list.id)
        seen = actor.may(Permission.SEE_PEOPLE, mailing_list.id)
        found = readers.list_some(tx, mailing_list.id, _AT_EACH_END) if seen else []
        return _Editions(tuple(languages), mailing_list.language), found

    editions, found = await app.database.read(read)
    chosen: dict[object, ChosenReader] = {}
    for one in _candidates(editions, found):
        chosen.setdefault(one.subscription_id or (one.sample, one.edition), one)
    return tuple(chosen.values())[:number]


def _load_editions(tx: Connection, actor: Actor, campaign_id: int) -> tuple[MailingList, list[str]]:
    campaign = load_campaign(tx, actor, Permission.READ, campaign_id)
    languages = [one.language for one in drafts.list_drafts(tx, campaign_id)]
    return mailing_lists.get(tx, campaign.mailing_list_id), languages


@dataclass(frozen=True, slots=True)
class _Editions:
    languages: tuple[str, ...]
    """The default one first."""
    of_list: str
    """The list's language."""

    def of_reader(self, language: str | None) -> str:
        """The edition of a reader of this language."""
        return choose_edition(language, self.languages, self.of_list).language


def _candidates(editions: _Editions, found: Sequence[Reader]) -> Iterator[ChosenReader]:
    """Readers worth looking at, the most interesting first; some more than once."""
    if not found:
        yield from _invented(editions)
        return
    if named := [one for one in found if one.name]:
        yield _choose(max(named, key=lambda one: len(one.name or "")), editions, ReaderTrait.LONGEST_NAME)
    if nameless := next((one for one in found if not one.name), None):
        yield _choose(nameless, editions, ReaderTrait.NO_NAME)
    if other_way := next((one for one in found if _is_right_to_left(one)), None):
        yield _choose(other_way, editions, ReaderTrait.RIGHT_TO_LEFT)
    for edition in editions.languages:
        theirs = next((one for one in found if editions.of_reader(one.language) == edition), None)
        if theirs is None:
            yield _invent("plain", edition, ReaderTrait.EDITION)
        else:
            yield _choose(theirs, editions, ReaderTrait.EDITION)
    for one in found:
        yield _choose(one, editions, ReaderTrait.ANY)


def _invented(editions: _Editions) -> Iterator[ChosenReader]:
    yield _invent("long", editions.languages[0], ReaderTrait.LONGEST_NAME)
    yield _invent("nameless", editions.languages[0], ReaderTrait.NO_NAME)
    yield _invent("rtl", editions.of_reader("ar"), ReaderTrait.RIGHT_TO_LEFT)
    for edition in editions.languages:
        yield _invent("plain", edition, ReaderTrait.EDITION)


def _choose(one: Reader, editions: _Editions, trait: ReaderTrait) -> ChosenReader:
    return ChosenReader(
        subscription_id=one.subscription_id,
        sample=None,
        address=one.address,
        name=one.name,
        language=one.language,
        edition=editions.of_reader(one.language),
        trait=trait,
    )


def _invent(sample: str, edition: str, trait: ReaderTrait) -> ChosenReader:
    one = SAMPLE_READERS[sample]
    return ChosenReader(
        subscription_id=None,
        sample=sample,
        address=one.address,
        name=one.name,
        language=one.language or edition,
        edition=edition,
        trait=trait,
    )


def _is_right_to_left(one: Reader) -> bool:
    by_name = any(unicodedata.bidirectional(character) in _RIGHT_TO_LEFT for character in one.name or "")
    return by_name or text_direction(one.language or "") == "rtl"
