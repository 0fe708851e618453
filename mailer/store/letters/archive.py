"""The archive of a list: campaigns that were sent, and the texts that they have now."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from sqlalchemy import ColumnElement, Connection, and_, func, or_, select

from mailer.domain.campaign import CampaignState
from mailer.domain.letters.archive import ArchivedEdition, ArchivedLetter, ArchivedText
from mailer.store.queue.queue_tables import campaign, edition, revision


def list_letters(tx: Connection, mailing_list_id: int) -> list[ArchivedLetter]:
    """All letters of a list that are in its archive, newest first, without their editions.

    They were sent, whole or in part: those that are cancelled, and those paused before the first letter, are not there.
    """
    found = select(campaign.c.id, campaign.c.launched_at).where(_is_in_archive(mailing_list_id))
    rows = tx.execute(found.order_by(campaign.c.launched_at.desc(), campaign.c.id.desc()))
    return [ArchivedLetter(campaign_id=row.id, launched_at=row.launched_at) for row in rows]


def add_editions(
    tx: Connection, letters: Collection[ArchivedLetter], mailing_list_id: int | None = None
) -> list[ArchivedLetter]:
    """These letters with their editions; `mailing_list_id` says that they are all or most of that list."""
    which = (
        campaign.c.mailing_list_id == mailing_list_id
        if mailing_list_id is not None
        else campaign.c.id.in_([one.campaign_id for one in letters])
    )
    newest = (
        select(edition.c.id, func.max(revision.c.id).label("revision_id"))
        .join_from(edition, revision)
        .join(campaign, campaign.c.id == edition.c.campaign_id)
        .where(which, ~revision.c.is_trial)
        .group_by(edition.c.id)
        .subquery()
    )
    rows = tx.execute(
        select(campaign.c.id, campaign.c.languages, edition.c.language, newest.c.revision_id, revision.c.created_at)
        .join_from(newest, edition, edition.c.id == newest.c.id)
        .join(revision, revision.c.id == newest.c.revision_id)
        .join(campaign, campaign.c.id == edition.c.campaign_id)
        .order_by(edition.c.is_default.desc(), edition.c.id)
    )
    found: dict[int, list[ArchivedEdition]] = {}
    for row in rows:
        if row.languages is None or row.language in row.languages:
            one = ArchivedEdition(language=row.language, revision_id=row.revision_id, changed_at=row.created_at)
            found.setdefault(row.id, []).append(one)
    return [replace(one, editions=tuple(found.get(one.campaign_id, ()))) for one in letters]


def load_texts(tx: Connection, revision_ids: Collection[int]) -> dict[int, ArchivedText]:
    """The texts of these revisions, by id."""
    if not revision_ids:
        return {}
    found = select(revision.c.id, revision.c.manuscript, revision.c.design).where(revision.c.id.in_(revision_ids))
    return {
        row.id: ArchivedText(manuscript=row.manuscript, segments=(row.design or {}).get("segments", {}))
        for row in tx.execute(found)
    }


def _is_in_archive(mailing_list_id: int) -> ColumnElement[bool]:
    return and_(campaign.c.mailing_list_id == mailing_list_id, is_archived())


def is_archived() -> ColumnElement[bool]:
    """Whether a row of `campaign` is in the archive of its list, if the list has one."""
    has_begun = and_(campaign.c.state == CampaignState.PAUSED, campaign.c.claim_cursor > 0)
    return and_(
        campaign.c.launched_at.is_not(None),
        or_(campaign.c.state.in_((CampaignState.SENDING, CampaignState.SENT)), has_begun),
        campaign.c.archived.is_not(False),
    )
