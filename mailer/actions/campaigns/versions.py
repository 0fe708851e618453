"""Returns the versions of a draft. To go back to one, its text is saved again."""

from __future__ import annotations

from mailer.app import App
from mailer.domain.actor import Actor
from mailer.domain.draft import DraftVersion


async def list_versions(app: App, actor: Actor, campaign_id: int, language: str) -> list[DraftVersion]:
    """The newest 200 versions of a draft, the newest first. Raises NotFound, NotPermitted."""
    raise NotImplementedError


async def load_version(app: App, actor: Actor, campaign_id: int, language: str, version: int) -> str:
    """The text of one version. Raises NotFound, NotPermitted."""
    raise NotImplementedError
