"""`mailer import` and what `mailer subscribers show` says of imported people."""

from __future__ import annotations

import json

from tests.support.terminal import Terminal

TABLE = (
    "email,name,language,zone,state,suppressed,agreed_at,changed_at\n"
    "rosa@example.org,Rosa,en,,confirmed,paused until 2999-12-01T00:00:00+00:00,,\n"
    "emma@example.org,Emma,en,,confirmed,,,\n"
)


def test_an_import_is_listed_shown_and_undone_with_yes_only(with_list: Terminal) -> None:
    (with_list.folder / "people.csv").write_text(TABLE)
    with_list("subscribers", "import", "people.csv", "--list", "appeals")
    listed = json.loads(with_list("import", "ls", "--json"))
    number = str(listed[0]["number"])

    shown = with_list("subscribers", "show", "rosa@example.org")
    line = with_list("import", "ls", "--list", "appeals")
    whole = with_list("import", "show", number)
    preview, said = with_list("import", "undo", number), with_list.said
    still = json.loads(with_list("subscribers", "show", "rosa@example.org", "--json"))
    done = json.loads(with_list("import", "undo", number, "--yes", "--json"))
    with_list("subscribers", "show", "rosa@example.org", code=1)
    with_list("import", "undo", "999", code=1)

    assert "appeals\tconfirmed, paused" in shown
    assert "appeals\tno letters\tpaused until 2999-12-01T00:00:00+00:00" in shown
    assert "file: people.csv; " in shown
    assert (still["paused"], still["suppressed"][0]["until"]) == (["appeals"], "2999-12-01T00:00:00+00:00")
    assert line.startswith(f"{number}\tappeals\t")
    assert "1\tpaused\n" in whole
    assert preview == f"2 people would be as before import {number}, 0 stay\n"
    assert "again with --yes" in said
    assert (done["undone"], done["kept"], done["done"]) == (2, {}, True)
    assert with_list("import", "ls").endswith("\tundone\n")
