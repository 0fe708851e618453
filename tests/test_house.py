"""The rules of the house, held by reading the source: which room may know which, and how long things may get."""

from __future__ import annotations

import ast
import statistics
from pathlib import Path

import pytest

from tests.support.app_helpers import ROOT

PACKAGE = ROOT / "mailer"
FILES = sorted(PACKAGE.rglob("*.py"))
ROOMS = [
    "errors",
    "settings",
    "domain",
    "mail",
    "importers",
    "network",
    "relay",
    "store",
    "app",
    "bootstrap",
    "actions",
    "entrypoints",
    "demo",
    "cli",
    "__main__",
]
GROUPS = ["subscriptions", "lists", "delivery", "campaigns", "inbound", "maintenance"]
MOST_LINES, MEDIAN_LINES, MOST_FUNCTION_LINES = 250, 100, 40


def _module(file: Path) -> list[str]:
    return list(file.relative_to(ROOT).with_suffix("").parts)


def _imports(file: Path) -> list[list[str]]:
    found = []
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}: a relative import"
            found.append((node.module or "").split("."))
        elif isinstance(node, ast.Import):
            found += [name.name.split(".") for name in node.names]
    return [name for name in found if name[0] == "mailer" and len(name) > 1]


@pytest.mark.parametrize("file", FILES, ids=lambda file: "/".join(_module(file)[1:]))
def test_imports_point_left_only(file: Path) -> None:
    own = _module(file)
    if len(own) < 2 or own[1] == "__init__":
        return
    for name in _imports(file):
        mine, theirs = ROOMS.index(own[1]), ROOMS.index(name[1])
        assert theirs <= mine, f"{own} imports {name}"
        if own[1] == "actions" and name[1] == "actions" and len(own) > 3:
            assert GROUPS.index(name[2]) <= GROUPS.index(own[2]), f"{own} imports a later group: {name}"


@pytest.mark.parametrize("room", ["domain", "mail"])
def test_the_pure_rooms_neither_wait_nor_look_at_the_clock(room: str) -> None:
    for file in (PACKAGE / room).rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            assert not isinstance(node, ast.AsyncFunctionDef | ast.Await), f"{file} waits"
            if isinstance(node, ast.Attribute) and node.attr in {"now", "utcnow", "today"}:
                assert not isinstance(node.value, ast.Name) or node.value.id not in {"datetime", "date"}, file


def test_only_the_store_speaks_sql() -> None:
    allowed_elsewhere = {"Connection"}
    for file in FILES:
        if _module(file)[1:2] == ["store"]:
            continue
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] in {"sqlalchemy", "alembic"}:
                names = {name.name for name in node.names}
                assert names <= allowed_elsewhere, f"{file} imports {names} from {node.module}"


def test_no_import_goes_around_the_walls() -> None:
    for file in FILES:
        for node in ast.walk(ast.parse(file.read_text())):
            assert not (isinstance(node, ast.Name) and node.id in {"importlib", "__import__"}), file


def test_files_stay_short() -> None:
    lengths = {file: len(file.read_text().splitlines()) for file in FILES if file.name != "__init__.py"}

    assert {file: length for file, length in lengths.items() if length > MOST_LINES} == {}
    assert statistics.median(lengths.values()) < MEDIAN_LINES


def test_functions_stay_short() -> None:
    long = {}
    for file in FILES:
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                length = (node.end_lineno or 0) - node.lineno + 1
                if length > MOST_FUNCTION_LINES:
                    long[f"{file.name}:{node.name}"] = length

    assert long == {}


def test_every_module_begins_with_a_line_a_stranger_understands() -> None:
    for file in FILES:
        told = ast.get_docstring(ast.parse(file.read_text()))
        assert told, file
        assert told.splitlines()[0].endswith("."), file


def test_the_top_level_settings_are_what_init_writes() -> None:
    from mailer.settings.load import default_settings_toml

    assert (ROOT / "settings.toml").read_text() == default_settings_toml()
