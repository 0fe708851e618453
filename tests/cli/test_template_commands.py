"""Organisers' templates on the command line: begun from an example, checked, kept, shown and removed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.test_main import Terminal
from tests.support.own_templates import LINE_IN_HTML, OWN_HTML, with_line


@pytest.fixture
def terminal(tmp_path: Path) -> Terminal:
    """After `mailer init`, with Ada's list."""
    found = Terminal(tmp_path)
    found("init")
    found("list", "add", "appeals", "--name", "Open Appeals", "--owner", "ada@example.org")
    return found


@pytest.mark.parametrize("kind", [[], ["--mjml"]])
def test_the_example_is_kept_and_a_letter_has_it(terminal: Terminal, tmp_path: Path, kind: list[str]) -> None:
    (tmp_path / "own.html").write_text(terminal("template", "example", *kind))

    terminal("template", "check", "own.html")
    assert "Every sample letter can be written with it." in terminal.said
    terminal("template", "new", "orchard", "own.html")
    assert "template: orchard (version 1)" in terminal.said
    (tmp_path / "walk.md").write_text("---\ntemplate: orchard\nsubject: A walk\n---\nCome.\n")
    number = terminal("campaign", "new", "walk.md", "--list", "appeals").strip()
    assert "Leave this list" in terminal("campaign", "preview", number, "--as", "html")

    assert terminal("template", "show", "orchard") == (tmp_path / "own.html").read_text()
    names = [one["name"] for one in json.loads(terminal("template", "ls", "--json"))]
    assert {"appeal", "orchard"} <= set(names)
    assert "orchard\tversion 1\t" in terminal("template", "ls")


def test_all_mistakes_are_named_with_their_lines(terminal: Terminal, tmp_path: Path) -> None:
    (tmp_path / "own.html").write_text(with_line("<script></script>\n{{ leed }}"))

    terminal("template", "check", "own.html", code=1)
    assert f"error: line {LINE_IN_HTML}: <script> cannot stand in a template" in terminal.said
    assert f"error: line {LINE_IN_HTML + 1}: there is no value called leed" in terminal.said
    found = json.loads(terminal("template", "check", "own.html", "--json", code=1))
    assert [one["line"] for one in found] == [LINE_IN_HTML, LINE_IN_HTML + 1]
    assert {one["severity"] for one in found} == {"error"}

    terminal("template", "new", "orchard", "own.html", code=1)
    assert f"line {LINE_IN_HTML}: <script> cannot stand" in terminal.said
    assert "orchard" not in terminal("template", "ls")


@pytest.mark.slow
def test_doubts_are_told_and_versions_kept(terminal: Terminal, tmp_path: Path) -> None:
    file = tmp_path / "own.html"
    file.write_text(OWN_HTML.replace("color:{{ colors.link }}", "color:#eee"))
    terminal("template", "new", "orchard", "own.html")
    assert "warning: hard to read: “Say that you come”" in terminal.said
    file.write_text(OWN_HTML)
    second = json.loads(terminal("template", "new", "orchard", "own.html", "--json"))

    shown = json.loads(terminal("template", "show", "orchard", "--json"))

    assert (second["version"], [one["version"] for one in shown["versions"]]) == (2, [2, 1])
    assert "#eee" in terminal("template", "show", "orchard", "--version", "1")
    terminal("template", "rm", "orchard")
    terminal("template", "rm", "orchard", code=1)
    assert "there is no template of yours called 'orchard'" in terminal.said
    terminal("template", "rm", "appeal", code=1)
