"""Check the lists that moved here: that they exist, and that their old links are in nobody's way."""

from __future__ import annotations

from sqlalchemy import Connection

from mailer.bootstrap import read_legacy_lists
from mailer.domain.health_check import HealthCheck, fail, ok
from mailer.errors import SettingsRefused
from mailer.settings.load import Settings
from mailer.store import mailing_lists
from mailer.store.database import Database

_CHECK = "old links"


async def check_old_links(settings: Settings, database: Database) -> list[HealthCheck]:
    """The check of all [[legacy]] tables; none where there are none."""
    try:
        names = sorted({one.list_name for one in read_legacy_lists(settings.legacy)})
    except SettingsRefused as refusal:
        return [fail(_CHECK, str(refusal), "Change [[legacy]] in settings.toml; see docs/old_links.md.")]

    def missing(tx: Connection) -> list[str]:
        return [name for name in names if not mailing_lists.exists(tx, name)]

    if gone := await database.read(missing):
        remedy = "Name a list of ours in [[legacy]], or open it with `mailer list add`."
        return [fail(_CHECK, f"[[legacy]] names lists that are not here: {', '.join(gone)}", remedy)]
    return [ok(_CHECK, f"lead to {', '.join(names)}")] if names else []
