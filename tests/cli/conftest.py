"""Folders to type commands in: bare, after `mailer init`, and with Ada's list."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tests.support.app_helpers import ADA, APPEAL
from tests.support.terminal import Terminal


@pytest.fixture(scope="session")
def initialised_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder after `mailer init`, to copy."""
    folder = tmp_path_factory.mktemp("initialised")
    Terminal(folder)("init")
    return folder


@pytest.fixture(scope="session")
def listed_folder(initialised_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with Ada's list in a SQLite file, and a text, to copy."""
    folder = tmp_path_factory.mktemp("listed")
    add_list(Terminal(shutil.copytree(initialised_folder, folder, dirs_exist_ok=True)))
    return folder


def add_list(terminal: Terminal) -> None:
    """Add Ada's list and a text."""
    terminal("list", "add", "appeals", "--name", "Open Appeals", "--owner", ADA)
    (terminal.folder / "appeal.md").write_text(APPEAL)


@pytest.fixture
def bare(tmp_path: Path) -> Terminal:
    """Where nothing was set up."""
    return Terminal(tmp_path)


@pytest.fixture
def mailer_in(initialised_folder: Path, tmp_path: Path) -> Terminal:
    """After `mailer init`."""
    return Terminal(shutil.copytree(initialised_folder, tmp_path, dirs_exist_ok=True))


@pytest.fixture
def with_list(listed_folder: Path, tmp_path: Path) -> Terminal:
    """With Ada's list and a text."""
    return Terminal(shutil.copytree(listed_folder, tmp_path, dirs_exist_ok=True))


@pytest.fixture
def ada(mailer_in: Terminal, database_url: str) -> Terminal:
    """Ada at her terminal, on the database of the fixture `app`, with her list and a text."""
    mailer_in.replace_setting('"sqlite:///mailer.db"', json.dumps(database_url))
    add_list(mailer_in)
    return mailer_in
