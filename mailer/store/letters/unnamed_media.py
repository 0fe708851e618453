"""Media files that nothing names any more: found by looking through all texts, and deleted."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, Text, cast, delete, select, update

from mailer.domain.letters.media import MEDIA_PATH, find_media_digests
from mailer.store.letters.letter_tables import letter_template, media
from mailer.store.people_tables import mailing_list
from mailer.store.queue.queue_tables import revision
from mailer.store.writing.draft_tables import draft, draft_version

_NAMING: tuple[ColumnElement[str], ...] = (
    mailing_list.c.logo,
    draft.c.manuscript,
    letter_template.c.source,
    letter_template.c.html,
    revision.c.manuscript,
    cast(revision.c.design, Text),
    draft_version.c.manuscript,
)
"""Everything that can name a file; the largest last."""
_ROWS_AT_ONCE = 500


def list_unchecked(tx: Connection, before: datetime, limit: int) -> list[str]:
    """The digests of up to `limit` files of which it was last known before then that something names them."""
    found = select(media.c.digest).where(media.c.checked_at < before).order_by(media.c.checked_at).limit(limit)
    return list(tx.execute(found).scalars())


def find_named(tx: Connection, digests: Collection[str]) -> set[str]:
    """Those of the files that a draft, a version, a revision, a list or a template names. Reads all of these."""
    by_start = {digest[:32]: digest for digest in digests}
    named: set[str] = set()
    for column in _NAMING:
        if len(named) == len(by_start):
            break
        texts = select(column).where(column.like(f"%{MEDIA_PATH}%")).execution_options(yield_per=_ROWS_AT_ONCE)
        for text in tx.execute(texts).scalars():
            named.update(by_start[one] for one in find_media_digests(text) if one in by_start)
    return named


def delete_unnamed(tx: Connection, digests: Collection[str], now: datetime) -> int:
    """Delete those of the files that nothing names, and note of the others that something does; returns how many."""
    named = find_named(tx, digests)
    tx.execute(update(media).where(media.c.digest.in_(named)).values(checked_at=now))
    return tx.execute(delete(media).where(media.c.digest.in_(set(digests) - named))).rowcount
