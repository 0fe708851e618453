"""Controlling a campaign on the command line: correct, retry, settle, spread, status."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from mailer.actions.campaigns.launch import launch_due
from mailer.actions.campaigns.pause_resume_cancel import pause
from mailer.actions.campaigns.schedule import send_now
from mailer.app import App
from mailer.cli.campaign_progress_bar import poll_interval_s
from mailer.store.queue import lane_holds
from mailer.store.queue.lane_holds import Hold
from tests.support.app_helpers import ADMIN, APPEAL, EMMA, ROSA, import_rows, send_campaigns
from tests.support.fake_relay import FakeRelay
from tests.support.terminal import Terminal

BETTER = APPEAL.replace("bring **your own** seeds", "bring *nothing*")
TOWNS = """---
subject: Tea
---
Come{% if town == "Ankara" %} to the house in Ankara{% endif %}.
"""


SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
"""What is told at the terminal does not depend on the database."""


@pytest.fixture
def ada(ada: Terminal) -> Terminal:
    """Ada at her terminal, with two texts more."""
    (ada.folder / "better.md").write_text(BETTER)
    (ada.folder / "towns.md").write_text(TOWNS)
    return ada


@SQLITE
async def test_ada_retries_failed_and_settles_uncertain_letters(ada: Terminal, app: App, relay: FakeRelay) -> None:
    await import_rows(app, f"{ROSA},Rosa,en", f"{EMMA},Emma,en")
    number = ada("campaign", "new", "appeal.md", "--list", "appeals", "--if-uncertain", "park").strip()
    relay.drops("dot", address=ROSA)
    relay.answers("rcpt", "550 5.1.1 nobody here", address=EMMA)
    await send_now(app, ADMIN, int(number), wait_s=0)
    await launch_due(app)
    await send_campaigns(app)
    relay.forget_orders()

    before = ada("campaign", "report", number)
    retried = json.loads(ada("campaign", "retry", number, "--json"))
    await send_campaigns(app)
    settled = json.loads(ada("campaign", "settle", number, "--as", "accepted", "--json"))
    ada("campaign", "settle", number, "--as", "failed")
    again = ada.said
    after = ada("campaign", "report", number)

    assert before.splitlines() == ["failed     1", "uncertain  1", "audience   2"]
    assert retried == {"id": 1, "state": "sending", "letters": 1}
    assert settled == {"id": 1, "state": "sent", "letters": 1}
    assert again == "Campaign 1 is sent. Letters that count as failed: 0.\n"
    assert after.splitlines() == ["accepted   2", "audience   2"]


@SQLITE
async def test_ada_corrects_a_draft_and_a_paused_campaign_and_a_sending_one_tells_her_to_pause_it(
    ada: Terminal, app: App, relay: FakeRelay
) -> None:
    await import_rows(app, f"{ROSA},Rosa,en")
    number = ada("campaign", "new", "appeal.md", "--list", "appeals").strip()

    ada("campaign", "correct", number, "better.md")
    output = ada.said
    shown = json.loads(ada("campaign", "show", number, "--json"))
    await send_now(app, ADMIN, int(number), wait_s=0)
    await launch_due(app)
    ada("campaign", "correct", number, "appeal.md", code=1)
    refused = ada.said
    await pause(app, ADMIN, int(number))
    corrected = json.loads(ada("campaign", "correct", number, "appeal.md", "--json"))

    assert output == "Campaign 1 has new texts (en); it is draft.\n"
    assert shown == {"id": 1, "editions": [{"language": "en", "text": BETTER}]}
    assert "campaign 1 is sending: pause it first" in refused
    assert (corrected["state"], corrected["corrections"], corrected["languages"]) == ("paused", 2, ["en"])


@SQLITE
async def test_the_status_names_held_lanes_and_the_reason(ada: Terminal, app: App, relay: FakeRelay) -> None:
    await import_rows(app, f"{ROSA},Rosa,en")
    number = ada("campaign", "new", "appeal.md", "--list", "appeals").strip()
    await send_now(app, ADMIN, int(number), wait_s=0)
    await launch_due(app)
    hold = Hold(lane="example.org", until=app.clock() + timedelta(minutes=5), reason="421 too fast")
    await app.database.write(lane_holds.set_hold, hold, app.clock())

    words = ada("campaign", "status", number)
    report = ada("campaign", "report", number)
    output = json.loads(ada("campaign", "status", number, "--json"))

    line = "example.org is held until 2027-03-01 08:05:00 UTC: 421 too fast"
    assert words.splitlines()[1:] == [line]
    assert report.splitlines() == ["queued     1", "audience   1", line]
    assert output["held"] == [{"lane": "example.org", "until": "2027-03-01 08:05:00+00:00", "reason": "421 too fast"}]


@SQLITE
def test_ada_sees_each_branch_of_her_text(ada: Terminal) -> None:
    number = ada("campaign", "new", "towns.md", "--list", "appeals").strip()

    plain = ada("campaign", "preview", number)
    letter = json.loads(
        ada("campaign", "preview", number, "--attribute", "Town=Ankara", "--attribute", "x=1", "--json")
    )
    ada("campaign", "preview", number, "--attribute", "town", code=2)

    assert "Ankara" not in plain
    assert "Come to the house in Ankara." in letter["text"]
    assert "to the house in Ankara" in letter["html"]
    assert (letter["subject"], letter["recipient"]) == ("Tea", "owner@example.org")
    assert letter["eml"].startswith("From: ")
    assert "like town=Ankara" in ada.said


@SQLITE
def test_ada_spreads_a_blast(ada: Terminal) -> None:
    number = ada("campaign", "new", "appeal.md", "--list", "appeals").strip()
    hour = ("--at", "2027-03-01T09:00", "--zone", "Europe/Berlin")

    ada("campaign", "schedule", number, *hour, "--over", "2h30m")
    output = ada.said
    ada("campaign", "schedule", number, *hour, "--over", "6 hours", code=2)
    not_a_span = ada.said
    ada("campaign", "send", number, "--over", "8d", code=2)
    too_long = ada.said
    scheduled = json.loads(ada("campaign", "send", number, "--over", "45s", "--json"))

    assert "2027-03-01T09:00:00 Europe/Berlin, spread over 2:30:00." in output
    assert "is not a duration like 6h, 90m or 2h30m" in not_a_span
    assert "not between a second and 7 days" in too_long
    assert scheduled["over_s"] == 45


def test_watching_loads_the_database_a_tenth_of_the_time_at_most() -> None:
    assert poll_interval_s(0.01) == 0.5
    assert poll_interval_s(2.0) == 18.0
