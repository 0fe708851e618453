"""Drafts: the texts of editions while they are written, and their versions."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, Select, delete, func, insert, select, update

from mailer.domain.draft import Draft, DraftVersion, text_digest
from mailer.errors import NotFound
from mailer.store.inserts import insert_into
from mailer.store.queue.queue_tables import edition, revision
from mailer.store.writing.draft_tables import draft, draft_version

MOST_VERSIONS = 200
"""Versions that are listed."""


def add_edition(
    tx: Connection, *, campaign_id: int, language: str, is_default: bool, text: str, by: str, now: datetime
) -> int:
    """Add an edition that has a draft and no revision; returns its id. It is up to date with the default edition."""
    values = {"campaign_id": campaign_id, "language": language, "is_default": is_default}
    edition_id = tx.execute(insert(edition).values(values).returning(edition.c.id)).scalar_one()
    source = None if is_default else text_digest(_default_text(tx, campaign_id))
    written = {"version": 1, "manuscript": text, "changed_at": now, "changed_by": by, "source_digest": source}
    tx.execute(insert(draft).values(edition_id=edition_id, **written))
    return edition_id


def list_drafts(tx: Connection, campaign_id: int) -> list[Draft]:
    """The drafts of a campaign's editions, the default one first; where there is none, the newest revision is it."""
    found = tx.execute(_query().where(edition.c.campaign_id == campaign_id))
    return [_draft_from_row(row) for row in found]


def drafts_of_many(tx: Connection, campaign_ids: Collection[int]) -> dict[int, list[Draft]]:
    """The drafts of these campaigns, as `list_drafts` has them, in one statement."""
    found: dict[int, list[Draft]] = {}
    for row in tx.execute(_query().add_columns(edition.c.campaign_id).where(edition.c.campaign_id.in_(campaign_ids))):
        found.setdefault(row.campaign_id, []).append(_draft_from_row(row))
    return found


def get(tx: Connection, campaign_id: int, language: str | None) -> Draft:
    """The draft of one edition; None: of the default one. Raises NotFound."""
    drafts = list_drafts(tx, campaign_id)
    for one in drafts:
        if language in (None, one.language):
            return one
    raise NotFound(f"campaign {campaign_id} has no edition in language {language!r}")


def lock(tx: Connection, campaign_id: int, language: str) -> Draft:
    """The draft of one edition, which nobody else saves until we commit; it has a row from now on. Raises NotFound."""
    ensure(tx, campaign_id)
    edition_id = get(tx, campaign_id, language).edition_id
    tx.execute(select(draft.c.version).where(draft.c.edition_id == edition_id).with_for_update())
    return get(tx, campaign_id, language)


def ensure(tx: Connection, campaign_id: int, by: str = "") -> None:
    """Write rows for drafts that have none, as when a campaign was made from files: the newest revisions' texts.

    They count as up to date with the default edition.
    """
    without = select(edition.c.id).where(
        edition.c.campaign_id == campaign_id, edition.c.id.not_in(select(draft.c.edition_id))
    )
    missing = set(tx.execute(without).scalars())
    if not missing:
        return
    default = text_digest(_default_text(tx, campaign_id))
    for one in list_drafts(tx, campaign_id):
        if one.edition_id in missing:
            values = {"version": one.version, "manuscript": one.text, "changed_at": one.changed_at, "changed_by": by}
            source = None if one.is_default else default
            statement = insert_into(tx, draft).values(edition_id=one.edition_id, source_digest=source, **values)
            tx.execute(statement.on_conflict_do_nothing())  # another process may do the same


def save(tx: Connection, current: Draft, text: str, by: str, now: datetime, *, keep: bool) -> int:
    """Replace the text of a locked draft; returns its version. `keep`: the text so far stays as a version."""
    if keep:
        _add_version(tx, current.edition_id, current.version, current.text, current.changed_at, current.changed_by)
    version = _next_version(tx, current)
    values = {"version": version, "manuscript": text, "changed_at": now, "changed_by": by}
    tx.execute(update(draft).where(draft.c.edition_id == current.edition_id).values(values))
    return version


def set_aside(tx: Connection, current: Draft, text: str, by: str, now: datetime) -> int:
    """Keep a text that was not saved as a version of a locked draft; returns its number.

    What the same person set aside just before, after the draft was last saved, is replaced.
    """
    mine = (
        draft_version.c.edition_id == current.edition_id,
        draft_version.c.is_aside,
        draft_version.c.changed_by == by,
        draft_version.c.version > current.version,
    )
    tx.execute(delete(draft_version).where(*mine))
    version = _next_version(tx, current)
    _add_version(tx, current.edition_id, version, text, now, by, is_aside=True)
    return version


def set_source_digest(tx: Connection, edition_id: int, digest: str) -> None:
    """Note with which text of the default edition an edition is up to date."""
    tx.execute(update(draft).where(draft.c.edition_id == edition_id).values(source_digest=digest))


