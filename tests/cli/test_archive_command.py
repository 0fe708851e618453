"""The archive on the command line: who may read a list's letters, and whether one of them is in it."""

from __future__ import annotations

import json

import pytest

from mailer.actions.campaigns.launch import launch_due
from mailer.actions.campaigns.schedule import send_now
from mailer.app import App
from tests.support.app_helpers import ADMIN, ROSA, import_rows, send_campaigns
from tests.support.fake_relay import FakeRelay
from tests.support.terminal import Terminal

SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@SQLITE
async def test_ada_opens_the_archive_and_takes_a_letter_out(ada: Terminal, app: App, relay: FakeRelay) -> None:
    await import_rows(app, f"{ROSA},Rosa,en")
    number = ada("campaign", "new", "appeal.md", "--list", "appeals").strip()
    await send_now(app, ADMIN, int(number), wait_s=0)
    await launch_due(app)
    await send_campaigns(app)

    ada("campaign", "archive", number, "--on", code=1)
    refused = ada.said
    ada("list", "set", "appeals", "--archive", "public")
    opened = ada.said
    out = json.loads(ada("campaign", "archive", number, "--off", "--json"))
    ada("campaign", "archive", number, "--list")
    back = ada.said

    assert "`mailer list set appeals --archive public` opens one" in refused
    assert "on the web its letters are read by everybody, at /archive/appeals" in opened
    assert out == {"id": 1, "archived": False, "archive": "off", "url": None}
    assert "Campaign 1: everybody may read its letter: http" in back
    assert back.rstrip().endswith("/archive/appeals/1-letter.")
    assert json.loads(ada("list", "show", "appeals", "--json"))[0]["archive"] == "public"


@SQLITE
def test_one_of_the_three_is_to_be_said(ada: Terminal) -> None:
    ada("campaign", "archive", "1", code=2)
    ada("campaign", "archive", "1", "--on", "--off", code=2)
    ada("list", "set", "appeals", "--archive", "everybody", code=2)
