"""Organisers' templates on the command line: begun from an example, checked, kept, shown and removed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.support.own_templates import LINE_IN_HTML, OWN_HTML, with_line
from tests.support.terminal import Terminal


@pytest.mark.parametrize("kind", [[], ["--mjml"]])
def test_the_example_is_kept_and_a_letter_has_it(with_list: Terminal, tmp_path: Path, kind: list[str]) -> None:
    (tmp_path / "own.html").write_text(with_list("template", "example", *kind))

    with_list("template", "check", "own.html")
    assert "Every sample letter can be written with it." in with_list.said
    with_list("template", "new", "orchard", "own.html")
    assert "template: orchard (version 1)" in with_list.said
    (tmp_path / "walk.md").write_text("---\ntemplate: orchard\nsubject: A walk\n---\nCome.\n")
    number = with_list("campaign", "new", "walk.md", "--list", "appeals").strip()
    assert "Leave this list" in with_list("campaign", "preview", number, "--as", "html")

    assert with_list("template", "show", "orchard") == (tmp_path / "own.html").read_text()
    names = [one["name"] for one in json.loads(with_list("template", "ls", "--json"))]
    assert {"appeal", "orchard"} <= set(names)
    assert "orchard\tversion 1\t" in with_list("template", "ls")


def test_all_mistakes_are_named_with_their_lines(with_list: Terminal, tmp_path: Path) -> None:
    (tmp_path / "own.html").write_text(with_line("<script></script>\n{{ leed }}"))

    with_list("template", "check", "own.html", code=1)
    assert f"error: line {LINE_IN_HTML}: <script> cannot stand in a template" in with_list.said
    assert f"error: line {LINE_IN_HTML + 1}: there is no value called leed" in with_list.said
    found = json.loads(with_list("template", "check", "own.html", "--json", code=1))
    assert [one["line"] for one in found] == [LINE_IN_HTML, LINE_IN_HTML + 1]
    assert {one["severity"] for one in found} == {"error"}

    with_list("template", "new", "orchard", "own.html", code=1)
    assert f"line {LINE_IN_HTML}: <script> cannot stand" in with_list.said
    assert "orchard" not in with_list("template", "ls")


@pytest.mark.slow
def test_doubts_are_told_and_versions_kept(with_list: Terminal, tmp_path: Path) -> None:
    file = tmp_path / "own.html"
    file.write_text(OWN_HTML.replace("color:{{ colors.link }}", "color:#eee"))
    with_list("template", "new", "orchard", "own.html")
    assert "warning: hard to read: “Say that you come”" in with_list.said
    file.write_text(OWN_HTML)
    second = json.loads(with_list("template", "new", "orchard", "own.html", "--json"))

    shown = json.loads(with_list("template", "show", "orchard", "--json"))

    assert (second["version"], [one["version"] for one in shown["versions"]]) == (2, [2, 1])
    assert "#eee" in with_list("template", "show", "orchard", "--version", "1")
    with_list("template", "rm", "orchard")
    with_list("template", "rm", "orchard", code=1)
    assert "there is no template of yours called 'orchard'" in with_list.said
    with_list("template", "rm", "appeal", code=1)
