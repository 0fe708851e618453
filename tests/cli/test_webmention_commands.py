"""On the command line: what was said to link to letters is listed, accepted and rejected."""

from __future__ import annotations

import json

import pytest
from sqlalchemy import Connection

from mailer.app import App
from mailer.store.letters import webmentions
from tests.support.app_helpers import ROSA, import_rows, launch_campaign
from tests.support.fake_relay import FakeRelay
from tests.support.terminal import Terminal


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_mentions_are_listed_accepted_and_rejected(ada: Terminal, app: App, relay: FakeRelay) -> None:
    await import_rows(app, f"{ROSA},Rosa,en")
    await launch_campaign(app)
    await app.database.write(_add_mentions, app)

    waiting = ada("webmention", "ls", "--waiting").splitlines()
    ada("webmention", "accept", "1")
    accepted = ada.said
    rejected = json.loads(ada("webmention", "reject", "2", "--json"))
    listed = json.loads(ada("webmention", "ls", "--json"))

    assert waiting == [
        f"{number}\twaiting\tcampaign 1\tNotes {number}\thttps://forum.example.org/{number}" for number in (2, 1)
    ]
    assert accepted == "Webmention 1 is accepted.\n"
    assert (rejected["id"], rejected["state"]) == (2, "rejected")
    assert [(one["id"], one["state"]) for one in listed] == [(2, "rejected"), (1, "accepted")]
    ada("webmention", "accept", "3", code=1)
    assert ada("webmention", "ls", "--waiting") == ""


def _add_mentions(tx: Connection, app: App) -> None:
    for number in (1, 2):
        source, target = f"https://forum.example.org/{number}", f"{app.site.url}/archive/appeals/1-seeds"
        webmentions.receive(tx, campaign_id=1, source=source, target=target, now=app.clock())
        (mention,) = webmentions.list_due(tx, app.clock(), 1)
        webmentions.record_verified(tx, mention.id, f"Notes {number}", app.clock())
