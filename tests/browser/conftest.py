"""One browser per worker, in one event loop with the services that its pages come from."""

from __future__ import annotations

import inspect
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser

from mailer.app import App
from tests.support.app_helpers import Clock, make_app
from tests.support.browser import find_chromium, running_chromium
from tests.support.console_helpers import ADA_OWNER, Furniture, House, furnish_database, open_house
from tests.support.fake_relay import FakeRelay

_HERE = Path(__file__).parent
_QUICK = (
    "test_look",
    "test_weight",
    "three_clicks_and_two_fields[script]",
    "at_most_twelve_clicks",
    "killed_a_second_after_the_last_key",
    "sees_both_texts_and_who[theirs]",
    "emma_writes_and_samir_decides",
    "numbers_and_bar_change",
    "code_of_the_letter",
)
"""What `make test` does in a browser: the main walk, what must never be lost, and each page once (test_look says which
way). `make test-all` does all."""
_NO_CHROMIUM = "no Chromium here, so no page is tested: apt-get install chromium, or set MAILER_TEST_CHROMIUM"


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """The browser outlives a test, and so does the loop it is in; the tests of a file share one browser.

    Without a browser one test stays, and says in one line that it is skipped.
    """
    ours = [item for item in items if _HERE in item.path.parents]
    for item in ours:
        if inspect.iscoroutinefunction(getattr(item, "function", None)):
            item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)
        item.add_marker(pytest.mark.xdist_group(item.path.stem))
        if not any(words in item.nodeid for words in _QUICK):
            item.add_marker(pytest.mark.slow)
    if ours and find_chromium() is None:
        ours[0].add_marker(pytest.mark.skip(reason=_NO_CHROMIUM))
        config.hook.pytest_deselected(items=ours[1:])
        items[:] = [item for item in items if item not in ours[1:]]


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def chromium() -> AsyncIterator[Browser]:
    """Debian's Chromium."""
    executable = find_chromium()
    assert executable is not None
    async with running_chromium(executable) as browser:
        yield browser


@pytest.fixture(params=["sqlite"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Pages are the same on PostgreSQL; one database is enough here."""
    return f"sqlite:///{shutil.copy(request.getfixturevalue('sqlite_template'), tmp_path / 'mailer.db')}"


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def house(furniture: Furniture, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    """A furnished house for tests that only look: one for all of a worker."""
    async with FakeRelay() as fake, open_house(furniture, fake, tmp_path_factory.mktemp("house")) as opened:
        yield opened


@pytest_asyncio.fixture(loop_scope="session")
async def own_house(furniture: Furniture, relay: FakeRelay, tmp_path: Path) -> AsyncIterator[House]:
    """A furnished house for a test that acts."""
    async with open_house(furniture, relay, tmp_path) as opened:
        yield opened


@pytest_asyncio.fixture(loop_scope="session")
async def empty_house(sqlite_template: Path, relay: FakeRelay, tmp_path: Path) -> AsyncIterator[House]:
    """A house where Ada can sign in, and nothing is."""
    furniture = furnish_database(sqlite_template, tmp_path, is_empty=True, people=(ADA_OWNER,))
    async with open_house(furniture, relay, tmp_path) as opened:
        yield opened


@pytest_asyncio.fixture(loop_scope="session")
async def new_house(sqlite_template: Path, relay: FakeRelay, tmp_path: Path) -> AsyncIterator[House]:
    """A house without anybody who can sign in."""
    furniture = furnish_database(sqlite_template, tmp_path, is_empty=True, people=())
    async with open_house(furniture, relay, tmp_path) as opened:
        yield opened


@pytest_asyncio.fixture(loop_scope="session")
async def relay() -> AsyncIterator[FakeRelay]:
    """As everywhere, in the loop of the browser."""
    async with FakeRelay() as fake:
        yield fake


@pytest_asyncio.fixture(loop_scope="session")
async def app(database_url: str, clock: Clock, relay: FakeRelay) -> AsyncIterator[App]:
    """As everywhere, in the loop of the browser."""
    made = make_app(database_url, clock, relay.port)
    yield made
    await made.close()
