"""Media files: pictures and attachments, each stored once by its content."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import Connection, Row, or_, select

from mailer.domain.letters.media import MediaFile
from mailer.errors import NotFound
from mailer.store.inserts import insert_into
from mailer.store.letters.letter_tables import media


def add(tx: Connection, file: MediaFile, by: str, now: datetime) -> MediaFile:
    """Keep a file; the one with the same content that was there before, if there is one, is returned and stays."""
    statement = insert_into(tx, media).values(
        digest=file.digest,
        name=file.name,
        media_type=file.media_type,
        content=file.content,
        size=len(file.content),
        width=file.width,
        height=file.height,
        added_at=now,
        added_by=by,
    )
    tx.execute(statement.on_conflict_do_nothing())
    return get(tx, file.digest)


def get(tx: Connection, digest: str) -> MediaFile:
    """The file whose digest begins with `digest` (32 or 64 hexadecimal digits). Raises NotFound."""
    found = load_many(tx, [digest])
    if not found:
        raise NotFound("there is no such picture or attachment")
    return found[0]


def load_many(tx: Connection, digests: Collection[str]) -> list[MediaFile]:
    """The files whose digests begin with one of these; unknown ones are left out."""
    if not digests:
        return []
    # A range, so that the primary key finds them in each collation: "g" follows all hexadecimal digits.
    ranges = [(media.c.digest >= one) & (media.c.digest < f"{one}g") for one in sorted(digests)]
    return [_file_from_row(row) for row in tx.execute(select(media).where(or_(*ranges)).order_by(media.c.digest))]


def _file_from_row(row: Row[tuple[object, ...]]) -> MediaFile:
    return MediaFile(
        digest=row.digest,
        name=row.name,
        media_type=row.media_type,
        content=row.content,
        width=row.width,
        height=row.height,
    )
