"""Writes a campaign's texts: a new letter, reading and saving drafts, their versions."""

from __future__ import annotations

from collections.abc import Mapping

from mailer.actions.campaigns.draft_view import DraftView
from mailer.app import App
from mailer.domain.actor import Actor


async def new_letter(app: App, actor: Actor, *, list_name: str) -> int:
    """Store a campaign with one empty draft in the list's language; returns its id. Raises NotFound, NotPermitted."""
    raise NotImplementedError


async def load_draft(app: App, actor: Actor, campaign_id: int, language: str | None = None) -> DraftView:
    """The draft of one edition; None: of the default edition. Raises NotFound, NotPermitted."""
    raise NotImplementedError


async def save_draft(
    app: App,
    actor: Actor,
    campaign_id: int,
    language: str,
    *,
    version: int,
    fields: Mapping[str, str] | None = None,
    text: str | None = None,
) -> DraftView:
    """Save fields of LetterFields by name (those not given stay), or the whole text, that were begun from `version`.

    The text may be unfinished. Saving the text that is there changes nothing. Raises DraftChanged if somebody saved
    another text since `version`: theirs stays, and this one is kept as a version that was set aside. Also raises
    NotFound, NotPermitted, WrongState if the campaign's letters cannot be changed any more, and CampaignFileRefused
    for a text that is too long, or for fields of a draft whose front matter cannot be read.
    """
    raise NotImplementedError
