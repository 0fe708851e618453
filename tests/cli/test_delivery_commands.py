"""On the command line: the letters that somebody got, to the octet, and how a draft will look to them."""

from __future__ import annotations

import json

import pytest

from mailer.app import App
from tests.support.app_helpers import (
    ADA,
    BEA,
    ROSA,
    import_rows,
    launch_campaign,
    send_campaigns,
    text_of,
)
from tests.support.fake_relay import FakeRelay
from tests.support.terminal import Terminal

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


async def test_a_delivery_is_shown_as_text_and_as_facts_and_its_settings_differ(
    ada: Terminal, app: App, relay: FakeRelay
) -> None:
    await import_rows(app, f"{ROSA},Rosa,en", f"{BEA},Bea,en")
    relay.answers("rcpt", "550 5.1.1 no such person", address=BEA)
    number = str(await launch_campaign(app))
    await send_campaigns(app)

    facts = ada("delivery", "show", ROSA, "--campaign", number)
    remarks = ada.said
    raw = ada("delivery", "show", ROSA, "--campaign", number, "--raw")
    html = ada("delivery", "show", ROSA, "--campaign", number, "--html")
    as_json = json.loads(ada("delivery", "show", BEA, "--campaign", number, "--json"))

    assert f"campaign\t{number}\tCome to the harvest forum\nto\t{ROSA}\nstate\taccepted\nattempts\t1\n" in facts
    assert "dated\t2027-03-01 08:00:00 UTC\n" in facts
    assert "Dear Rosa" in facts
    # The settings of the terminal are others than those of the service that sent it.
    assert "It may differ in some octets from what was sent: the site's url was https://lists.example.org" in remarks
    assert raw.startswith('From: "Open Appeals"')
    assert "<strong>your own</strong>" in html
    assert (as_json["state"], as_json["code"], as_json["reply"]) == ("failed", 550, "5.1.1 no such person")
    assert as_json["letter"]["recipient"] == BEA
    assert "Dear Rosa" in text_of(relay.letters[0])
    ada("delivery", "show", ROSA, "--campaign", number, "--raw", "--html", code=2)
    ada("delivery", "show", ADA, "--campaign", number, code=1)
    assert "is not and was not on the list" in ada.said


async def test_the_letters_of_a_person_are_listed(ada: Terminal, app: App, relay: FakeRelay) -> None:
    await import_rows(app, f"{ROSA},Rosa,en")
    await launch_campaign(app)
    await launch_campaign(app)
    await send_campaigns(app)

    lines = ada("delivery", "ls", ROSA).splitlines()
    listed = json.loads(ada("delivery", "ls", ROSA, "--json"))

    assert [line.split("\t")[1:4] for line in lines] == [
        ["accepted", f"campaign {number}", "Come to the harvest forum"] for number in (2, 1)
    ]
    assert [(one["campaign_id"], one["list"]) for one in listed] == [(2, "appeals"), (1, "appeals")]
    ada("delivery", "ls", "nobody@example.org", code=1)


async def test_a_draft_is_previewed_for_a_reader_and_said_to_be_for_none(ada: Terminal, app: App) -> None:
    await import_rows(app, f"{ROSA},Rosa,en")
    number = ada("campaign", "new", "appeal.md", "--list", "appeals").strip()

    of_rosa = ada("campaign", "preview", number, "--to", ROSA)
    assert ada.said == ""
    of_nobody = ada("campaign", "preview", number, "--to", BEA, "--as", "source")

    assert "Dear Rosa" in of_rosa
    assert of_nobody.startswith('From: "Open Appeals"')
    assert "is not a confirmed reader of the list" in ada.said
    ada("campaign", "preview", number, "--edition", "xx", code=1)
    ada("campaign", "preview", number, "--as", "pdf", code=2)
