"""The rules of the source tree, checked by reading it: imports, libraries, words, sizes."""

from __future__ import annotations

import ast
import re
import statistics
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from tests.support.app_helpers import ROOT

PACKAGE = ROOT / "mailer"
FILES = sorted(PACKAGE.rglob("*.py"))
ROOMS = [
    "error_kind",
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
"""A room imports itself and those before it."""
GROUPS = [
    "accounts",
    "subscriptions",
    "imports",
    "lists",
    "templates",
    "delivery",
    "campaigns",
    "archive",
    "exports",
    "inbound",
    "maintenance",
]
"""A group of actions imports itself and those before it."""
PURE = ["domain", "mail", "importers"]
LIBRARIES = {
    "PIL": {"mail/media"},
    "aiosmtpd": {"entrypoints/smtp"},
    "aiosmtplib": {"relay", "demo"},
    "alembic": {"store"},
    "apscheduler": {"entrypoints/service"},
    "authres": {"mail/message"},
    "babel": {"mail/compose", "mail/dynamic", "mail/inbound", "entrypoints/web"},
    "cryptography": {"cli", "domain", "mail/dkim", "mail/provider_events", "network"},
    "css_inline": {"mail/compose"},
    "dkim": {"network"},
    "dns": {"network"},
    "email_validator": {"domain"},
    "feedgenerator": {"entrypoints/web"},
    "flufl": {"mail/bounces"},
    "httptools": {"network"},
    "icalendar": {"mail/media"},
    "ijson": {"importers"},
    "imapclient": {"bootstrap", "network"},
    "jinja2": {"mail/compose", "mail/dynamic", "mail/templates"},
    "markdown_it": {"mail/markdown"},
    "markupsafe": {"mail/templates"},
    "mdit_py_plugins": {"mail/markdown"},
    "mjml": {"mail/templates"},
    "nh3": {"mail/markdown"},
    "openpyxl": {"importers"},
    "psycopg": {"store"},
    "pydantic": {"settings"},
    "pydantic_settings": {"settings"},
    "rich": {"cli", "demo"},
    "spf": {"network"},
    "sqlalchemy": {"store"},
    "starlette": {"demo", "entrypoints/web"},
    "structlog": {"actions", "demo", "entrypoints"},
    "typer": {"cli"},
    "uvicorn": {"entrypoints/web"},
    "uvloop": {"cli"},
    "yaml": {"mail", "mail/compose"},
}
"""Which rooms import a library: all of these do, and no others."""
OLD_WORDS = set(
    re.findall(
        r"\w+",
        "tray bell bells guests doorkeeper visit visitor keeper stranger tending posting robot bury buried tidy heed "
        "heard spoken desk clerk household hole passage proof wish hook told wronged fate finding arrival "
        "letterhead",
    )
)
"""Private words that the field's terms have replaced (docs/glossary.md): no identifier or file is called so."""
COINED = ["notice", "edition", "gate", "handed", "lane", "route", "governor", "orphan"]
NOT_MIRRORED = {
    *("flows", "crash", "cli", "bench", "kept", "postfix", "dovecot", "support", "locale", "browser", "letters"),
}
"""Folders of tests/ that have no room in mailer/, or test it through its commands."""
SEVERAL_MODULES = {"bounce_corpus", "damaged_bounces", "lost_connections", "dkim_settings", "concurrent_writers"}
"""Tests of several modules of their folder."""
MOST_LINES, MEDIAN_LINES, MOST_FUNCTION_LINES, MOST_DATA_LINES, MOST_FILES = 250, 100, 40, 50, 40


pytestmark = pytest.mark.xdist_group("house")  # so that each file is parsed once


@cache
def _tree(file: Path) -> ast.Module:
    return ast.parse(file.read_text())


@cache
def _nodes(file: Path) -> tuple[ast.AST, ...]:
    return tuple(ast.walk(_tree(file)))


def _parts(file: Path) -> list[str]:
    return list(file.relative_to(ROOT).with_suffix("").parts)


def _room(file: Path, names: set[str]) -> str:
    """The name in `names` for the room that a file of mailer/ is in, or the room's own."""
    own = _parts(file)[1:]
    return "/".join(own[:2]) if "/".join(own[:2]) in names else own[0]


@cache
def _imports(file: Path) -> list[str]:
    """Dotted names of all that a file imports, at its top or later; `a.b` for `from a import b`, too."""
    names = []
    for node in _nodes(file):
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}: a relative import"
            names += [f"{node.module}.{name.name}" for name in node.names]
        elif isinstance(node, ast.Import):
            names += [name.name for name in node.names]
    return names


@pytest.mark.parametrize("file", FILES, ids=lambda file: "/".join(_parts(file)[1:]))
def test_imports_point_left_only(file: Path) -> None:
    own = _parts(file)[1:]
    if own == ["__init__"]:
        return
    for name in _imports(file):
        parts = name.split(".")
        if parts[0] != "mailer" or parts[1] not in ROOMS:
            continue
        assert ROOMS.index(parts[1]) <= ROOMS.index(own[0]), f"{own} imports a later room: {name}"
        if own[0] == parts[1] == "actions" and len(own) > 2:
            assert GROUPS.index(parts[2]) <= GROUPS.index(own[1]), f"{own} imports a later group: {name}"


