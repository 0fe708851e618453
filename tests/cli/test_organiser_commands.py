"""Organisers on the command line: added, shown, let in, removed."""

from __future__ import annotations

import json

import pytest

from tests.support.terminal import Terminal


def test_organisers_are_added_shown_and_removed(with_list: Terminal) -> None:
    with_list("organiser", "add", "ada@example.org", "--role", "owner", "--name", "Ada", "--zone", "Europe/Berlin")
    assert "ada@example.org is an organiser now (owner)" in with_list.said
    with_list("organiser", "add", "emma@example.org", "--role", "editor", "--list", "appeals", "--speaks", "tr")
    with_list("organiser", "add", "emma@example.org", "--role", "translator", "--language", "de")

    assert with_list("organiser", "ls").splitlines() == [
        "ada@example.org\tAda\ten\tEurope/Berlin\towner of the site",
        "emma@example.org\t\ttr\tUTC\ttranslator (de) of the site, editor of appeals",
    ]
    (emma, _) = json.loads(with_list("organiser", "ls", "--list", "appeals", "--json"))[::-1]
    assert [(role["role"], role["list_name"]) for role in emma["roles"]] == [
        ("translator", None),
        ("editor", "appeals"),
    ]

    with_list("organiser", "remove", "emma@example.org", "--role", "editor", "--list", "appeals")
    assert "lost the role" in with_list.said
    with_list("organiser", "remove", "emma@example.org")
    with_list("organiser", "remove", "ada@example.org", code=1)
    assert "only owner of the whole site" in with_list.said
    assert len(with_list("organiser", "ls").splitlines()) == 1


def test_a_link_is_printed_for_an_organiser_only(with_list: Terminal) -> None:
    with_list("organiser", "login", "ada@example.org", code=1)
    assert "`mailer organiser add` makes one" in with_list.said
    with_list("organiser", "add", "ada@example.org", "--role", "owner")

    link = with_list("organiser", "login", "ADA@example.org")

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
def test_what_cannot_be_is_said_and_exits_with_2(with_list: Terminal, words: tuple[str, ...], said: str) -> None:
    with_list("organiser", *words, code=2)

    assert said in with_list.said
