"""The letters that other software sent before a list moved here, as its archive shows them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from mailer.actions.archive.open_archive import OpenArchive
from mailer.app import App
from mailer.domain.letters.archive_paths import slug_of
from mailer.domain.letters.earlier_letter import EARLIER_PAGE, EarlierLetter
from mailer.errors import NotFound
from mailer.store.letters import earlier_letters

LETTERS_ON_A_PAGE = 50


@dataclass(frozen=True, kw_only=True, slots=True)
class EarlierIndex:
    """A page of the index, newest first; times are in the list's zone."""

    letters: tuple[EarlierLetter, ...]
    older: int | None
    """The letter before which the next page goes on; None if this is the last."""


@dataclass(frozen=True, kw_only=True, slots=True)
class EarlierPage:
    """One letter with those beside it; times are in the list's zone."""

    letter: EarlierLetter
    older: EarlierLetter | None
    newer: EarlierLetter | None


def earlier_name(letter: EarlierLetter) -> str:
    """The last segments of the path of a letter's page, below the archive's."""
    return f"{EARLIER_PAGE}/{letter.id}-{slug_of(letter.subject)}"


async def earlier_index(app: App, archive: OpenArchive, before: int | None = None) -> EarlierIndex:
    """A page of the index. Raises NotFound where there are no such letters, or `before` is none of them."""
    list_id = archive.mailing_list.id

    def work(tx: Connection) -> list[EarlierLetter]:
        last = _get(tx, list_id, before) if before is not None else None
        return earlier_letters.list_letters(tx, list_id, last, LETTERS_ON_A_PAGE + 1)

    found = await app.database.read(work)
    if not found and before is None:
        raise NotFound("there are no earlier letters")
    shown = found[:LETTERS_ON_A_PAGE]
    return EarlierIndex(
        letters=tuple(_local(archive, one) for one in shown),
        older=shown[-1].id if len(found) > len(shown) else None,
    )


async def earlier_page(app: App, archive: OpenArchive, letter_id: int) -> EarlierPage:
    """The page of a letter. Raises NotFound."""
    list_id = archive.mailing_list.id

    def work(tx: Connection) -> EarlierPage:
        letter = _get(tx, list_id, letter_id)
        older = next(iter(earlier_letters.list_letters(tx, list_id, letter, 1)), None)
        newer = earlier_letters.next_newer(tx, list_id, letter)
        return EarlierPage(letter=_local(archive, letter), older=older, newer=newer)

    return await app.database.read(work)


async def find_by_old_address(
    app: App, archive: OpenArchive, *, message_id_hash: str | None = None, number: int | None = None
) -> EarlierLetter:
    """The letter that an address of the other software's archive names. Raises NotFound."""
    found = await app.database.read(
        lambda tx: earlier_letters.find_letter(
            tx, archive.mailing_list.id, message_id_hash=message_id_hash, number=number
        )
    )
    if found is None:
        raise NotFound("there is no such letter")
    return found


def _get(tx: Connection, mailing_list_id: int, letter_id: int) -> EarlierLetter:
    letter = earlier_letters.find_letter(tx, mailing_list_id, letter_id=letter_id)
    if letter is None:
        raise NotFound("there is no such letter")
    return letter


def _local(archive: OpenArchive, letter: EarlierLetter) -> EarlierLetter:
    return replace(letter, sent_at=letter.sent_at.astimezone(ZoneInfo(archive.mailing_list.zone)))
