"""What export-all writes, import-from brings into a fresh service, and what that exports is the same."""

from __future__ import annotations

import csv
import shutil
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import Connection, insert, select, update

from mailer.actions.exports.export_all import export_all
from mailer.actions.imports.plan_import import plan_import
from mailer.actions.imports.run_import import run_import
from mailer.actions.lists.edit_list import set_list
from mailer.actions.subscriptions.confirm import confirm
from mailer.app import App
from mailer.domain.keyring import Keyring
from mailer.domain.subscription import DeliveryMode
from mailer.domain.suppression import EVERY_LIST, SuppressionReason
from mailer.importers.export_format import ReadOptions
from mailer.importers.open_export import open_export
from mailer.importers.sources.open_source import open_source
from mailer.store.people_tables import subscriber, subscription, suppression
from tests.actions.exports.test_export_all import fill
from tests.support.app_helpers import (
    ADMIN,
    EMMA,
    LINK_EVIDENCE,
    MALLORY,
    Clock,
    import_rows,
    make_app,
    open_list,
    send_notices,
    token_in,
)
from tests.support.fake_relay import FakeRelay


@pytest.fixture
def other_url(database_url: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A second fresh database of the same kind."""
    if database_url.startswith("sqlite"):
        yield f"sqlite:///{shutil.copy(request.getfixturevalue('sqlite_template'), tmp_path / 'other.db')}"
        return
    name = database_url.rpartition("/")[2].partition("?")[0]
    where = request.getfixturevalue("postgres")
    with psycopg.connect(where.format(name="postgres"), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE other_{name} TEMPLATE template")  # type: ignore[call-overload]
        yield where.format(name=f"other_{name}")
        connection.execute(f"DROP DATABASE other_{name} WITH (FORCE)")  # type: ignore[call-overload]


async def fill_with_everything(app: App, clock: Clock, relay: FakeRelay) -> None:
    """Everybody of `fill`, and one person of each further state, in each digest mode, with each suppression."""
    await fill(app)
    await import_rows(app, *(f"mode{number}@example.org,Mode {number}," for number in range(4)))
    await import_rows(app, *(f"{one}@example.org,{one}," for one in SuppressionReason))
    clock.advance(days=2)
    await import_rows(app, "asked@example.org,Asked,tr", "joins@example.org,Joins,", invite=True)
    await send_notices(app)
    (letter,) = [one for one in relay.letters if one.recipient == "joins@example.org"]
    clock.advance(hours=5)
    await confirm(app, token_in(letter, "confirm"), LINK_EVIDENCE)
    await app.database.write(_change_by_hand, app)
    clock.advance(days=1)


def _change_by_hand(tx: Connection, app: App) -> None:
    key_of = app.site.keyring.suppression_key
    for number, mode in enumerate(DeliveryMode):
        ids = tx.execute(subscriber.select().where(subscriber.c.address == f"mode{number}@example.org")).one()
        tx.execute(update(subscription).where(subscription.c.subscriber_id == ids.id).values(delivery_mode=mode))
    gone = select(subscriber.c.id).where(subscriber.c.address.in_(["left@example.org", "never@example.org"]))
    tx.execute(update(subscription).where(subscription.c.subscriber_id.in_(gone)).values(state="unsubscribed"))
    until = {SuppressionReason.PAUSED: app.clock() + timedelta(days=30)}
    rows = [
        {
            "suppression_key": key_of(address),
            "mailing_list_id": place,
            "reason": reason,
            "created_at": app.clock(),
            "until": until.get(reason),
        }
        for place, reason in (
            *((1, reason) for reason in SuppressionReason if reason is not SuppressionReason.NEVER),
            (EVERY_LIST, SuppressionReason.NEVER),
        )
        for address in (f"{reason}@example.org", f"unknown-{reason}@example.org")
    ]
    tx.execute(insert(suppression), rows)


async def import_folder(app: App, folder: Path) -> None:
    await set_list(app, ADMIN, "appeals", zone="Europe/Berlin", testers=["ada@example.org"])
    with open_source(folder) as source:
        export = open_export(source, None, ReadOptions())
        async with await plan_import(app, ADMIN, list_name="appeals", export=export) as plan:
            assert not plan.bad_rows
            await run_import(app, ADMIN, plan)


async def test_an_export_of_what_was_imported_is_the_same(
    app: App, other_url: str, clock: Clock, relay: FakeRelay, tmp_path: Path
) -> None:
    await fill_with_everything(app, clock, relay)
    await export_all(app, ADMIN, list_name="appeals", folder=tmp_path / "first")
    letters = len(relay.letters)
    other = make_app(other_url, clock, relay.port)
    try:
        await open_list(other, language="de")
        clock.advance(days=1)
        await import_folder(other, tmp_path / "first")
        await send_notices(other)
        await export_all(other, ADMIN, list_name="appeals", folder=tmp_path / "second")
        await import_folder(other, tmp_path / "first")
        await export_all(other, ADMIN, list_name="appeals", folder=tmp_path / "third")
    finally:
        await other.close()

    first, second, third = (tmp_path / name for name in ("first", "second", "third"))
    for name in ("people.csv", "suppressions.csv", "consent.jsonl", "list.toml", "README.txt"):
        assert (first / name).read_text() == (second / name).read_text() == (third / name).read_text(), name
    assert len(relay.letters) == letters


async def test_suppressions_alone_keep_out_whom_they_name(
    app: App, other_url: str, clock: Clock, relay: FakeRelay, tmp_path: Path
) -> None:
    await fill_with_everything(app, clock, relay)
    await export_all(app, ADMIN, list_name="appeals", folder=tmp_path / "out")
    with (tmp_path / "out/people.csv").open(newline="") as file:
        everybody = [row["email"] for row in csv.DictReader(file)]
        file.seek(0)
        mailed = {row["email"] for row in csv.DictReader(file) if row["state"] == "confirmed" and not row["suppressed"]}
    everybody += [f"unknown-{reason}@example.org" for reason in SuppressionReason]
    (tmp_path / "out/people.csv").unlink()
    other = make_app(other_url, clock, relay.port)
    try:
        await open_list(other)
        await import_folder(other, tmp_path / "out")
        await import_rows(other, *(f"{one},," for one in everybody))
        await export_all(other, ADMIN, list_name="appeals", folder=tmp_path / "second")
    finally:
        await other.close()

    with (tmp_path / "second/people.csv").open(newline="") as file:
        found = {row["email"] for row in csv.DictReader(file) if row["state"] == "confirmed" and not row["suppressed"]}
    assert found <= mailed | {"asked@example.org"}
    assert {EMMA, MALLORY}.isdisjoint(found)


def test_the_id_of_a_secret_tells_no_secret() -> None:
    one, other = (Keyring(octet * 32, ((1, b"k" * 32),)) for octet in (b"p", b"q"))

    assert one.secret_id == Keyring(b"p" * 32, ((2, b"x" * 32),)).secret_id
    assert one.secret_id != other.secret_id
    assert len(one.secret_id) == 8
