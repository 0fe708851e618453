"""Organisers on the command line: added, shown, let in, removed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.test_main import Terminal


@pytest.fixture
def terminal(tmp_path: Path) -> Terminal:
    """After `mailer init`, with Ada's list."""
    found = Terminal(tmp_path)
    found("init")
    found("list", "add", "appeals", "--name", "Open Appeals", "--owner", "ada@example.org")
    return found


def test_organisers_are_added_shown_and_removed(terminal: Terminal) -> None:
    terminal("organiser", "add", "ada@example.org", "--role", "owner", "--name", "Ada", "--zone", "Europe/Berlin")
    assert "ada@example.org is an organiser now (owner)" in terminal.said
    terminal("organiser", "add", "emma@example.org", "--role", "editor", "--list", "appeals", "--speaks", "tr")
    terminal("organiser", "add", "emma@example.org", "--role", "translator", "--language", "de")

    assert terminal("organiser", "ls").splitlines() == [
        "ada@example.org\tAda\ten\tEurope/Berlin\towner of the site",
        "emma@example.org\t\ttr\tUTC\ttranslator (de) of the site, editor of appeals",
    ]
    (emma, _) = json.loads(terminal("organiser", "ls", "--list", "appeals", "--json"))[::-1]
    assert [(role["role"], role["list_name"]) for role in emma["roles"]] == [
        ("translator", None),
        ("editor", "appeals"),
    ]

    terminal("organiser", "remove", "emma@example.org", "--role", "editor", "--list", "appeals")
    assert "lost the role" in terminal.said
    terminal("organiser", "remove", "emma@example.org")
    terminal("organiser", "remove", "ada@example.org", code=1)
    assert "only owner of the whole site" in terminal.said
    assert len(terminal("organiser", "ls").splitlines()) == 1


def test_a_link_is_printed_for_an_organiser_only(terminal: Terminal) -> None:
    terminal("organiser", "login", "ada@example.org", code=1)
    assert "`mailer organiser add` makes one" in terminal.said
    terminal("organiser", "add", "ada@example.org", "--role", "owner")

    link = terminal("organiser", "login", "ADA@example.org")

    assert link.startswith("http://127.0.0.1:8080/console/sign-in/link/")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("add", "emma@example.org", "--role", "translator"), "needs the language"),
        (("add", "emma@example.org", "--role", "queen"), "queen"),
        (("add", "emma@example.org", "--role", "viewer", "--zone", "Berlin"), "not a time zone"),
        (("remove", "emma@example.org", "--list", "appeals"), "say --role, too"),
    ],
)
def test_what_cannot_be_is_said_and_exits_with_2(terminal: Terminal, words: tuple[str, ...], said: str) -> None:
    terminal("organiser", *words, code=2)

    assert said in terminal.said
