"""Organisers' templates and their versions."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import Connection, Row, insert, select, update

from mailer.domain.letters.letter_template import LetterTemplate
from mailer.errors import NotFound
from mailer.store.letters.letter_tables import letter_template

MOST_VERSIONS = 100
"""Versions of a template that are listed."""


def add(tx: Connection, *, name: str, source: str, html: str, by: str, now: datetime) -> LetterTemplate:
    """Keep a template; letters whose texts are frozen from now on have it instead of the version before."""
    remove(tx, name)
    values = {"name": name, "source": source, "html": html, "added_at": now, "added_by": by, "is_current": True}
    number = tx.execute(insert(letter_template).values(values).returning(letter_template.c.id)).scalar_one()
    return load_many(tx, [number])[0]


def remove(tx: Connection, name: str) -> bool:
    """Offer the template to no new letter; returns whether there was one. Letters that have it keep it."""
    current = (letter_template.c.name == name, letter_template.c.is_current)
    return tx.execute(update(letter_template).where(*current).values(is_current=False)).rowcount > 0


def list_current(tx: Connection) -> list[LetterTemplate]:
    """The newest version of each template that was not removed, by name."""
    found = select(letter_template).where(letter_template.c.is_current).order_by(letter_template.c.name)
    return [_template_from_row(row) for row in tx.execute(found)]


def current_ids(tx: Connection) -> dict[str, int]:
    """The id of the newest version of each template that was not removed, by name."""
    found = select(letter_template.c.name, letter_template.c.id).where(letter_template.c.is_current)
    return {name: number for name, number in tx.execute(found)}


def get_current(tx: Connection, name: str) -> LetterTemplate:
    """The newest version of the template of that name. Raises NotFound."""
    number = current_ids(tx).get(name)
    if number is None:
        raise NotFound(f"there is no template of yours called {name!r}")
    return load_many(tx, [number])[0]


def list_versions(tx: Connection, name: str) -> list[LetterTemplate]:
    """The last MOST_VERSIONS versions that were handed in by this name, the newest first."""
    found = select(letter_template).where(letter_template.c.name == name).order_by(letter_template.c.id.desc())
    return [_template_from_row(row) for row in tx.execute(found.limit(MOST_VERSIONS))]


def load_many(tx: Connection, ids: Collection[int]) -> list[LetterTemplate]:
    """The versions with these ids; unknown ones are left out."""
    if not ids:
        return []
    return [_template_from_row(row) for row in tx.execute(select(letter_template).where(letter_template.c.id.in_(ids)))]


def _template_from_row(row: Row[tuple[object, ...]]) -> LetterTemplate:
    return LetterTemplate(
        id=row.id, name=row.name, source=row.source, html=row.html, added_at=row.added_at, added_by=row.added_by
    )
