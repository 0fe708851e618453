"""Renders a campaign's letter for an organiser, before anybody gets it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, replace

from sqlalchemy import Connection

from mailer.actions.campaigns.campaign_access import load_campaign
from mailer.actions.campaigns.preview_draft import preview_draft
from mailer.app import App
from mailer.domain.accounts.actor import Actor
from mailer.domain.accounts.role import Permission
from mailer.domain.address import parse_address
from mailer.domain.campaign import Campaign
from mailer.domain.draft import SampleReader
from mailer.domain.letters.edition_choice import choose_edition
from mailer.errors import NotFound
from mailer.mail.dkim.signing import choose_signer, sign_letter
from mailer.mail.message.letter import Letter
from mailer.store import mailing_lists
from mailer.store.writing import drafts, readers
from mailer.store.writing.readers import Reader


@dataclass(frozen=True, kw_only=True, slots=True)
class PreviewedLetter:
    """A letter that is shown and not sent."""

    letter: Letter
    edition: str
    """The language of its text."""
    is_reader: bool
    """Whether it is for a confirmed reader of the list, with all that is known of them."""


async def preview(
    app: App,
    actor: Actor,
    campaign_id: int,
    *,
    to: str | None = None,
    name: str | None = None,
    language: str | None = None,
    attributes: Mapping[str, str] | None = None,
    edition: str | None = None,
) -> PreviewedLetter:
    """The letter that a reader would get with the texts of the drafts; its links lead nowhere.

    `to` is the reader's address; of a confirmed reader of the list their name, language and attributes are known, and
    `name`, `language` and `attributes` go before them. None: an invented reader at the site owner's address. The text
    is the one that the language gets, or that of `edition`.

    Raises NotFound, NotPermitted, also with `to` where the actor may not see people, AddressRefused, and
    CampaignFileRefused or LetterRenderFailed if the letter cannot be rendered for them.
    """
    address = parse_address(to or app.site.owner)

    said = SampleReader(address=address.addr_spec, name=name, language=language, attributes=attributes)

    def read(tx: Connection) -> tuple[Reader | None, str]:
        campaign = load_campaign(tx, actor, Permission.READ, campaign_id)
        known = None
        if to is not None:
            actor.require(Permission.SEE_PEOPLE, campaign.mailing_list_id)
            known = readers.find(tx, campaign.mailing_list_id, address.key)
        return known, _choose_edition(tx, campaign, edition, _join(known, said).language)

    known, chosen = await app.database.read(read)
    reader = _join(known, said)
    letter = await preview_draft(app, actor, campaign_id, chosen, reader=reader)
    signer = choose_signer(app.signers, letter)
    if signer is not None:
        letter = await asyncio.to_thread(sign_letter, signer, letter, app.clock())
    return PreviewedLetter(letter=letter, edition=chosen, is_reader=known is not None)


def _choose_edition(tx: Connection, campaign: Campaign, asked: str | None, language: str | None) -> str:
    editions = [one.language for one in drafts.list_drafts(tx, campaign.id)]
    if asked is None:
        list_language = mailing_lists.get(tx, campaign.mailing_list_id).language
        return choose_edition(language, editions, list_language).language
    if asked not in editions:
        raise NotFound(f"campaign {campaign.id} has no edition in {asked!r}; there are {', '.join(editions)}")
    return asked


def _join(known: Reader | None, said: SampleReader) -> SampleReader:
    """The reader as they are known, where nothing else is said."""
    if known is None:
        return said
    return replace(
        said,
        address=known.address,
        name=said.name or known.name,
        language=said.language or known.language,
        attributes={**known.attributes, **(said.attributes or {})},
    )
