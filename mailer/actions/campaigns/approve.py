"""Approves a campaign's texts."""

from __future__ import annotations

from mailer.app import App
from mailer.domain.actor import Actor


async def approve(app: App, actor: Actor, campaign_id: int) -> None:
    """Say that all texts as they are now may be sent; the drafts are frozen. It is void once a text changes.

    Raises NotFound, NotPermitted, WrongState unless the campaign is a draft, scheduled or paused, and
    CampaignFileRefused if a text has an error.
    """
    raise NotImplementedError
