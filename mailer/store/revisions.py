"""The editions of campaigns, and the immutable revisions of their texts."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, insert, select, update

from mailer.domain.mailing_list import MailingList
from mailer.mail.webmention.citation import find_cited_letters
from mailer.store.letters import citations
from mailer.store.letters.letter_sources import design_of
from mailer.store.queue.queue_tables import campaign, edition, revision


def add_edition(
    tx: Connection, *, campaign_id: int, language: str, is_default: bool, manuscript: str, now: datetime
) -> int:
    """Add a campaign's text in one language, with its first revision; returns the revision's id."""
    edition_id = tx.execute(
        insert(edition)
        .values(campaign_id=campaign_id, language=language, is_default=is_default)
        .returning(edition.c.id)
    ).scalar_one()
    return add_revision(tx, edition_id=edition_id, manuscript=manuscript, now=now)


def add_revision(
    tx: Connection,
    *,
    edition_id: int,
    manuscript: str,
    now: datetime,
    mailing_list: MailingList | None = None,
    made_with: Mapping[str, Any] | None = None,
) -> int:
    """Add a new text of an edition, for all letters rendered from now on; returns the revision's id.

    `mailing_list` is given for a campaign that was launched: the revision keeps the list's present footer and look;
    `made_with` as in `freeze_design`.
    """
    kept = (
        {}
        if mailing_list is None
        else _kept_of_list(tx, mailing_list, _archived(tx, edition_id), [manuscript], made_with)
    )
    statement = insert(revision).values(edition_id=edition_id, manuscript=manuscript, created_at=now, **kept)
    number: int = tx.execute(statement.returning(revision.c.id)).scalar_one()
    if mailing_list is not None and made_with is not None:
        campaign_id = tx.execute(select(edition.c.campaign_id).where(edition.c.id == edition_id)).scalar_one()
        citations.set_answered(tx, campaign_id, made_with["url"])
    return number


def add_trial(tx: Connection, *, edition_id: int, manuscript: str, now: datetime, mailing_list: MailingList) -> int:
    """The id of a revision with this text for test letters or an approval; the campaign's letters keep theirs.

    If the newest revision of the edition has this text, it is that one.
    """
    newest = select(revision.c.id, revision.c.manuscript).where(revision.c.edition_id == edition_id)
    row = tx.execute(newest.order_by(revision.c.id.desc()).limit(1)).one_or_none()
    if row is not None and row.manuscript == manuscript:
        return int(row.id)
    kept = _kept_of_list(tx, mailing_list, _archived(tx, edition_id), [manuscript])
    statement = insert(revision).values(
        edition_id=edition_id, manuscript=manuscript, created_at=now, is_trial=True, **kept
    )
    return tx.execute(statement.returning(revision.c.id)).scalar_one()


def editions_by_language(tx: Connection, campaign_id: int) -> dict[str, int]:
    """The id of each edition, by language; the default edition first."""
    found = tx.execute(
        select(edition.c.language, edition.c.id)
        .where(edition.c.campaign_id == campaign_id)
        .order_by(edition.c.is_default.desc(), edition.c.id)
    )
    return {key: number for key, number in found}


def newest_by_language(tx: Connection, campaign_id: int) -> dict[str, int]:
    """The newest revision id of each edition that has one, by language; the default edition first."""
    found = tx.execute(
        select(edition.c.language, func.max(revision.c.id))
        .join_from(edition, revision)
        .where(edition.c.campaign_id == campaign_id, ~revision.c.is_trial)
        .group_by(edition.c.id, edition.c.language, edition.c.is_default)
        .order_by(edition.c.is_default.desc(), edition.c.id)
    )
    return {key: number for key, number in found}


def load_source(tx: Connection, revision_id: int) -> str:
    """The text of one revision."""
    return tx.execute(select(revision.c.manuscript).where(revision.c.id == revision_id)).scalar_one()


def load_sources(tx: Connection, revision_ids: Collection[int]) -> dict[int, str]:
    """The texts of these revisions, by id."""
    if not revision_ids:
        return {}
    found = select(revision.c.id, revision.c.manuscript).where(revision.c.id.in_(revision_ids))
    return {number: text for number, text in tx.execute(found)}


def load_made_with(tx: Connection, revision_id: int) -> dict[str, Any] | None:
    """What `freeze_design` was given for the letters of a revision; None where an older version launched it."""
    design = tx.execute(select(revision.c.design).where(revision.c.id == revision_id)).scalar_one()
    return (design or {}).get("made_with") or None


def freeze_design(
    tx: Connection, campaign_id: int, mailing_list: MailingList, made_with: Mapping[str, Any] | None = None
) -> None:
    """Keep the list's present footer and look in the campaign's revisions, whatever becomes of the list.

    `made_with` is what else letters depend on and no revision keeps: by it one sees later what has changed.
    """
    own = select(edition.c.id).where(edition.c.campaign_id == campaign_id)
    archived = tx.execute(select(campaign.c.archived).where(campaign.c.id == campaign_id)).scalar_one()
    citing = select(revision.c.manuscript).where(
        revision.c.edition_id.in_(own), revision.c.manuscript.contains("answers:")
    )
    kept = _kept_of_list(tx, mailing_list, archived, list(tx.execute(citing).scalars()), made_with)
    tx.execute(update(revision).where(revision.c.edition_id.in_(own)).values(kept))
    if made_with is not None:
        citations.set_answered(tx, campaign_id, made_with["url"])


def _kept_of_list(
    tx: Connection,
    mailing_list: MailingList,
    archived: bool | None,
    texts: Collection[str],
    made_with: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """The columns that keep what letters of these texts are made with."""
    design = design_of(tx, mailing_list, archived) | {"made_with": dict(made_with or {})}
    design["cited_titles"] = citations.load_cited_titles(tx, find_cited_letters(texts))
    return {"postal_address": mailing_list.postal_address, "reason": mailing_list.reason, "design": design}


def _archived(tx: Connection, edition_id: int) -> bool | None:
    found = select(campaign.c.archived).join_from(edition, campaign).where(edition.c.id == edition_id)
    return tx.execute(found).scalar_one()
