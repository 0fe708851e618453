"""Makes a campaign like an earlier one."""

from __future__ import annotations

from mailer.app import App
from mailer.domain.actor import Actor


async def again(app: App, actor: Actor, campaign_id: int) -> int:
    """Store a draft for the same list with the same texts, that suggests the same hour a week later; returns its id.

    Raises NotFound, NotPermitted.
    """
    raise NotImplementedError
