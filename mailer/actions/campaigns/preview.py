"""Renders a campaign's letter for an organiser, before anybody gets it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from sqlalchemy import Connection

from mailer.actions.campaigns.campaign_access import load_campaign
from mailer.actions.campaigns.preview_draft import preview_draft
from mailer.app import App
from mailer.domain.accounts.actor import Actor
from mailer.domain.accounts.role import Permission
from mailer.domain.address import parse_address
from mailer.domain.draft import SampleReader
from mailer.domain.letters.edition_choice import choose_edition
from mailer.mail.dkim.signing import choose_signer, sign_letter
from mailer.mail.message.letter import Letter
from mailer.store import mailing_lists
from mailer.store.writing import drafts


async def preview(
    app: App,
    actor: Actor,
    campaign_id: int,
    *,
    to: str | None = None,
    name: str | None = None,
    language: str | None = None,
    attributes: Mapping[str, str] | None = None,
) -> Letter:
    """The letter that a recipient of this name, language and attributes would get, with the text of the draft.

    Its links lead nowhere. `to` is the recipient's address; None: the site owner's. Raises NotFound, NotPermitted,
    AddressRefused, and CampaignFileRefused or LetterRenderFailed if the letter cannot be rendered for them.
    """
    reader = SampleReader(
        address=parse_address(to or app.site.owner).addr_spec, name=name, language=language, attributes=attributes
    )

    def read(tx: Connection) -> str:
        campaign = load_campaign(tx, actor, Permission.READ, campaign_id)
        list_language = mailing_lists.get(tx, campaign.mailing_list_id).language
        editions = [one.language for one in drafts.list_drafts(tx, campaign_id)]
        return choose_edition(language, editions, list_language).language

    edition = await app.database.read(read)
    letter = await preview_draft(app, actor, campaign_id, edition, reader=reader)
    signer = choose_signer(app.signers, letter)
    return letter if signer is None else await asyncio.to_thread(sign_letter, signer, letter, app.clock())
