"""Adds pictures and attachments while a campaign's text is written."""

from __future__ import annotations

import asyncio

from sqlalchemy import Connection

from mailer.actions.campaigns.drafts import load_writable
from mailer.actions.lists.media import keep_media
from mailer.app import App
from mailer.domain.accounts.actor import Actor
from mailer.domain.letters.media import MediaFile
from mailer.mail.media.prepare_media import prepare_media


async def add_draft_media(
    app: App, actor: Actor, campaign_id: int, language: str, *, name: str, octets: bytes
) -> MediaFile:
    """Keep a file for the text of an edition, which does not name it yet; its page answers at once.

    Raises MediaRefused, NotFound, WrongState where the text cannot be changed any more, and NotPermitted unless the
    actor may write it in this language.
    """

    def work(tx: Connection, prepared: MediaFile) -> MediaFile:
        campaign = load_writable(tx, actor, campaign_id, language)
        return keep_media(tx, app, actor, campaign.mailing_list_id, prepared)

    await app.database.read(load_writable, actor, campaign_id, language)
    return await app.database.write(work, await asyncio.to_thread(prepare_media, octets, name))
