"""What a letter is compiled from: its text, its list as it was at the launch, and the files and templates it names."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Connection, select

from mailer.domain.letters.letter_template import find_template_names
from mailer.domain.letters.media import MediaFile, find_media_digests, find_media_paths
from mailer.domain.mailing_list import ArchiveMode, MailingList
from mailer.mail.compose.letter_resources import LetterResources
from mailer.mail.webmention.citation import find_cited_letters
from mailer.store.letters import citations, letter_templates, media
from mailer.store.queue.queue_tables import campaign, edition, revision

_CARRIES_FILES = re.compile(r"^[ \t]*[\"']?(?:pictures|attachments)[\"']?[ \t]*:", re.MULTILINE)


@dataclass(frozen=True, kw_only=True, slots=True)
class LetterSource:
    """One revision, with everything that is not in its text."""

    manuscript: str
    mailing_list: MailingList
    """With the footer and the look that its letters have: those of the launch, once launched."""
    resources: LetterResources


def design_of(tx: Connection, mailing_list: MailingList, archived: bool | None) -> dict[str, Any]:
    """What a revision keeps of its list at the launch, besides the footer, so that a repeat has the same octets.

    `archived` is the campaign's own wish for the archive.
    """
    return {
        "title": mailing_list.title,
        "language": mailing_list.language,
        "accent_color": mailing_list.accent_color,
        "logo": mailing_list.logo,
        "archive": archive_of(mailing_list, archived),
        "segments": dict(mailing_list.segments),
        "templates": letter_templates.current_ids(tx),
    }


def archive_of(mailing_list: MailingList, archived: bool | None) -> ArchiveMode:
    """Who may read a campaign's letter on the web, by the list's choice and the campaign's own."""
    mode = mailing_list.archive or ArchiveMode.OFF
    return ArchiveMode.OFF if archived is False else mode


def load_source(tx: Connection, revision_id: int, mailing_list: MailingList) -> LetterSource:
    """Everything that the letters of a revision are compiled from; `mailing_list` is the list as it is now."""
    row = tx.execute(
        select(
            revision.c.manuscript,
            revision.c.postal_address,
            revision.c.reason,
            revision.c.design,
            campaign.c.id.label("campaign_id"),
            campaign.c.launched_at,
            campaign.c.archived,
        )
        .join_from(revision, edition)
        .join(campaign, campaign.c.id == edition.c.campaign_id)
        .where(revision.c.id == revision_id)
    ).one()
    design = row.design or {}
    if row.launched_at is None:
        own = replace(mailing_list, archive=archive_of(mailing_list, row.archived))
        return LetterSource(
            manuscript=row.manuscript,
            mailing_list=own,
            resources=load_resources(tx, [row.manuscript, own.logo or ""], row.campaign_id),
        )
    own = _at_launch(mailing_list, row, design)
    return LetterSource(
        manuscript=row.manuscript,
        mailing_list=own,
        resources=load_resources(
            tx,
            [row.manuscript, own.logo or ""],
            row.campaign_id,
            design.get("templates", {}),
            cited_titles=design.get("cited_titles", {}),
        ),
    )


def _at_launch(mailing_list: MailingList, row: Any, design: Mapping[str, Any]) -> MailingList:
    """The list with what its letters were given at the launch."""
    return replace(
        mailing_list,
        title=design.get("title", mailing_list.title),
        language=design.get("language", mailing_list.language),
        postal_address=row.postal_address,
        reason=row.reason,
        accent_color=design.get("accent_color"),
        logo=design.get("logo"),
        archive=ArchiveMode(design.get("archive", ArchiveMode.OFF)),
        segments=design.get("segments", {}),
    )


def load_resources(
    tx: Connection,
    texts: Collection[str],
    campaign_id: int,
    template_ids: Mapping[str, int] | None = None,
    languages: Sequence[str] | None = None,
    cited_titles: Mapping[str, Mapping[str, str]] | None = None,
) -> LetterResources:
    """What these texts of a campaign (0: of none yet) name.

    `template_ids` and `cited_titles` are those of the launch, None: of now. `languages` are those of its editions, the
    default one first, where they are known.
    """
    named = frozenset[str]().union(*map(find_template_names, texts))
    ids = letter_templates.current_ids(tx) if template_ids is None and named else template_ids or {}
    templates = letter_templates.load_many(tx, [ids[name] for name in sorted(named) if name in ids])
    found = _load_media(tx, texts)
    if cited_titles is None:
        cited_titles = citations.load_cited_titles(tx, find_cited_letters(texts))
    return LetterResources(
        templates={one.name: one for one in templates},
        template_names=tuple(sorted(ids)),
        media=found,
        missing=frozenset(path for one in texts for path in find_media_paths(one)).difference(found),
        cited_titles=citations.load_cited_titles(tx, find_cited_letters(texts))
        if cited_titles is None
        else cited_titles,
        languages=tuple(_languages(tx, campaign_id) if languages is None else languages),
    )


def _load_media(tx: Connection, texts: Collection[str]) -> dict[str, MediaFile]:
    """The files that texts name, by path; with their contents only where a text puts files into its letter."""
    digests = frozenset[str]().union(*map(find_media_digests, texts))
    with_content = any(_CARRIES_FILES.search(one) for one in texts)
    return {one.path: one for one in media.load_many(tx, digests, with_content=with_content)}


def _languages(tx: Connection, campaign_id: int) -> Sequence[str]:
    languages = select(edition.c.language).where(edition.c.campaign_id == campaign_id)
    return tx.execute(languages.order_by(edition.c.is_default.desc(), edition.c.id)).scalars().all()
