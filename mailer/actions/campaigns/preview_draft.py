"""Renders a draft for one person, real or invented."""

from __future__ import annotations

from collections.abc import Mapping

from mailer.app import App
from mailer.domain.actor import Actor
from mailer.domain.draft import SampleReader
from mailer.mail.message.letter import Letter


async def preview_draft(
    app: App,
    actor: Actor,
    campaign_id: int,
    language: str,
    *,
    fields: Mapping[str, str] | None = None,
    text: str | None = None,
    reader: str | SampleReader | None = None,
) -> Letter:
    """The letter with the draft's text, or these fields or this text instead; its links lead nowhere.

    It is for a subscriber of the list, given by address, or for an invented person; None: one of whom nothing is
    known. A missing subject or body shows as `...`. Raises CampaignFileRefused with the line of the first mistake,
    LetterRenderFailed, NotFound, and NotPermitted, also if the actor may not see people.
    """
    raise NotImplementedError
