"""On the command line: letters of other software are looked at, imported and dropped again."""

from __future__ import annotations

import json

from tests.support.terminal import Terminal

MAIL = "From: Ada <ada@example.org>\nDate: Mon, 2 Nov 2026 09:00:00 +0000\nSubject: Seeds\nMessage-ID: <{}@x>\n\nSow.\n"


def test_letters_are_looked_at_imported_and_dropped(with_list: Terminal) -> None:
    archive = with_list.folder / "talk"
    archive.mkdir()
    for name in ("1", "2"):
        (archive / name).write_text(MAIL.format(name))
    (archive / "3").write_text(MAIL.format(3).replace("Mon, 2 Nov 2026 09:00:00 +0000", "yesterday"))

    dry = with_list("archive", "import", str(archive), "--list", "appeals")
    said = with_list.said
    written = with_list("archive", "import", str(archive), "--list", "appeals", "--yes")
    again = json.loads(with_list("archive", "import", str(archive), "--list", "appeals", "--yes", "--json"))
    with_list("archive", "drop", "--list", "appeals", code=2)
    with_list("archive", "drop", "--list", "appeals", "--yes")

    assert dry == "2 letters, from 2026-11-02 to 2026-11-02. Nothing has been written: again with --yes\n"
    assert said == "3: a mail without a date: left out\n"
    assert written == "2 letters, from 2026-11-02 to 2026-11-02: 2 are new in the archive\n"
    assert (again["letters"], again["added"], again["left_behind"][0]["where"]) == (2, 0, "3")
    assert with_list.said == "2 letters dropped\n"
    (archive / "4").write_text("notes")
    with_list("archive", "import", str(archive / "4"), "--list", "appeals", code=1)
    assert "holds no letters" in with_list.said
