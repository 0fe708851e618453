"""Finds all problems of a text of a campaign."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace

from mailer.actions.campaigns.checked_drafts import check_drafts, load_drafts, problems_of
from mailer.actions.campaigns.draft_change import DraftChange
from mailer.app import App
from mailer.domain.accounts.actor import Actor
from mailer.domain.accounts.role import Permission
from mailer.errors import NotFound
from mailer.mail.compose.problem import Problem
from mailer.store.letters import letter_sources


async def check_text(
    app: App,
    actor: Actor,
    campaign_id: int,
    language: str,
    text: str | None = None,
    *,
    fields: Mapping[str, str] | None = None,
) -> tuple[Problem, ...]:
    """All problems of an edition's draft, or with these fields or this text instead of its own, errors first.

    Raises NotFound, NotPermitted, and CampaignFileRefused for fields of a draft whose front matter cannot be read.
    """
    loaded = await app.database.read(load_drafts, actor, Permission.READ, campaign_id)
    draft = next((one for one in loaded.drafts if one.language == language), None)
    if draft is None:
        raise NotFound(f"campaign {campaign_id} has no edition in language {language!r}")
    written = DraftChange(fields=fields or {}, text=text).apply_to(draft.text)
    resources = await app.database.read(letter_sources.load_resources, [written], campaign_id)
    loaded = replace(loaded, resources=resources)
    return await asyncio.to_thread(problems_of, app, loaded, language, written)


async def check_campaign(app: App, actor: Actor, campaign_id: int) -> dict[str, tuple[Problem, ...]]:
    """All problems of all drafts of a campaign, by language. Raises NotFound, NotPermitted."""
    return (await check_drafts(app, actor, Permission.READ, campaign_id)).problems
