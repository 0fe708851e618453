"""Who may do what, through every action; what the audit log has of it; and a page or a command for each action."""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import pytest
from sqlalchemy import Connection, select

from mailer.actions.accounts.sessions import find_session, organiser_actor
from mailer.actions.maintenance.backup import back_up, restore
from mailer.actions.maintenance.migrate import migrate_database
from mailer.app import App
from mailer.domain.accounts.actor import Actor, Door
from mailer.domain.accounts.audit import AuditLine
from mailer.domain.accounts.role import Grant, Role
from mailer.errors import NotFound, NotPermitted
from mailer.settings.load import Settings
from mailer.store.accounts import audit_log
from mailer.store.people_tables import subscriber
from tests.support.action_table import ACTIONS, MANAGE_SITE, TriedAction, TriedHouse, find_actions
from tests.support.app_helpers import ROOT
from tests.support.console_helpers import PEOPLE, Furniture, furnished_app

WITH_SETTINGS = {"maintenance.backup.back_up", "maintenance.backup.restore", "maintenance.migrate.migrate_database"}
"""Actions on a database that no App may have open: their commands are tested."""
WITHOUT_DOOR = {
    "campaigns.send_test.list_tests": "the page and `campaign test` have them as a part of what they are given",
    "lists.people_numbers.audience_by_language": "drafts and the review have it as a part of them",
    "lists.people_numbers.joins_and_leaves": "Today has it as a part of it",
}
"""Actions that no page, no command and no other action calls, and why; at most five."""
OF_ANOTHER_LIST = Actor(
    name="bea@example.org", door=Door.CONSOLE, grants=(Grant(role=Role.OWNER, mailing_list_id=2),), organiser_id=99
)
NOBODY = Actor(name="mallory@example.org", door=Door.CONSOLE, grants=(), organiser_id=98)


@pytest.fixture
async def house(furniture: Furniture, tmp_path: Path) -> AsyncIterator[TriedHouse]:
    """A furnished house, its service not running."""
    app = furnished_app(furniture, tmp_path)
    yield TriedHouse(app, furniture)
    await app.close()


async def actors(house: TriedHouse) -> list[Actor]:
    """One of each role, an owner of another list, and somebody who has signed in and lost each role; Ada last."""
    signed_in = [await find_session(house.app, house.furniture.words[one.name]) for one in reversed(PEOPLE)]
    return [NOBODY, OF_ANOTHER_LIST, *(organiser_actor(one) for one in signed_in if one is not None)]


async def finish(doing: Any) -> None:
    """Wait for what an action returns, and read what it yields."""
    if inspect.isawaitable(doing):
        await doing
    elif hasattr(doing, "__aiter__"):
        async for _ in doing:
            pass


async def audit_lines(app: App) -> list[AuditLine]:
    """Newest first."""
    return list((await app.database.read(audit_log.list_page)).items)


def may(who: Actor, action: TriedAction) -> bool:
    if action.permission is None:
        return True
    if action.is_anywhere:
        return who.list_ids(action.permission) != frozenset()
    return who.may(action.permission, None if action.permission is MANAGE_SITE else 1, action.language)


def test_every_action_is_tried() -> None:
    assert sorted(ACTIONS) == sorted({name for name, *_ in find_actions()} - WITH_SETTINGS), (
        "add the actions that are missing to tests/support/action_table.py"
    )


@pytest.mark.parametrize("name", ACTIONS)
async def test_who_may_not_leaves_no_line_and_who_may_leaves_one_without_a_readers_address(
    house: TriedHouse, name: str
) -> None:
    action, before = ACTIONS[name], await audit_lines(house.app)
    *others, ada = await actors(house)
    refused = [who for who in others if not may(who, action)]

    for who in refused:
        # NotFound where it is not told what there is; below Ada finds it.
        with pytest.raises((NotPermitted, NotFound)):
            await finish(action.call(house, who))

    assert await audit_lines(house.app) == before
    assert action.permission is None or refused, "nobody was refused"

    await finish(action.call(house, ada))

    lines = await audit_lines(house.app)
    new = lines[: len(lines) - len(before)]
    assert [one.act for one in reversed(new)] == list(action.acts)
    assert all((one.actor, one.organiser_id, one.door) == (ada.name, ada.organiser_id, "console") for one in new)
    written = json.dumps([[one.subject, one.before, one.after] for one in new], ensure_ascii=False).casefold()
    assert [text for text in await house.app.database.read(_readers) if text.casefold() in written] == []


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name, action in ACTIONS.items() if action.acts])
async def test_all_who_may_can(house: TriedHouse, name: str, furniture: Furniture, tmp_path: Path) -> None:
    """Each on a house of their own, for what is done cannot always be done twice."""
    action = ACTIONS[name]
    for number, who in enumerate(one for one in await actors(house) if may(one, action) and one is not NOBODY):
        if who is OF_ANOTHER_LIST:
            continue
        (folder := tmp_path / str(number)).mkdir()
        app = furnished_app(furniture, folder)
        try:
            await finish(action.call(TriedHouse(app, furniture), who))
        finally:
            await app.close()


def _readers(tx: Connection) -> list[str]:
    """Addresses and whole names of all readers."""
    found = tx.execute(select(subscriber.c.address, subscriber.c.name))
    return [text for row in found for text in (row.address, row.name) if text and len(text) > 5]


async def test_people_of_other_lists_are_as_if_they_were_not_there(house: TriedHouse) -> None:
    for name in ("subscriptions.show_person.show_person", "subscriptions.show_person.show_subscriber"):
        emma = next(one for one in await actors(house) if one.name == "emma@example.org")

        with pytest.raises(NotFound):
            await finish(ACTIONS[name].call(house, emma))


def test_what_acts_on_a_whole_database_is_for_owners_of_the_site(tmp_path: Path) -> None:
    settings, now = cast("Settings", None), datetime(2027, 3, 1, tzinfo=UTC)

    with pytest.raises(NotPermitted):
        back_up(settings, OF_ANOTHER_LIST, tmp_path / "b.zip", now)
    with pytest.raises(NotPermitted):
        restore(settings, OF_ANOTHER_LIST, tmp_path / "b.zip", now, replace=True, migrate=True)
    with pytest.raises(NotPermitted):
        migrate_database(settings, OF_ANOTHER_LIST, now, back_up=True)


def test_each_action_has_a_page_or_a_command() -> None:
    """Or it is a part of an action that has one."""
    doors, actions = (
        [file.read_text() for folder in folders for file in (ROOT / "mailer" / folder).rglob("*.py")]
        for folders in (("cli", "entrypoints/web/console"), ("actions",))
    )
    lost = []
    for key, module, name in find_actions():
        imports = re.compile(rf"\b{re.escape(module)}\b|import .*\b{module.rpartition('.')[2]}\b")
        has_door = any(imports.search(text) and re.search(rf"\b{name}\b", text) for text in doors)
        if not has_door and not any(re.search(rf"(?<!def )\b{name}\b", text) for text in actions):
            lost.append(key)

    assert sorted(lost) == sorted(WITHOUT_DOOR), "each action needs a page of the console or a command"
    assert len(WITHOUT_DOOR) <= 5
