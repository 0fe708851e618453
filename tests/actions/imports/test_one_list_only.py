"""Whoever changes the people of one list keeps nobody out of others, by an import or by undoing one."""

from __future__ import annotations

import io

import pytest

from mailer.actions.imports.import_people import import_people
from mailer.actions.imports.plan_import import plan_import
from mailer.actions.imports.run_import import run_import
from mailer.actions.imports.undo_import import preview_undo, undo_import
from mailer.actions.subscriptions.show_person import show_person
from mailer.app import App
from mailer.domain.accounts.actor import Actor, Door
from mailer.domain.accounts.role import Grant, Role
from mailer.domain.address import Address
from mailer.domain.consent import Channel, Evidence
from mailer.domain.subscription import SubscriptionState
from mailer.domain.suppression import SuppressionReason
from mailer.errors import NotPermitted
from mailer.importers.own_people import OWN_COLUMNS
from mailer.importers.person_row import PersonRow, SuppressionEntry
from mailer.store import mailing_lists
from tests.support.app_helpers import ADMIN, EMMA, ROSA, Clock, import_rows, open_list
from tests.support.invented_exports import invented_export

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
async def editor(app: App, clock: Clock) -> Actor:
    """An editor of appeals; Rosa and Emma are on another list as well."""
    for name in ("appeals", "walks"):
        await open_list(app, name)
        await import_rows(app, f"{ROSA},Rosa,en", f"{EMMA},Emma,en", list_name=name)
    clock.advance(hours=1)
    number = (await app.database.read(mailing_lists.get_by_name, "appeals")).id
    return Actor(name=EMMA, door=Door.CONSOLE, grants=(Grant(role=Role.EDITOR, mailing_list_id=number),))


def kept_out(address: str, reason: SuppressionReason) -> PersonRow:
    entry = SuppressionEntry(reason=reason, everywhere=True, since=None)
    return PersonRow(address=Address(address), state=SubscriptionState.CONFIRMED, attributes={}, suppressions=(entry,))


async def move_in(app: App, actor: Actor) -> tuple[int, list[str]]:
    export = invented_export(
        kept_out(ROSA, SuppressionReason.COMPLAINED),
        kept_out(EMMA, SuppressionReason.NEVER),
        kept_out("bea@example.org", SuppressionReason.NEVER),
    )
    async with await plan_import(app, actor, list_name="appeals", export=export) as plan:
        said = [one.reason for one in plan.left_behind]
        return (await run_import(app, actor, plan)).run, said


async def places(app: App, address: str) -> set[tuple[str, str]]:
    shown = await show_person(app, ADMIN, address)
    return {(one.list_name, str(one.reason)) for one in shown.suppressions}


async def test_an_import_by_an_editor_suppresses_for_the_list_only(app: App, editor: Actor) -> None:
    run, said = await move_in(app, editor)
    rosa, emma = await places(app, ROSA), await places(app, EMMA)
    await undo_import(app, editor, run)

    assert said == ["3 people are kept out of this list only: for every list, an owner of the site must import it"]
    assert rosa == {("appeals", "complained")}
    assert emma == {("appeals", "left")}
    assert await places(app, ROSA) == set()


async def test_an_own_table_by_an_editor_suppresses_for_the_list_only(app: App, editor: Actor) -> None:
    cells = {"email": ROSA, "state": "confirmed", "suppressed": "complained everywhere"}
    table = f"{','.join(OWN_COLUMNS)}\n{','.join(cells.get(name, '') for name in OWN_COLUMNS)}\n"
    evidence = Evidence(Channel.IMPORT, {})
    await import_people(app, editor, list_name="appeals", file=io.StringIO(table), evidence=evidence)

    assert await places(app, ROSA) == {("appeals", "complained")}


async def test_an_editor_lets_nobody_back_onto_every_list(app: App, editor: Actor) -> None:
    run, said = await move_in(app, ADMIN)
    before = await places(app, ROSA)

    assert said == []
    for action in (undo_import, preview_undo):
        with pytest.raises(NotPermitted, match="for the whole site"):
            await action(app, editor, run)
    assert await places(app, ROSA) == before == {("every list", "complained")}
    await undo_import(app, ADMIN, run)
    assert await places(app, ROSA) == set()
