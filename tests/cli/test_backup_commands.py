"""`mailer backup` and `mailer restore` on the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.support.terminal import Terminal


@pytest.fixture
def here(tmp_path: Path) -> Terminal:
    """A service with Ada's list."""
    (tmp_path / "here").mkdir()
    terminal = Terminal(tmp_path / "here")
    terminal("init")
    terminal(
        "list", "add", "appeals", "--name", "Open Appeals", "--owner", "ada@example.org", "--reason", "You joined."
    )
    return terminal


def test_a_backup_is_restored_on_a_new_machine(here: Terminal, tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    there = Terminal(tmp_path / "there")
    there("init")
    file = str(tmp_path / "monday.zip")

    here("backup", file)
    assert "monday.zip: everything as it was at" in here.said
    here("backup", file, code=1)
    assert "already there; nothing was overwritten" in here.said
    there("restore", file, code=1)
    assert "another secret" in there.said
    assert len(there.said.splitlines()) == 1
    (tmp_path / "there" / "secret").unlink()
    output = there("restore", file)

    assert "What happened since is not known here" in output
    assert "Who left, complained or bounced since then would be mailed again" in output
    assert (tmp_path / "there" / "secret").read_bytes() == (tmp_path / "here" / "secret").read_bytes()
    (shown,) = json.loads(there("list", "ls", "--json"))
    assert (shown["name"], shown["reason"]) == ("appeals", "You joined.")
