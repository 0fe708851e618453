"""Which letters of the public archive answer which, and whether one may be read by everybody."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import ColumnElement, Connection, and_, func, select, update

from mailer.domain.letters.archive_paths import own_letter_path
from mailer.domain.mailing_list import ArchiveMode
from mailer.errors import CampaignFileRefused, LetterRenderFailed
from mailer.mail.compose.archive_letter import summarize
from mailer.mail.compose.letter_fields import fields_or_none
from mailer.mail.webmention.citation import citation_key
from mailer.store.letters.archive import is_archived
from mailer.store.people_tables import mailing_list
from mailer.store.queue.queue_tables import campaign, edition, revision

_MOST_ANSWERS = 50


def is_public(tx: Connection, list_name: str, campaign_id: int) -> bool:
    """Whether everybody may read this letter on the web."""
    found = select(campaign.c.id).join(mailing_list).where(campaign.c.id == campaign_id, _is_public())
    return tx.execute(found.where(mailing_list.c.name == list_name)).one_or_none() is not None


def load_cited_titles(tx: Connection, cited: Collection[tuple[str, int]]) -> dict[str, dict[str, str]]:
    """The titles of those letters, by list name and campaign, that are public: by `citation_key`, then by language."""
    if not cited:
        return {}
    query = select(campaign.c.id, mailing_list.c.name).join(mailing_list)
    found = tx.execute(query.where(campaign.c.id.in_([number for _, number in cited]), _is_public()))
    names = {row.id: row.name for row in found if (row.name, row.id) in cited}
    return {citation_key(names[number], number): titles for number, titles in _load_titles(tx, names).items()}


def list_answering(tx: Connection, campaign_id: int) -> dict[tuple[str, int], dict[str, str]]:
    """The public letters that answer this one: list name and campaign -> titles by language; in order."""
    query = select(campaign.c.id, mailing_list.c.name).join(mailing_list)
    answering = query.where(campaign.c.answers_id == campaign_id, _is_public()).order_by(campaign.c.id)
    names = {row.id: row.name for row in tx.execute(answering.limit(_MOST_ANSWERS))}
    titles = _load_titles(tx, names)
    return {(name, number): titles[number] for number, name in names.items() if titles.get(number)}


def set_answered(tx: Connection, campaign_id: int, site_url: str) -> None:
    """Note which campaign's letter the default edition's newest text answers, or none."""
    newest = (
        select(revision.c.manuscript)
        .join_from(edition, revision)
        .where(edition.c.campaign_id == campaign_id, edition.c.is_default, ~revision.c.is_trial)
    )
    text = tx.execute(newest.order_by(revision.c.id.desc()).limit(1)).scalar_one_or_none() or ""
    fields = fields_or_none(text) if "answers:" in text else None
    letter = own_letter_path(site_url, fields.answers_url) if fields else None
    tx.execute(
        update(campaign).where(campaign.c.id == campaign_id).values(answers_id=letter.campaign_id if letter else None)
    )


def _load_titles(tx: Connection, campaign_ids: Collection[int]) -> dict[int, dict[str, str]]:
    """The title of each edition's newest text, by campaign, then by language, the default edition first."""
    newest = (
        select(edition.c.id, func.max(revision.c.id).label("revision_id"))
        .join_from(edition, revision)
        .where(edition.c.campaign_id.in_(list(campaign_ids)), ~revision.c.is_trial)
        .group_by(edition.c.id)
        .subquery()
    )
    rows = tx.execute(
        select(edition.c.campaign_id, edition.c.language, revision.c.manuscript)
        .join_from(newest, edition, edition.c.id == newest.c.id)
        .join(revision, revision.c.id == newest.c.revision_id)
        .order_by(edition.c.is_default.desc(), edition.c.id)
    )
    found: dict[int, dict[str, str]] = {}
    for row in rows:
        if title := _title_of(row.manuscript):
            found.setdefault(row.campaign_id, {})[row.language] = title
    return found


def _title_of(manuscript: str) -> str | None:
    """As a reader sees it of whom nothing is known; None for a text that cannot be read."""
    try:
        return summarize(manuscript).title or None
    except (CampaignFileRefused, LetterRenderFailed):
        return None


def _is_public() -> ColumnElement[bool]:
    return and_(mailing_list.c.archive == ArchiveMode.PUBLIC, is_archived())
