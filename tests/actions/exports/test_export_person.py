"""Exporting what is known of one person: all of it, only theirs, and nothing of erased people but that they are."""

from __future__ import annotations

import json

import pytest

from mailer.actions.exports.export_person import export_person, render_person
from mailer.app import App
from mailer.domain.accounts.actor import Actor, Door
from mailer.domain.accounts.role import Grant, Role
from mailer.errors import NotFound
from mailer.store import retention
from tests.actions.exports.test_export_all import fill
from tests.support.app_helpers import ADMIN, BEA, EMMA, MALLORY, ROSA, import_rows, open_list
from tests.support.fake_relay import FakeRelay


async def test_all_that_is_known_of_a_person_is_told_and_nothing_of_others(app: App, relay: FakeRelay) -> None:
    await fill(app)

    emma, bea = [await export_person(app, ADMIN, one) for one in (EMMA, BEA)]

    assert emma.data["person"]["address"] == EMMA
    assert [(one["list"], one["state"]) for one in emma.data["subscriptions"]] == [("appeals", "unsubscribed")]
    assert [one["act"] for one in emma.data["consents"]] == ["imported", "left"]
    assert emma.data["consents"][1]["evidence"] == {"client": "test"}
    assert next((one["kind"], one["state"]) for one in emma.data["letters"]) == ("campaign", "accepted")
    assert [one["reason"] for one in emma.data["suppressions"]] == ["left"]
    assert [one["number"] for one in emma.data["imports"]] == [1]
    assert bea.data["subscriptions"][0]["attributes"]["state"] == "Steiermark"
    text = json.dumps(emma.data) + render_person(app, emma)
    assert not [one for one in (ROSA, BEA, MALLORY) if one in text]


async def test_one_who_never_confirmed_is_told_too_in_their_language(app: App, relay: FakeRelay) -> None:
    await open_list(app)
    await import_rows(app, f"{ROSA},<b>Rosa</b>,ar", invite=True)

    page = render_person(app, await export_person(app, ADMIN, ROSA))

    assert '<html lang="ar" dir="rtl">' in page
    assert "&lt;b&gt;Rosa&lt;/b&gt;" in page


async def test_of_an_erased_person_only_the_hash_is_kept(app: App, relay: FakeRelay) -> None:
    await fill(app)
    await app.database.write(retention.erase_subscribers, [4])

    export = await export_person(app, ADMIN, MALLORY)

    assert (export.is_erased, list(export.data)) == (True, ["address", "erased", "suppressions"])
    assert "keyed hash" in render_person(app, export)
    with pytest.raises(NotFound):
        await export_person(app, ADMIN, "nobody@example.org")


async def test_who_sees_another_list_only_learns_nothing(app: App, relay: FakeRelay) -> None:
    await fill(app)
    other = await open_list(app, "walks")
    editor = Actor(name="nils", door=Door.CONSOLE, grants=(Grant(role=Role.EDITOR, mailing_list_id=other.id),))

    for one in (ROSA, MALLORY):
        with pytest.raises(NotFound):
            await export_person(app, editor, one)
