"""Every command and option that README, docs, messages and settings name exists."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import typer

from mailer.cli.main import command
from tests.support.app_helpers import ROOT
from tests.support.shell_blocks import blocks, pages

TREE: Any = typer.main.get_command(command)
FILES = [
    *pages(),
    *sorted((ROOT / "mailer").rglob("*.py")),
    *sorted((ROOT / "templates").rglob("*.j2")),
    ROOT / "settings.toml",
]
_IN_BACKTICKS = re.compile(r"`([^`\n]+)`")
_OTHERS = {
    "--workers",
    "--only",
    "--full",
    "--quick",
    "--database",
    "--kills",
    "--people",
    "--seed",
    "--chain",
    "--no-fuzzy-matching",
}
"""Of make, of Babel, and of the bench."""


def commands(group: Any, *path: str) -> Iterator[tuple[str, Any]]:
    """Every command below a group by the words that lead to it, groups as well."""
    for name, one in group.commands.items():
        yield " ".join((*path, name)), one
        if hasattr(one, "commands"):
            yield from commands(one, *path, name)


EVERY = dict(commands(TREE))
OPTIONS = {name for one in (TREE, *EVERY.values()) for parameter in one.params for name in parameter.opts}
OPTIONS |= {name for one in EVERY.values() for parameter in one.params for name in parameter.secondary_opts}
OPTIONS.add("--help")


def named(text: str) -> Iterator[list[str]]:
    """The words of each command that a text names in backticks, without `mailer`."""
    for found in _IN_BACKTICKS.finditer(text):
        words = found[1].split()
        if words[0] == "mailer" and len(words) > 1:
            yield words[1:]
        elif words[0] in TREE.commands and hasattr(TREE.commands[words[0]], "commands") and len(words) > 1:
            yield words


def typed() -> Iterator[list[str]]:
    """The words of each command in a shell block."""
    for block in blocks():
        for line in block.text.splitlines() if block.tag == "sh" else ():
            if (words := line.partition(" #")[0].split()) and words[0].endswith("mailer") and len(words) > 1:
                yield words[1:]


def missing(words: list[str]) -> str | None:
    """Which of these words no command of ours knows; None where all are known."""
    at = TREE
    for word in words:
        if word.startswith("-"):
            name = word.partition("=")[0].strip(".,;:)")
            known = {option for one in at.params for option in (*one.opts, *one.secondary_opts)} | {"--help"}
            if name not in known:
                return name
        elif hasattr(at, "commands"):
            if not re.fullmatch(r"[a-z][a-z-]*", word):
                return None  # `mailer ...`
            if word not in at.commands:
                return word
            at = at.commands[word]
    return None


def test_a_command_that_is_named_is_there() -> None:
    found = {(file, " ".join(words)): missing(words) for file in FILES for words in named(file.read_text())}

    assert {place: why for place, why in found.items() if why} == {}
    assert len(found) > 50


def test_a_command_that_is_to_be_typed_is_there() -> None:
    assert {" ".join(words): why for words in typed() if (why := missing(words))} == {}


def test_an_option_that_is_named_is_there() -> None:
    text = "\n".join(page.read_text() for page in pages())
    spans = [found[1] for found in _IN_BACKTICKS.finditer(text) if not found[1].startswith("make ")]
    found = {word.partition("=")[0] for span in spans for word in re.findall(r"(?<![\w-])--[a-z][a-z-]+", span)}

    assert found - OPTIONS - _OTHERS == set()
    assert "--over" in found


def test_each_command_and_each_option_says_what_it_is_for() -> None:
    for name, one in EVERY.items():
        assert (one.help or "").strip(), name
        for parameter in one.params:
            if parameter.param_type_name == "option" and not parameter.hidden:
                assert parameter.help, f"{name}: {parameter.name}"


def test_readme_names_the_commands_that_help_lists_and_no_others() -> None:
    readme = (ROOT / "README.md").read_text()
    listed = re.findall(r"`mailer (\w+) --help` [^(`]*\(([^)]*)\)", readme)

    assert len(listed) == 2
    for group, names in listed:
        assert {f"{group} {name.strip()}" for name in names.split(",")} <= set(EVERY)
