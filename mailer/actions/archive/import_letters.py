"""Imports the letters that other software sent into a list's archive, and takes them out again."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice

from sqlalchemy import Connection

from mailer.app import App
from mailer.domain.accounts.actor import Actor
from mailer.domain.accounts.audit import Act
from mailer.domain.accounts.role import Permission
from mailer.domain.letters.earlier_letter import EarlierLetter
from mailer.domain.mailing_list import MailingList
from mailer.importers.bad_row import LeftBehind
from mailer.importers.letters.letter_files import read_letters
from mailer.importers.source_files import SourceFile
from mailer.store import mailing_lists
from mailer.store.accounts import audit_log
from mailer.store.letters import earlier_letters

_CHUNK, _CHUNK_CHARACTERS = 100, 1_000_000
"""Letters, and characters of theirs, in one transaction."""
_MOST_REPORTED = 1000
_DELETED_AT_ONCE = 500


@dataclass(slots=True)
class LetterImport:
    """How many letters an archive has, and how many of them were or would be added."""

    letters: int = 0
    added: int = 0
    """0 in a dry run."""
    left_behind: list[LeftBehind] = field(default_factory=list)
    """What cannot be read: the first _MOST_REPORTED."""
    first: EarlierLetter | None = None
    last: EarlierLetter | None = None
    """The oldest and the newest."""


async def import_letters(
    app: App,
    actor: Actor,
    *,
    list_name: str,
    files: Sequence[SourceFile],
    dry_run: bool = False,
    progress: Callable[[LetterImport], None] = lambda _: None,
) -> LetterImport:
    """Import letters into the archive of a list, streaming; those that it has already, by Message-ID, are left alone.

    Whoever may read the list's archive may read them. Raises NotFound, NotPermitted, and TableRefused where the files
    hold no letters. After a crash the import can be repeated.
    """
    mailing_list = await app.database.read(_permitted_list, actor, list_name)
    done, letters = LetterImport(), read_letters(files)
    if not dry_run:
        await app.database.write(_record, app, actor, mailing_list, Act.IMPORT_LETTERS)
    while chunk := await asyncio.to_thread(_next_chunk, letters, done):
        if not dry_run:
            done.added += await app.database.write(earlier_letters.add_letters, mailing_list.id, chunk)
        progress(done)
    return done


def _next_chunk(letters: Iterator[EarlierLetter | LeftBehind], done: LetterImport) -> list[EarlierLetter]:
    chunk: list[EarlierLetter] = []
    characters = 0
    while len(chunk) < _CHUNK and characters < _CHUNK_CHARACTERS:
        found = list(islice(letters, 1))
        if not found:
            break
        one = found[0]
        if isinstance(one, LeftBehind):
            done.left_behind += [one][: _MOST_REPORTED - len(done.left_behind)]
            continue
        chunk.append(one)
        characters += len(one.text)
        done.letters += 1
        done.first = min(done.first or one, one, key=lambda letter: letter.sent_at)
        done.last = max(done.last or one, one, key=lambda letter: letter.sent_at)
    return chunk


async def drop_earlier_letters(app: App, actor: Actor, list_name: str) -> int:
    """Take all imported letters out of a list's archive; returns how many. Raises NotFound, NotPermitted."""
    mailing_list = await app.database.read(_permitted_list, actor, list_name)
    await app.database.write(_record, app, actor, mailing_list, Act.DROP_LETTERS)
    dropped = 0
    while number := await app.database.write(earlier_letters.delete_letters, mailing_list.id, _DELETED_AT_ONCE):
        dropped += number
    return dropped


def _permitted_list(tx: Connection, actor: Actor, list_name: str) -> MailingList:
    mailing_list = mailing_lists.get_by_name(tx, list_name)
    actor.require(Permission.MANAGE_LIST, mailing_list.id)
    return mailing_list


def _record(tx: Connection, app: App, actor: Actor, mailing_list: MailingList, act: Act) -> None:
    actor.require(Permission.MANAGE_LIST, mailing_list.id)
    subject = f"list {mailing_list.name}"
    audit_log.record(tx, actor, act, subject=subject, mailing_list_id=mailing_list.id, now=app.clock())
