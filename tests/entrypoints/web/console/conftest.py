"""Two organisers who are signed in: Ada owns the site, Emma one of its lists; and a furnished house to look at."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from mailer.actions.accounts.organisers import give_role
from mailer.app import App
from mailer.domain.accounts.role import Role
from tests.support.app_helpers import ADA, ADMIN, EMMA, open_list
from tests.support.console_client import ConsoleClient, open_client
from tests.support.console_helpers import SAMIR_SENDER, Furniture, furnished_app, http_browser


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


@pytest.fixture
async def house_app(furniture: Furniture, tmp_path: Path) -> AsyncIterator[App]:
    """A furnished house, its service not running."""
    made = furnished_app(furniture, tmp_path)
    yield made
    await made.close()


@pytest.fixture
async def browser(house_app: App, furniture: Furniture) -> AsyncIterator[httpx.AsyncClient]:
    """Samir's, who may send."""
    async with http_browser(house_app, furniture, SAMIR_SENDER) as one:
        yield one
