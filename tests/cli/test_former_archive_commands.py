"""On the command line: letters of other software are looked at, imported and dropped again."""

from __future__ import annotations

import json
from pathlib import Path

from tests.cli.test_main import Terminal
from tests.support.app_helpers import ADA

MAIL = "From: Ada <ada@example.org>\nDate: Mon, 2 Nov 2026 09:00:00 +0000\nSubject: Seeds\nMessage-ID: <{}@x>\n\nSow.\n"


def test_letters_are_looked_at_imported_and_dropped(tmp_path: Path) -> None:
    terminal = Terminal(tmp_path)
    terminal("init")
    terminal("list", "add", "appeals", "--name", "Open Appeals", "--owner", ADA)
    archive = terminal.folder / "talk"
    archive.mkdir()
    for name in ("1", "2"):
        (archive / name).write_text(MAIL.format(name))
    (archive / "3").write_text(MAIL.format(3).replace("Mon, 2 Nov 2026 09:00:00 +0000", "yesterday"))

    dry = terminal("archive", "import", str(archive), "--list", "appeals")
    said = terminal.said
    written = terminal("archive", "import", str(archive), "--list", "appeals", "--yes")
    again = json.loads(terminal("archive", "import", str(archive), "--list", "appeals", "--yes", "--json"))
    terminal("archive", "drop", "--list", "appeals", code=2)
    terminal("archive", "drop", "--list", "appeals", "--yes")

    assert dry == "2 letters, from 2026-11-02 to 2026-11-02. Nothing has been written: again with --yes\n"
    assert said == "3: a mail without a date: left out\n"
    assert written == "2 letters, from 2026-11-02 to 2026-11-02: 2 are new in the archive\n"
    assert (again["letters"], again["added"], again["left_behind"][0]["where"]) == (2, 0, "3")
    assert terminal.said == "2 letters dropped\n"
    (archive / "4").write_text("notes")
    terminal("archive", "import", str(archive / "4"), "--list", "appeals", code=1)
    assert "holds no letters" in terminal.said