def test_no_files_import_each_other_in_a_circle() -> None:
    modules = {".".join(_parts(file)).removesuffix(".__init__"): file for file in FILES}
    left = {
        name: {one if one in modules else one.rpartition(".")[0] for one in _imports(file)} & modules.keys() - {name}
        for name, file in modules.items()
    }

    while free := {name for name, needs in left.items() if not needs & left.keys()}:
        left = {name: needs for name, needs in left.items() if name not in free}

    assert left == {}, "these import each other, or something that does"


def test_each_room_imports_its_own_libraries_only() -> None:
    found = defaultdict[str, set[str]](set)
    for file in FILES:
        for name in _imports(file):
            library = name.split(".")[0]
            if library not in sys.stdlib_module_names and name != "sqlalchemy.Connection" and library != "mailer":
                found[library].add(_room(file, LIBRARIES.get(library, set())))

    assert dict(sorted(found.items())) == LIBRARIES


@pytest.mark.parametrize("room", PURE)
def test_the_pure_rooms_neither_wait_nor_read_the_clock(room: str) -> None:
    for file in (PACKAGE / room).rglob("*.py"):
        for node in _nodes(file):
            assert not isinstance(node, ast.AsyncFunctionDef | ast.Await), f"{file} waits"
            if isinstance(node, ast.Attribute) and node.attr in {"now", "utcnow", "today"}:
                assert not isinstance(node.value, ast.Name) or node.value.id not in {"datetime", "date"}, file


def test_no_module_is_imported_by_a_name_made_at_run_time() -> None:
    for file in FILES:
        assert not any(name.split(".")[0] in {"importlib", "imp", "runpy"} for name in _imports(file)), file
        assert not any(isinstance(node, ast.Name) and node.id == "__import__" for node in _nodes(file)), file


def test_files_stay_short_and_folders_small() -> None:
    lengths = {file: len(file.read_text().splitlines()) for file in FILES if file.name != "__init__.py"}

    assert {file: length for file, length in lengths.items() if length > MOST_LINES} == {}
    assert statistics.median(lengths.values()) < MEDIAN_LINES
    assert {f: number for f, number in Counter(file.parent for file in FILES).items() if number > MOST_FILES} == {}


def test_functions_stay_short() -> None:
    long = {}
    for file in FILES:
        for node in _nodes(file):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                length = (node.end_lineno or 0) - node.lineno + 1
                if length > MOST_FUNCTION_LINES:
                    long[f"{file.name}:{node.name}"] = length

    assert long == {}


def test_long_data_is_in_data_files() -> None:
    for file in FILES:
        for node in _tree(file).body:
            if isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None:
                length = (node.end_lineno or 0) - node.lineno + 1
                assert length <= MOST_DATA_LINES, f"{file}:{node.lineno}: {length} lines of data"


def test_every_module_begins_with_one_line_that_says_what_is_in_it() -> None:
    for file in FILES:
        docstring = ast.get_docstring(_tree(file))
        assert docstring, file
        assert docstring.splitlines()[0].endswith("."), file


def test_no_two_public_classes_have_one_name() -> None:
    files = defaultdict[str, list[str]](list)
    for file in FILES:
        for node in _tree(file).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                files[node.name].append("/".join(_parts(file)))

    assert {name: those for name, those in files.items() if len(those) > 1} == {}


def test_doors_never_import_the_store() -> None:
    for file in FILES:
        if _parts(file)[1] in {"entrypoints", "demo", "cli"}:
            assert not any(name.startswith("mailer.store") for name in _imports(file)), file


def test_a_test_is_found_by_the_name_of_its_module() -> None:
    """tests/X/test_y.py is about mailer/X/y.py or mailer/X/y/; more may follow in the name: test_y_hostile.py."""
    lost = []
    for test in (ROOT / "tests").rglob("test_*.py"):
        *folders, name = test.relative_to(ROOT / "tests").with_suffix("").parts
        if not folders or folders[0] in NOT_MIRRORED or name.removeprefix("test_") in SEVERAL_MODULES:
            continue
        words = name.split("_")[1:]
        names = {"_".join(words[:number]) for number in range(1, len(words) + 1)}
        if not names & {one.stem for one in PACKAGE.joinpath(*folders).iterdir()}:
            lost.append(str(test))

    assert lost == []


def _identifiers(file: Path) -> Iterator[str]:
    yield file.stem
    # Not kept as the package's trees are: only this test looks at so many.
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.arg):
            yield node.arg
        elif isinstance(node, ast.Name):
            yield node.id


@pytest.mark.parametrize("folder", ["mailer", "bench", "tests"])
def test_the_old_words_do_not_come_back(folder: str) -> None:
    found = {
        f"{'/'.join(_parts(file))}: {name}"
        for file in (ROOT / folder).rglob("*.py")
        for name in set(_identifiers(file))
        if not name.startswith("test_")
        and OLD_WORDS & {part.lower() for part in re.findall("[A-Z]?[a-z]+|[A-Z]+", name)}
    }

    assert sorted(found) == []


def test_each_coined_word_has_its_row_in_the_glossary() -> None:
    rows = re.findall(r"^\| (\*\*.*?) \|", (ROOT / "docs" / "glossary.md").read_text(), re.MULTILINE)
    words = {word for row in rows for word in re.findall(r"\*\*(.+?)\*\*", row)}

    assert set(COINED) <= words


def test_the_top_level_settings_are_what_init_writes() -> None:
    from mailer.settings.load import default_settings_toml

    assert (ROOT / "settings.toml").read_text() == default_settings_toml()
