"""The table of settings.toml about the archive of letters on the web."""

from __future__ import annotations

from pydantic import Field

from mailer.settings.toml_tables import Table


class ArchiveSettings(Table):
    """The archive: letters as pages on the web, for lists that have chosen so."""

    webmention: bool = Field(
        False,
        description="Whether other sites may say that they link to a letter (Webmention); each is looked at, and shown "
        "once an organiser accepts it.",
    )
