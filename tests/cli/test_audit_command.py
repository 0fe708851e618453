"""`mailer audit`, and what commands write into the audit log."""

from __future__ import annotations

import json
import os
import pwd
from pathlib import Path

from tests.support.terminal import Terminal


def test_the_audit_log_says_who_did_what_and_what_was_before(tmp_path: Path) -> None:
    here = Terminal(tmp_path)
    here("init")
    here("list", "add", "appeals", "--name", "Open Appeals", "--owner", "ada@example.org", "--zone", "Europe/Berlin")
    here("list", "set", "appeals", "--needs-approval", "--tester", "emma@example.org", "--zone", "Asia/Tokyo")
    here("list", "set", "appeals", "--needs-approval")
    here("subscribers", "add", "rosa@example.org", "--list", "appeals", "--name", "Rosa")
    here("backup", str(tmp_path / "monday.zip"))

    lines = json.loads(here("audit", "--json"))

    name = pwd.getpwuid(os.getuid()).pw_name
    assert all(line["actor"].startswith(f"unix user {name}") and line["door"] == "command" for line in lines)
    acts = [line["act"] for line in reversed(lines)]
    assert acts == ["add list", "change list", "start import", "end import", "back up"]
    changed = lines[-2]
    assert changed["before"] == {"zone": "Europe/Berlin", "testers": 0, "needs_approval": False}
    assert changed["after"] == {"zone": "Asia/Tokyo", "testers": 1, "needs_approval": True}
    assert len(json.loads(here("audit", "--list", "appeals", "--json"))) == 4
    text = here("audit", "--lines", "1")
    assert len(text.splitlines()) == 1
    assert "\tback up\tthe site\t" in text
    assert "rosa" not in here("audit").lower()

    here("restore", str(tmp_path / "monday.zip"), "--replace")

    newest = json.loads(here("audit", "--json"))[0]
    assert (newest["act"], newest["subject"]) == ("restore backup", "the site")
