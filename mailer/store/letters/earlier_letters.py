"""Letters that other software sent before a list moved here."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, delete, literal, select, tuple_

from mailer.domain.letters.earlier_letter import EarlierLetter
from mailer.store.inserts import insert_into
from mailer.store.letters.letter_tables import earlier_letter

_WITHOUT_TEXT = ("id", "message_id", "sent_at", "subject", "author", "number")


def add_letters(tx: Connection, mailing_list_id: int, letters: Sequence[EarlierLetter]) -> int:
    """Add these letters but for those whose Message-ID the list has already; returns how many were added."""
    rows = [
        {
            "mailing_list_id": mailing_list_id,
            "message_id": one.message_id,
            "message_id_hash": one.message_id_hash,
            "sent_at": one.sent_at,
            "subject": one.subject,
            "author": one.author,
            "number": one.number,
            "text": one.text,
        }
        for one in letters
    ]
    statement = insert_into(tx, earlier_letter).values(rows).on_conflict_do_nothing().returning(earlier_letter.c.id)
    return len(tx.execute(statement).all()) if rows else 0


def list_letters(tx: Connection, mailing_list_id: int, before: EarlierLetter | None, limit: int) -> list[EarlierLetter]:
    """The letters sent before one, or the last ones, without their texts; newest first."""
    columns = earlier_letter.c
    older = [] if before is None else [tuple_(columns.sent_at, columns.id) < _place(before)]
    found = _select(*_WITHOUT_TEXT).where(columns.mailing_list_id == mailing_list_id, *older)
    ordered = found.order_by(columns.sent_at.desc(), columns.id.desc())
    return [_letter(row) for row in tx.execute(ordered.limit(limit))]


def next_newer(tx: Connection, mailing_list_id: int, letter: EarlierLetter) -> EarlierLetter | None:
    """The letter sent after this one, without its text; None for the newest."""
    columns = earlier_letter.c
    found = _select(*_WITHOUT_TEXT).where(
        columns.mailing_list_id == mailing_list_id, tuple_(columns.sent_at, columns.id) > _place(letter)
    )
    row = tx.execute(found.order_by(columns.sent_at, columns.id).limit(1)).first()
    return _letter(row) if row else None


def find_letter(
    tx: Connection,
    mailing_list_id: int,
    *,
    letter_id: int | None = None,
    message_id_hash: str | None = None,
    number: int | None = None,
) -> EarlierLetter | None:
    """A letter of the list by its id here, or by what its old address has; None where there is none, or are several."""
    columns = earlier_letter.c
    conditions = [columns.mailing_list_id == mailing_list_id]
    if letter_id is not None:
        conditions.append(columns.id == letter_id)
    if message_id_hash is not None:
        conditions.append(columns.message_id_hash == message_id_hash)
    if number is not None:
        conditions.append(columns.number == number)
    rows = tx.execute(_select(*_WITHOUT_TEXT, "text").where(*conditions).limit(2)).all()
    return _letter(rows[0]) if len(rows) == 1 else None


def delete_letters(tx: Connection, mailing_list_id: int, limit: int) -> int:
    """Delete up to `limit` letters of the list; returns how many."""
    chosen = select(earlier_letter.c.id).where(earlier_letter.c.mailing_list_id == mailing_list_id).limit(limit)
    return tx.execute(delete(earlier_letter).where(earlier_letter.c.id.in_(chosen))).rowcount


def _place(letter: EarlierLetter) -> Any:
    """The letter's place in the index that orders them."""
    columns = earlier_letter.c
    return tuple_(literal(letter.sent_at, columns.sent_at.type), literal(letter.id, columns.id.type))


def _select(*names: str) -> Any:
    return select(*(earlier_letter.c[name] for name in names))


def _letter(row: Row[Any]) -> EarlierLetter:
    return EarlierLetter(**{"text": "", **row._mapping})
