"""Exporting lists whole: what is in the files, whose they are, and that no broken export is taken for a whole one."""

from __future__ import annotations

import csv
import json
import tomllib
from datetime import UTC, datetime
from email import message_from_bytes
from pathlib import Path

import pytest
from sqlalchemy import Connection, insert, update

from mailer.actions.exports import export_all as module
from mailer.actions.exports.export_all import export_all
from mailer.actions.lists.edit_list import set_list
from mailer.actions.subscriptions.decline import never_ask_again
from mailer.actions.subscriptions.unsubscribe import unsubscribe
from mailer.app import App
from mailer.domain.token import Purpose, sign_token
from mailer.errors import AlreadyExists, ExportFailed
from mailer.store.people_tables import subscription, suppression
from tests.support.app_helpers import (
    ADMIN,
    BEA,
    EMMA,
    LINK_EVIDENCE,
    MALLORY,
    ROSA,
    import_rows,
    launch_campaign,
    open_list,
    send_campaigns,
)
from tests.support.fake_relay import FakeRelay

_LATER = datetime(2027, 5, 1, 12, tzinfo=UTC)


async def fill(app: App) -> None:
    """Rosa reads, Emma left, Bea is paused and wants digests, Mallory wants no mail at all; a letter was sent."""
    await open_list(app, language="de")
    await set_list(app, ADMIN, "appeals", zone="Europe/Berlin", testers=["ada@example.org"])
    await import_rows(app, f"{ROSA},Rosa,de", f"{EMMA},=Emma,", f"{BEA},,", f"{MALLORY},,")
    await launch_campaign(app)
    await send_campaigns(app)
    await unsubscribe(app, sign_token(app.site.keyring, Purpose.LEAVE, 2), LINK_EVIDENCE)
    await never_ask_again(app, sign_token(app.site.keyring, Purpose.NEVER, 4), LINK_EVIDENCE)
    await app.database.write(_pause_bea, app)


def _pause_bea(tx: Connection, app: App) -> None:
    attributes = {"state": "Steiermark", "Stadt, Land": 'two\nlines, "quoted"\r', "=sum": "+1"}
    bea = update(subscription).where(subscription.c.id == 3)
    tx.execute(bea.values(attributes=attributes, delivery_mode="digest-plain"))
    paused = {"reason": "paused", "mailing_list_id": 1, "created_at": app.clock(), "until": _LATER}
    tx.execute(insert(suppression).values(suppression_key=app.site.keyring.suppression_key(BEA), **paused))


def rows_of(file: Path) -> list[dict[str, str]]:
    with file.open(newline="") as text:
        return list(csv.DictReader(text))


def names_in(folder: Path) -> set[str]:
    return {one.name for one in folder.iterdir()}


async def test_an_export_has_everybody_every_suppression_and_every_consent(
    app: App, relay: FakeRelay, tmp_path: Path
) -> None:
    await fill(app)

    (done,) = await export_all(app, ADMIN, list_name="appeals", folder=tmp_path / "out")

    people = {row["email"]: row for row in rows_of(tmp_path / "out/people.csv")}
    assert (done.people, done.campaigns, done.problems) == (4, 1, ())
    assert list(people) == sorted(people)
    assert people[ROSA]["state"] == "confirmed"
    assert people[EMMA]["name"] == "'=Emma"
    assert people[EMMA]["suppressed"] == "left 2027-03-01T08:00:00+00:00"
    assert people[BEA]["suppressed"] == "paused 2027-03-01T08:00:00+00:00 until 2027-05-01T12:00:00+00:00"
    assert people[BEA]["delivery_mode"] == "digest-plain"
    assert people[BEA]["attributes.state"] == "Steiermark"
    assert people[BEA]["attributes.Stadt, Land"] == 'two\nlines, "quoted"\r'
    assert people[BEA]["attributes.=sum"] == "'+1"
    key_of = app.site.keyring.suppression_key
    kept_out = {
        (row["key"], row["reason"], row["list"], row["email"]) for row in rows_of(tmp_path / "out/suppressions.csv")
    }
    assert {
        (key_of(EMMA), "left", "appeals", EMMA),
        (key_of(BEA), "paused", "appeals", BEA),
        (key_of(MALLORY), "never", "everywhere", MALLORY),
    } <= kept_out
    lines = [json.loads(line) for line in (tmp_path / "out/consent.jsonl").read_text().splitlines()]
    assert [line["act"] for line in lines if line["address"] == EMMA] == ["imported", "left"]
    (rosas,) = [line for line in lines if line["address"] == ROSA]
    assert rosas["evidence"] == {"file": "people.csv", "by": ADMIN.name, "import": 1}
    assert [line["at"] for line in lines] == sorted(line["at"] for line in lines)


async def test_an_export_has_settings_letters_and_reports_but_neither_secret_nor_tokens(
    app: App, relay: FakeRelay, tmp_path: Path
) -> None:
    await fill(app)

    await export_all(app, ADMIN, list_name=None, folder=tmp_path / "out")

    out = tmp_path / "out/appeals"
    settings = tomllib.loads((out / "list.toml").read_text())
    assert (settings["zone"], settings["testers"]) == ("Europe/Berlin", ["ada@example.org"])
    assert rows_of(out / "campaigns/1/report.csv")[0] == {
        "address": ROSA,
        "state": "accepted",
        "attempts": "1",
        "code": "250",
        "reply": rows_of(out / "campaigns/1/report.csv")[0]["reply"],
    }
    (letter,) = out.glob("campaigns/1/*.eml")
    shown = message_from_bytes(letter.read_bytes())
    (sent,) = [message_from_bytes(one.content) for one in relay.letters if one.recipient == ROSA]
    assert (shown["Message-ID"], shown["Date"]) == (sent["Message-ID"], sent["Date"])
    assert "xxxxxxxxxxxxxxxxxxxxxxxxxxxxx" in letter.read_text()
    assert "bring **your own** seeds" in next(out.glob("campaigns/1/*.md")).read_text()
    assert "Apostroph" in (out / "README.txt").read_text()
    files = [one for one in (tmp_path / "out").rglob("*") if one.is_file()]
    tokens = [sign_token(app.site.keyring, Purpose.LEAVE, number) for number in range(1, 5)]
    for one in files:
        assert one.stat().st_mode & 0o777 == 0o600, one
        assert not [token for token in tokens if token in one.read_text()], one


async def test_a_filled_folder_is_refused_and_a_broken_export_leaves_nothing(
    app: App, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await fill(app)
    (tmp_path / "filled").mkdir()
    (tmp_path / "filled/notes.txt").write_text("mine")

    with pytest.raises(AlreadyExists, match=r"notes\.txt is in it"):
        await export_all(app, ADMIN, list_name="appeals", folder=tmp_path / "filled")
    monkeypatch.setattr(module, "write_list_file", _full_disk)
    with pytest.raises(ExportFailed, match="No space left"):
        await export_all(app, ADMIN, list_name="appeals", folder=tmp_path / "out")

    assert names_in(tmp_path / "filled") == {"notes.txt"}
    assert not [name for name in names_in(tmp_path) if "out" in name]


async def _full_disk(*_: object) -> str:
    raise OSError(28, "No space left on device")
