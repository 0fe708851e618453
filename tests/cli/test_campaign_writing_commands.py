"""Before a campaign is sent, on the command line: test, approve, again, correct from drafts."""

from __future__ import annotations

import json

import pytest

from mailer.actions.campaigns.drafts import load_draft, save_draft
from mailer.app import App
from tests.support.app_helpers import ADA, ADMIN, ROSA, import_rows, parse_letter, send_notices
from tests.support.fake_relay import FakeRelay
from tests.support.terminal import Terminal

BROKEN = "---\nsubject: Come\n---\nDear all, TK\n"
SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
"""What is told at the terminal does not depend on the database."""


@pytest.fixture
def ada(ada: Terminal) -> Terminal:
    """Ada at her terminal, with a broken text besides."""
    (ada.folder / "broken.md").write_text(BROKEN)
    return ada


@SQLITE
async def test_test_letters_go_to_the_testers_or_to_whom_one_names(ada: Terminal, app: App, relay: FakeRelay) -> None:
    number = ada("campaign", "new", "appeal.md", "--list", "appeals").strip()
    ada("campaign", "test", number, code=1)
    ada("list", "set", "appeals", "--tester", ROSA)

    ada("campaign", "test", number)
    sent = json.loads(ada("campaign", "test", number, "--to", ADA, "--language", "en", "--json"))
    await send_notices(app)

    assert sent == {"id": int(number), "letters": 1}
    assert {one.recipient for one in relay.letters} == {ROSA, ADA}
    assert {str(parse_letter(one)["Subject"]) for one in relay.letters} == {"[Test] Come to the harvest forum"}


@SQLITE
async def test_what_was_written_in_the_console_is_shown_and_scheduled_by_commands(ada: Terminal, app: App) -> None:
    number = ada("campaign", "new", "appeal.md", "--list", "appeals").strip()
    ada("campaign", "schedule", number, "--at", "2099-03-02T09:00", "--zone", "Europe/Berlin", code=2)
    await save_draft(
        app, ADMIN, int(number), "en", version=0, fields={"subject": "Mended", "event_starts": "2099-05-05"}
    )

    shown = ada("campaign", "show", number)
    previewed = ada("campaign", "preview", number, "--as", "eml")
    ada("campaign", "schedule", number, "--at", "2099-03-02T09:00", "--zone", "Europe/Berlin", "--anyway", "a trial")

    assert "subject: Mended\n" in shown
    assert "Subject: Mended" in previewed
    assert (await load_draft(app, ADMIN, int(number))).edition.is_frozen


@SQLITE
async def test_again_prints_the_id_of_a_new_draft_and_approve_agrees_to_its_texts(ada: Terminal, app: App) -> None:
    number = ada("campaign", "new", "appeal.md", "--list", "appeals").strip()

    new = ada("campaign", "again", number).strip()
    approved = json.loads(ada("campaign", "approve", new, "--json"))

    assert (int(new), approved) == (int(number) + 1, {"id": int(new), "approved": True, "languages": None})
    assert ada("campaign", "show", new) == ada("campaign", "show", number)


@SQLITE
async def test_correct_without_files_takes_the_drafts(ada: Terminal, app: App) -> None:
    await import_rows(app, f"{ROSA},Rosa,en", list_name="appeals")
    number = ada("campaign", "new", "broken.md", "--list", "appeals").strip()
    ada("campaign", "schedule", number, "--at", "2099-03-02T09:00", "--zone", "UTC", "--anyway", "a trial")
    await save_draft(app, ADMIN, int(number), "en", version=0, fields={"body": "Mended."})

    done = json.loads(ada("campaign", "correct", number, "--json"))
    again = json.loads(ada("campaign", "correct", number, "--json"))

    assert (done["languages"], done["corrections"], again["languages"]) == (["en"], 1, [])
