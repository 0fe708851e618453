"""The table of settings.toml about lists that moved here from other software."""

from __future__ import annotations

import re
from typing import Literal

from pydantic import Field, field_validator

from mailer.settings.toml_tables import Table

_ADDRESS = re.compile(r"[^@\s]+@[A-Za-z0-9.-]+")
_PATH = re.compile(r"(/[A-Za-z0-9._~-]+)+")


class LegacySettings(Table):
    """A list that moved here, whose old letters must go on working. Repeat the table for each (docs/old_links.md)."""

    list: str = Field("appeals", description="Our list. Without any [[legacy]] no old link or address is known.")
    software: Literal["mailman21", "mailman3", "listmonk", "phplist", "sympa", "other"] = Field(
        "mailman3",
        description='What it was: "mailman21", "mailman3", "listmonk", "phplist", "sympa", or "other".',
    )
    name: str = Field(
        "", description='Its name in old links: "talk", for Mailman 3 "talk.lists.example.org"; empty: like `list`.'
    )
    addresses: tuple[str, ...] = Field(
        (),
        description="Old addresses: talk@lists.example.org; talk-leave@ and so on follow. Mail to them must come here.",
    )
    paths: tuple[str, ...] = Field(
        (), description='With what the paths of old links begin; empty: as usual there, like "/mailman3".'
    )

    @field_validator("addresses")
    @classmethod
    def _check_addresses(cls, addresses: tuple[str, ...]) -> tuple[str, ...]:
        for one in addresses:
            if not _ADDRESS.fullmatch(one):
                raise ValueError(f"{one!r} is no address like talk@lists.example.org")
        return addresses

    @field_validator("paths")
    @classmethod
    def _check_paths(cls, paths: tuple[str, ...]) -> tuple[str, ...]:
        for one in paths:
            if not _PATH.fullmatch(one):
                raise ValueError(f"{one!r} is no path like /mailman3")
        return paths
