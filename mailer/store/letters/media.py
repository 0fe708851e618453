"""Media files: pictures and attachments, each stored once by its content."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, Select, or_, select

from mailer.domain.letters.media import MediaFile, StoredMedia
from mailer.domain.page import MAX_PAGE_SIZE, Page, make_page, page_size
from mailer.errors import NotFound
from mailer.store.inserts import insert_into
from mailer.store.letters.letter_tables import media

_ALL_BUT_CONTENT = [column for column in media.c if column.name != "content"]


def add(tx: Connection, file: MediaFile, by: str, now: datetime) -> MediaFile:
    """Keep a file; the one with the same content that was there before, if there is one, is returned and stays."""
    statement = insert_into(tx, media).values(
        digest=file.digest,
        name=file.name,
        shown_name=file.shown_name,
        media_type=file.media_type,
        size=file.size,
        width=file.width,
        height=file.height,
        added_at=now,
        added_by=by,
        checked_at=now,
        content=file.content,
    )
    # One that is handed in again is as new: nothing deletes it before it can be named.
    tx.execute(statement.on_conflict_do_update(index_elements=["digest"], set_={"checked_at": now}))
    return load_many(tx, [file.digest], with_content=False)[0]


def get(tx: Connection, digest: str) -> MediaFile:
    """The file whose digest begins with `digest` (32 or 64 hexadecimal digits). Raises NotFound."""
    found = load_many(tx, [digest])
    if not found:
        raise NotFound("there is no such picture or attachment")
    return found[0]


def load_many(tx: Connection, digests: Collection[str], *, with_content: bool = True) -> list[MediaFile]:
    """The files whose digests begin with one of these; unknown ones are left out."""
    if not digests:
        return []
    # A range, so that the primary key finds them in each collation: "g" follows all hexadecimal digits.
    ranges = [(media.c.digest >= one) & (media.c.digest < f"{one}g") for one in sorted(digests)]
    query: Select[Any] = select(media) if with_content else select(*_ALL_BUT_CONTENT)
    return [_file_from_row(row) for row in tx.execute(query.where(or_(*ranges)).order_by(media.c.digest))]


def list_page(tx: Connection, after: str = "", limit: int = MAX_PAGE_SIZE) -> Page[StoredMedia]:
    """A page of all files without their contents, by digest; `after` is the cursor of the page before."""
    query = select(*_ALL_BUT_CONTENT).where(media.c.digest > after).order_by(media.c.digest)
    rows = tx.execute(query.limit(page_size(limit) + 1))
    found = [StoredMedia(file=_file_from_row(row), added_at=row.added_at, added_by=row.added_by) for row in rows]
    return make_page(found, limit, lambda one: one.file.digest)


def _file_from_row(row: Row[tuple[object, ...]]) -> MediaFile:
    return MediaFile(
        digest=row.digest,
        name=row.name,
        shown_name=row.shown_name,
        media_type=row.media_type,
        size=row.size,
        width=row.width,
        height=row.height,
        content=row._mapping.get("content", b""),
    )
