"""Adds and removes the editions of a campaign, and says that one is up to date."""

from __future__ import annotations

from mailer.app import App
from mailer.domain.actor import Actor


async def add_edition(app: App, actor: Actor, campaign_id: int, language: str) -> None:
    """Add a draft in a language; it begins with the default edition's text.

    Raises NotFound, NotPermitted, CampaignFileRefused for what is no language tag, and WrongState if there is one in
    that language already or if the campaign was launched.
    """
    raise NotImplementedError


async def remove_edition(app: App, actor: Actor, campaign_id: int, language: str) -> None:
    """Remove an edition with all its versions.

    Raises NotFound, NotPermitted, and WrongState for the default edition, after the launch, and while a test letter of
    it is under way.
    """
    raise NotImplementedError


async def mark_up_to_date(app: App, actor: Actor, campaign_id: int, language: str) -> None:
    """Say that an edition is up to date with the default edition as it is now. Raises NotFound, NotPermitted."""
    raise NotImplementedError
