"""Finds all problems of a text of a campaign."""

from __future__ import annotations

from mailer.app import App
from mailer.domain.actor import Actor
from mailer.mail.compose.problem import Problem


async def check_text(
    app: App, actor: Actor, campaign_id: int, language: str, text: str | None = None
) -> tuple[Problem, ...]:
    """All problems of a text for this edition (None: of its draft), errors first. Raises NotFound, NotPermitted."""
    raise NotImplementedError


async def check_campaign(app: App, actor: Actor, campaign_id: int) -> dict[str, tuple[Problem, ...]]:
    """All problems of all drafts of a campaign, by language. Raises NotFound, NotPermitted."""
    raise NotImplementedError
