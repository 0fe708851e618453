"""The table of settings.toml about the governor, which stops campaigns with too many failures."""

from __future__ import annotations

from pydantic import Field

from mailer.settings.toml_tables import Table


class GovernorSettings(Table):
    """When a campaign stops by itself: shares of its letters to one provider; 0 switches a limit off."""

    complaints: float = Field(
        0.001, ge=0, le=1, description="Of the accepted letters: readers who called one abuse. Of three at least."
    )
    hard: float = Field(0.08, ge=0, le=1, description="Of those tried: no such mailbox, said at once or by a bounce.")
    refused: float = Field(0.10, ge=0, le=1, description="Of those tried: refused for good (5xx).")
    deferred: float = Field(0.50, ge=0, le=1, description="Of those tried: told to come again (4xx).")
    after: int = Field(50, ge=1, description="Of so many letters at least.")
