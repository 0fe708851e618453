"""What `mailer doctor` says of lists that moved here."""

from __future__ import annotations

from pathlib import Path

import pytest

from mailer.actions.maintenance.check_old_links import check_old_links
from mailer.app import App
from mailer.settings.load import check_settings
from tests.support.app_helpers import open_list

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


async def said(app: App, *tables: dict[str, object]) -> list[tuple[bool, str]]:
    settings = check_settings({"legacy": list(tables)}, Path("settings.toml"), ignore_environment=True)
    return [(one.status == "ok", one.message) for one in await check_old_links(settings, app.database)]


async def test_missing_lists_and_tables_in_the_way_are_named(app: App) -> None:
    await open_list(app)
    phplist, other = {"list": "appeals", "software": "phplist"}, {"list": "gone", "software": "sympa"}

    assert await said(app) == []
    assert await said(app, phplist) == [(True, "lead to appeals")]
    assert await said(app, phplist, other) == [(False, "[[legacy]] names lists that are not here: gone")]
    assert await said(app, {"list": "appeals", "software": "other", "paths": ["/join"]}) == [
        (False, "[[legacy]] appeals: the path /join is one of our own pages")
    ]
