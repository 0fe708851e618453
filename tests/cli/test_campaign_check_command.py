"""`mailer campaign check`: a table that people read, JSON for programs, and an exit code for both."""

from __future__ import annotations

import asyncio
import json

import pytest

from mailer.actions.campaigns.drafts import save_draft
from mailer.app import App
from tests.support.app_helpers import ADMIN, ROSA, import_rows
from tests.support.fake_relay import FakeRelay
from tests.support.terminal import Terminal

DOUBTFUL = "---\nsubject: Come\n---\nDear all, come to the orchard, TK\n"
SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
"""What is told at the terminal does not depend on the database."""


@pytest.fixture
def ada(ada: Terminal, relay: FakeRelay) -> Terminal:
    """Ada at her terminal, with a doubtful text besides, and a relay that answers."""
    ada.replace_setting("port = 25\n", f"port = {relay.port}\n")
    (ada.folder / "doubtful.md").write_text(DOUBTFUL)
    return ada


@SQLITE
async def test_the_gravest_comes_first_with_what_helps_below_it(ada: Terminal, app: App) -> None:
    await import_rows(app, f"{ROSA},Rosa,en")
    number = ada("campaign", "new", "doubtful.md", "--list", "appeals").strip()

    # In a thread: the relay that it asks is in our event loop.
    lines = (await asyncio.to_thread(ada, "campaign", "check", number)).splitlines()

    assert "warning   doubt (en, line 4): TK was left in the text" in lines
    assert lines.index("warning   doubt (en, line 4): TK was left in the text") < lines.index(
        "fine      audience: people who would get it: 1"
    )
    footer = lines.index("warning   footer: the letters have no postal address, which many countries require")
    assert lines[footer + 1] == '          mailer list set appeals --postal-address "…"'
    assert any(line.startswith("fine      relay: relay 127.0.0.1:") for line in lines)
    assert any(line.startswith("-         not checked: a spam filter's score") for line in lines)


@SQLITE
async def test_it_exits_with_1_when_something_blocks_and_json_says_what(ada: Terminal, app: App) -> None:
    number = ada("campaign", "new", "doubtful.md", "--list", "appeals").strip()
    await save_draft(app, ADMIN, int(number), "en", version=0, fields={"lead": "{{ town }}", "body": "{{ name }} ???"})

    found = json.loads(ada("campaign", "check", number, "--json", "--quick", code=1))

    assert (found["id"], found["blocks"], found["readers"]) == (int(number), True, 0)
    errors = [(one["severity"], one["rule"], one["edition"], one["line"]) for one in found["results"] if one["line"]]
    assert errors == [("blocking", "text", "en", 3), ("blocking", "text", "en", 5), ("warning", "doubt", "en", 5)]
    assert [one["message"] for one in found["results"] if one["rule"] == "audience"] == [
        "nobody would get it: the list has no confirmed reader"
    ]
    assert len(found["left_out"]) == 1


@SQLITE
async def test_links_and_quick_exclude_each_other_and_a_campaign_must_exist(ada: Terminal) -> None:
    ada("campaign", "check", "1", "--quick", "--links", code=2)
    ada("campaign", "check", "1", code=1)


@SQLITE
async def test_what_blocks_refuses_the_hour_unless_one_says_why(ada: Terminal, app: App) -> None:
    await import_rows(app, f"{ROSA},Rosa,en")
    (ada.folder / "leftover.md").write_text("---\nsubject: Come\n---\nWe write `*|FNAME|*` no more.\n")
    number = ada("campaign", "new", "leftover.md", "--list", "appeals").strip()
    at = ("--at", "2099-03-02T09:00", "--zone", "UTC")

    ada("campaign", "schedule", number, *at, code=1)
    scheduled = json.loads(ada("campaign", "schedule", number, *at, "--anyway", "It is about them.", "--json"))

    assert scheduled["anyway_reason"] == "It is about them."
    assert "It is about them." in ada("audit", "--json")
