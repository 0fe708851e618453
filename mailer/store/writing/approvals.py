"""Approvals of campaigns' texts."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, insert, select

from mailer.domain.accounts.actor import Actor
from mailer.domain.campaign import Campaign
from mailer.domain.draft import Approval, campaign_digest, text_digest
from mailer.domain.letters.edition_approval import unapproved_languages
from mailer.store import campaign_lists
from mailer.store.writing import drafts
from mailer.store.writing.draft_tables import approval

_MOST_LISTED = 50


def add(
    tx: Connection, campaign_id: int, actor: Actor, digest: str, now: datetime, *, language: str | None = None
) -> None:
    """Note that somebody approves the texts that have this digest: of one edition, or None: of all that are sent."""
    values = {"campaign_id": campaign_id, "organiser_id": actor.organiser_id, "approved_by": actor.name}
    tx.execute(insert(approval).values(digest=digest, language=language, at=now, **values))


def list_newest(tx: Connection, campaign_id: int, texts: Mapping[str, str], sent: Collection[str]) -> list[Approval]:
    """The approvals of a campaign, the newest first: all valid ones, and those of texts that were changed since.

    Valid are those of these texts, by language, as they are now: of one of them, of all, or of all that are `sent`.
    """
    found = select(approval).where(approval.c.campaign_id == campaign_id)
    now_valid = [*_digests_of_many(texts, sent), *map(text_digest, texts.values())]
    valid_first = (approval.c.digest.in_(now_valid).desc(), approval.c.id.desc())
    rows = tx.execute(found.order_by(*valid_first).limit(_MOST_LISTED)).all()
    return _approvals_from_rows(sorted(rows, key=lambda row: int(row.id), reverse=True), texts, sent)


def list_unapproved(
    tx: Connection, mailing_list_ids: Collection[int], asked: str, limit: int
) -> list[tuple[Campaign, datetime]]:
    """The newest drafts of these lists that others than `asked` wrote last, and nobody but their last writer approved.

    With each the moment of its last change. Drafts without a subject are not asked about.
    """
    found = {one.id: one for one in campaign_lists.list_drafts(tx, mailing_list_ids, limit) if one.subject}
    texts = drafts.drafts_of_many(tx, found)
    given = select(approval).where(approval.c.campaign_id.in_(found)).order_by(approval.c.id)
    approved: dict[int, list[Row[Any]]] = {}
    for row in tx.execute(given):
        approved.setdefault(row.campaign_id, []).append(row)
    unapproved = []
    for number, editions in texts.items():
        sent = [one for one in editions if found[number].sends(one.language)]
        last = max(sent, key=lambda one: one.changed_at)
        valid = _approvals_from_rows(
            approved.get(number, ()), {one.language: one.text for one in editions}, [one.language for one in sent]
        )
        if last.changed_by != asked and unapproved_languages(sent, valid, last.changed_by):
            unapproved.append((found[number], last.changed_at))
    return sorted(unapproved, key=lambda one: one[1])


def _approvals_from_rows(rows: Iterable[Row[Any]], texts: Mapping[str, str], sent: Collection[str]) -> list[Approval]:
    whole = _digests_of_many(texts, sent)
    return [
        Approval(
            approved_by=row.approved_by,
            organiser_id=row.organiser_id,
            at=row.at,
            is_valid=row.digest in whole
            if row.language is None
            else row.language in texts and row.digest == text_digest(texts[row.language]),
            language=row.language,
        )
        for row in rows
    ]


def _digests_of_many(texts: Mapping[str, str], sent: Collection[str]) -> set[str]:
    """What an approval of all texts is of, and one of all that are sent."""
    return {campaign_digest(texts), campaign_digest({tag: text for tag, text in texts.items() if tag in sent})}
