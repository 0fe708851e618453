"""Two organisers who are signed in: Ada owns the site, Emma one of its lists."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from mailer.actions.accounts.organisers import give_role
from mailer.app import App
from mailer.domain.accounts.role import Role
from tests.support.app_helpers import ADA, ADMIN, EMMA, open_list
from tests.support.console_client import ConsoleClient, open_client


@pytest.fixture
async def ada(app: App) -> AsyncIterator[ConsoleClient]:
    """Ada owns the site, with two lists."""
    for name in ("appeals", "news"):
        await open_list(app, name)
    owner = await give_role(app, ADMIN, ADA, Role.OWNER, name="Ada", zone="Europe/Berlin")
    async with await open_client(app, owner) as browser:
        yield browser


@pytest.fixture
async def emma(app: App, ada: ConsoleClient) -> AsyncIterator[ConsoleClient]:
    """Emma owns one list."""
    owner = await give_role(app, ADMIN, EMMA, Role.OWNER, list_name="appeals")
    async with await open_client(app, owner) as browser:
        yield browser