def stale_languages(tx: Connection, campaign_ids: Collection[int]) -> dict[int, list[str]]:
    """The editions of these campaigns that are older than the default one, by campaign, in two statements."""
    columns = (edition.c.campaign_id, edition.c.language, draft.c.source_digest)
    of_these = edition.c.campaign_id.in_(campaign_ids)
    others = select(*columns).join_from(edition, draft).where(of_these, draft.c.source_digest.is_not(None))
    found = tx.execute(others.order_by(edition.c.id)).all()
    default = select(edition.c.campaign_id, draft.c.manuscript).join_from(edition, draft).where(edition.c.is_default)
    translated = {row.campaign_id for row in found}
    digests = {
        number: text_digest(text) for number, text in tx.execute(default.where(edition.c.campaign_id.in_(translated)))
    }
    stale: dict[int, list[str]] = {}
    for row in found:
        if row.source_digest != digests.get(row.campaign_id, row.source_digest):
            stale.setdefault(row.campaign_id, []).append(row.language)
    return stale


def list_versions(tx: Connection, current: Draft) -> list[DraftVersion]:
    """The newest versions of a draft, the present one among them, the newest first."""
    columns = (
        draft_version.c.version,
        draft_version.c.changed_at,
        draft_version.c.changed_by,
        draft_version.c.is_aside,
    )
    found = (
        select(*columns)
        .where(draft_version.c.edition_id == current.edition_id)
        .order_by(draft_version.c.version.desc())
        .limit(MOST_VERSIONS)
    )
    versions = [
        DraftVersion(version=row[0], changed_at=row[1], changed_by=row[2], is_aside=row[3]) for row in tx.execute(found)
    ]
    present = DraftVersion(
        version=current.version,
        changed_at=current.changed_at,
        changed_by=current.changed_by,
        is_aside=False,
        is_current=True,
    )
    return sorted([*versions, present], key=lambda one: one.version, reverse=True)


def load_version(tx: Connection, current: Draft, version: int) -> str:
    """The text of one version. Raises NotFound."""
    if version == current.version:
        return current.text
    found = select(draft_version.c.manuscript).where(
        draft_version.c.edition_id == current.edition_id, draft_version.c.version == version
    )
    text = tx.execute(found).scalar_one_or_none() if 0 <= version < 2**31 else None
    if text is None:
        raise NotFound(f"there is no version {version} of this text")
    return str(text)


def remove_edition(tx: Connection, edition_id: int) -> None:
    """Delete an edition with its draft, versions and revisions."""
    for table, column in ((draft_version, "edition_id"), (draft, "edition_id"), (revision, "edition_id")):
        tx.execute(delete(table).where(table.c[column] == edition_id))
    tx.execute(delete(edition).where(edition.c.id == edition_id))


def _query() -> Select[Any]:
    frozen = revision.alias()
    newest = (
        select(func.max(frozen.c.id)).where(frozen.c.edition_id == edition.c.id, ~frozen.c.is_trial).scalar_subquery()
    )
    return (
        select(
            edition.c.id.label("edition_id"),
            edition.c.language,
            edition.c.is_default,
            draft.c.version,
            draft.c.manuscript,
            draft.c.changed_at,
            draft.c.changed_by,
            draft.c.source_digest,
            revision.c.id.label("revision_id"),
            revision.c.manuscript.label("frozen_text"),
            revision.c.created_at,
        )
        .select_from(edition)
        .outerjoin(draft, draft.c.edition_id == edition.c.id)
        .outerjoin(revision, revision.c.id == newest)
        .order_by(edition.c.is_default.desc(), edition.c.id)
    )


def _draft_from_row(row: Row[Any]) -> Draft:
    written = row.version is not None
    return Draft(
        edition_id=row.edition_id,
        language=row.language,
        is_default=row.is_default,
        version=row.version if written else 0,
        text=row.manuscript if written else row.frozen_text,
        changed_at=row.changed_at if written else row.created_at,
        changed_by=row.changed_by if written else "",
        source_digest=row.source_digest,
        revision_id=row.revision_id,
        frozen_text=row.frozen_text,
    )


def _default_text(tx: Connection, campaign_id: int) -> str:
    return get(tx, campaign_id, None).text


def _next_version(tx: Connection, current: Draft) -> int:
    highest = select(func.max(draft_version.c.version)).where(draft_version.c.edition_id == current.edition_id)
    return max(current.version, tx.execute(highest).scalar_one() or 0) + 1


def _add_version(
    tx: Connection, edition_id: int, version: int, text: str, at: datetime, by: str, *, is_aside: bool = False
) -> None:
    values = {"version": version, "manuscript": text, "changed_at": at, "changed_by": by, "is_aside": is_aside}
    tx.execute(insert(draft_version).values(edition_id=edition_id, **values))
