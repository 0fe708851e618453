"""The languages of a campaign on the command line: editions, up-to-date, approve, alone, rest."""

from __future__ import annotations

import json

import pytest

from mailer.actions.campaigns.launch import launch_due
from mailer.app import App
from tests.support.app_helpers import import_rows, recipients, send_campaigns
from tests.support.fake_relay import FakeRelay
from tests.support.terminal import Terminal

SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def _text(tag: str, words: str = "One evening") -> str:
    return f"---\nsubject: Come ({tag})\nlanguage: {tag}\n---\n\n{words}, in {tag}.\n"


@pytest.fixture
def ada(ada: Terminal) -> Terminal:
    """Ada at her terminal, with texts in three languages."""
    for tag in ("en", "pt", "tr"):
        (ada.folder / f"{tag}.md").write_text(_text(tag))
    return ada


@SQLITE
async def test_who_gets_which_edition_and_why_is_said_before_anything_is_sent(ada: Terminal, app: App) -> None:
    rows = ("eva@example.org,,en", "pia@example.org,,pt-br", "rui@example.org,,pt-br", "kawa@example.org,,ku")
    await import_rows(app, *rows, "nil@example.org,,")
    number = ada("campaign", "new", "en.md", "pt.md", "tr.md", "--list", "appeals").strip()
    (ada.folder / "en.md").write_text(_text("en", "Two evenings"))
    ada("campaign", "correct", number, "en.md")
    ada("campaign", "up-to-date", number, "--language", "tr")
    ada("campaign", "approve", number, "--language", "pt")

    said = ada("campaign", "editions", number)
    shown = json.loads(ada("campaign", "editions", number, "--json"))

    assert said == (
        "en\tready\tsent\tnot approved\t3 readers\n"
        "\t1 of unknown language\n"
        "\t1 read it\n"
        "\t1 read ku, which has no edition: the list's language\n"
        "pt\tstale\tsent\tnot approved\t2 readers\n"
        "\t2 read pt-br\n"
        "tr\tready\tsent\tnot approved\t0 readers\n"
    )
    assert (shown["readers"], [one["status"] for one in shown["editions"]]) == (5, ["ready", "stale", "ready"])
    assert shown["editions"][1]["groups"] == [{"language": "pt-br", "fallback": "broader", "readers": 2}]
    stale = "warning   edition (pt): en was changed after this edition; bring pt up to date, then say so\n"
    assert stale in ada("campaign", "check", number, "--quick")


@SQLITE
async def test_one_edition_is_sent_alone_and_the_others_later(ada: Terminal, app: App, relay: FakeRelay) -> None:
    await import_rows(app, "eva@example.org,,en", "tuna@example.org,,tr", "pia@example.org,,pt")
    number = ada("campaign", "new", "en.md", "pt.md", "tr.md", "--list", "appeals").strip()

    sent = json.loads(ada("campaign", "send", number, "--now", "--language", "en", "--anyway", "a trial", "--json"))
    ada("campaign", "schedule", number, "--at", "2027-03-01T08:00", "--zone", "UTC", "--anyway", "a trial")
    await launch_due(app)
    await send_campaigns(app)
    others = ada("campaign", "rest", number).strip()
    ada("campaign", "rest", number, code=1)
    at = ("--at", "2027-03-02T09:00", "--zone", "UTC", "--anyway", "a trial", "--json")
    ada("campaign", "schedule", others, *at, "--language", "tr", "--all-editions", code=2)
    scheduled = json.loads(ada("campaign", "schedule", others, *at))
    for_all = json.loads(ada("campaign", "schedule", others, *at, "--all-editions", "--not-already-mailed-by", "0"))

    assert recipients(relay) == ["eva@example.org"]
    assert (sent["reach"], sent["languages"]) == (1, ["en"])
    assert (scheduled["languages"], scheduled["not_mailed_by"]) == (["pt", "tr"], int(number))
    assert (for_all["languages"], for_all["not_mailed_by"]) == (None, None)
