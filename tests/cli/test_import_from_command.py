"""`mailer import-from`: says what it found and would do, and does it with --yes; in a terminal and in a pipe."""

from __future__ import annotations

import hashlib
import json
import os
import pty
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
import typer

from mailer.cli.import_from_command import parse_column
from tests.support.terminal import Terminal
from tests.support.warm_mailer import warm_mailer

_ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
_COLUMNS = "Email Address,First Name,Last Name,MEMBER_RATING,OPTIN_TIME,OPTIN_IP,CONFIRM_TIME,CONFIRM_IP"
_ENDS = "LEID,EUID,NOTES,TAGS"
_TIMES = "2023-04-21 11:16:57,192.0.2.7,2023-04-21 11:20:00,192.0.2.7"
_NO_TIMES = ",,,"
AUDIENCE = {
    "subscribed_email_audience_export_0a.csv": f"{_COLUMNS},{_ENDS}\n"
    f"rosa@example.org,Rosa,Berg,2,{_TIMES},1,a,,\n"
    f"nobody,,,2,{_NO_TIMES},2,b,,\n",
    "unsubscribed_email_audience_export_0a.csv": f"{_COLUMNS},UNSUB_TIME,UNSUB_REASON,{_ENDS}\n"
    f"gone@example.org,,,2,{_NO_TIMES},2023-06-06 12:56:15,,3,c,,\n",
    "cleaned_email_audience_export_0a.csv": f"{_COLUMNS},CLEAN_TIME,{_ENDS}\n"
    f"dead@example.net,,,2,{_NO_TIMES},2020-03-23 17:30:05,4,d,,\n",
}


@pytest.fixture
def with_audience(with_list: Terminal) -> Terminal:
    """With a zip of Mailchimp's in the folder."""
    with zipfile.ZipFile(with_list.folder / "audience.zip", "w") as packed:
        for name, table in AUDIENCE.items():
            packed.writestr(name, table)
        packed.writestr("notes.odt", "")
    return with_list


def _digest(terminal: Terminal) -> str:
    return hashlib.sha256((terminal.folder / "mailer.db").read_bytes()).hexdigest()


def test_without_yes_it_says_everything_and_writes_nothing(with_audience: Terminal) -> None:
    before = _digest(with_audience)

    output = with_audience("import-from", "audience.zip", "--list", "appeals").splitlines()

    assert output[:7] == [
        "This is Mailchimp's audience export, 3 files: 3 people for appeals.",
        "Passed over: notes.odt",
        "confirmed\t1\tcome onto the list, and are mailed",
        "suppressed\t1\tare on the list, but are not mailed: letters bounced, they complained, or were banned",
        "unsubscribed\t1\tleft, and are kept as such",
        "for example\trosa@example.org\tRosa Berg\tconfirmed",
        "for example\tdead@example.net\t\tsuppressed",
    ]
    assert "1 row cannot be used:" in output
    assert any(line.startswith("  subscribed_email_audience_export_0a.csv, line 3: 'nobody'") for line in output)
    assert "Evidence that they agreed: 1 strong, 0 some, 1 none" in output
    assert output[-1] == "Nothing has been written: again with --yes"
    assert _digest(with_audience) == before


def test_with_yes_it_is_written_under_a_number_and_again_changes_nothing(with_audience: Terminal) -> None:
    done = with_audience("import-from", "audience.zip", "--list", "appeals", "--yes", "--bad", "bad.txt")
    again = json.loads(with_audience("import-from", "audience.zip", "--list", "appeals", "--yes", "--json"))
    exported = with_audience("subscribers", "export", "--list", "appeals", "--no-bom")
    shown = json.loads(with_audience("subscribers", "show", "rosa@example.org", "--json"))
    with_audience("import-from", "audience.zip", "--list", "appeals", "--bad", "bad.txt", code=2)
    with_audience("import", "undo", "1", "--yes")
    after_undo = with_audience("subscribers", "export", "--list", "appeals", "--no-bom")

    assert done.endswith("import 1; `mailer import undo 1 --yes` takes it back\n")
    assert (again["run"], again["counts"], again["bad"]) == (2, {"unchanged": 3}, 1)
    assert "rosa@example.org,Rosa Berg," in exported
    assert "gone@example.org" not in exported
    assert after_undo == "email,name,language,zone\n"
    assert shown["consents"][0]["evidence"]["peer"] == "mailchimp"
    assert (
        (with_audience.folder / "bad.txt").read_text().startswith("subscribed_email_audience_export_0a.csv, line 3\t")
    )


def test_with_an_invitation_it_says_who_gets_a_letter(with_audience: Terminal) -> None:
    output = with_audience("import-from", "audience.zip", "--list", "appeals", "--invite")

    assert "pending\t1\tare asked by letter, unless they were within a day" in output
    assert "Only those who are asked get a letter." in output


def test_owners_are_named_with_the_command_that_gives_them_their_role(with_list: Terminal) -> None:
    folder = with_list.folder / "harvest"
    folder.mkdir()
    (folder / "members.txt").write_text("Rosa <rosa@example.org>\n")
    (folder / "members-owner.txt").write_text("olu@example.org\n")

    output = with_list("import-from", "harvest", "--list", "appeals")

    assert "  mailer organiser add olu@example.org --role owner --list appeals   # was owner" in output


def test_a_table_that_says_nothing_of_agreement_needs_the_organisers_word(with_list: Terminal) -> None:
    (with_list.folder / "members.csv").write_text("Kontakt;Vorname;Nachname\nrosa@example.org;Rosa;Berg\n")
    words = ("import-from", "members.csv", "--list", "appeals", "--column", "email=Kontakt")
    named = ("--column", 'name="Vorname"+"Nachname"')

    with_list(*words, code=1)
    refused = with_list.said
    done = json.loads(with_list(*words, *named, "--state", "confirmed", "--yes", "--json"))
    exported = with_list("subscribers", "export", "--list", "appeals", "--no-bom")

    assert "--state" in refused
    assert done["counts"] == {"confirmed": 1}
    assert "rosa@example.org,Rosa Berg," in exported


def test_what_cannot_be_read_is_refused_with_a_reason_and_a_code(with_list: Terminal) -> None:
    (with_list.folder / "notes.odt").write_bytes(b"x")
    (with_list.folder / "people.csv").write_text("email,name,language,zone,state\nnobody,,,,confirmed\n")

    with_list("import-from", "nothing.zip", "--list", "appeals", code=2)
    missing = with_list.said
    with_list("import-from", "notes.odt", "--list", "appeals", code=1)
    unknown = with_list.said
    with_list("import-from", "people.csv", "--list", "appeals", "--zone", "Mars/Olympus", code=2)
    with_list("import-from", "people.csv", "--list", "appeals", "--column", "Name", code=2)
    with_list("import-from", "people.csv", "--list", "nowhere", code=1)
    useless = with_list("import-from", "people.csv", "--list", "appeals", code=1)

    assert missing == "mailer: nothing.zip: No such file or directory\n"
    assert "notes.odt is no export that is known here" in unknown
    assert "line 2: 'nobody'" in useless


def _environment() -> dict[str, str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("MAILER_")}
    return clean | {"COLUMNS": "100", "TERM": "xterm"}


def test_a_pipe_is_read(with_audience: Terminal) -> None:
    done = warm_mailer()(
        ("import-from", "-", "--list", "appeals", "--json"),
        with_audience.folder,
        _environment(),
        (with_audience.folder / "audience.zip").read_bytes(),
    )

    assert json.loads(done.stdout)["counts"] == {"confirmed": 1, "suppressed": 1, "unsubscribed": 1}


def test_on_a_terminal_the_counts_are_a_table(with_audience: Terminal) -> None:
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-m", "mailer", "import-from", "audience.zip", "--list", "appeals", "--yes"],
        cwd=with_audience.folder,
        env=_environment(),
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
    ) as process:
        os.close(theirs)
        output = _read_terminal(ours)
    os.close(ours)

    assert process.returncode == 0
    assert "┃ what happened ┃ people ┃ they" in output
    assert "│ confirmed     │      1 │ come onto the list, and are mailed" in output
    assert "import 1; `mailer import undo 1 --yes` takes it back" in output


def _read_terminal(fd: int) -> str:
    output = b""
    try:
        while octets := os.read(fd, 4096):
            output += octets
    except OSError:  # Linux says so where the other end is closed
        pass
    return _ESCAPES.sub("", output.decode())


def test_columns_are_named_with_or_without_quotes() -> None:
    assert parse_column("email=E-Mail") == ("email", ("E-Mail",))
    assert parse_column('name="Vorname"+"Nachname"') == ("name", ("Vorname", "Nachname"))
    assert parse_column("name=Vorname + Nachname") == ("name", ("Vorname", "Nachname"))
    assert parse_column('name="A+B"') == ("name", ("A+B",))
    for wrong in ("email", "email=", "=E-Mail", "name=Vorname++Nachname", "name=+"):
        with pytest.raises(typer.Exit):
            parse_column(wrong)


def test_a_file_called_like_nothing_is_still_a_path(tmp_path: Path, with_list: Terminal) -> None:
    (tmp_path / "people.csv").write_text("email,name,language,zone,state\nrosa@example.org,,,,pending\n")

    found = json.loads(with_list("import-from", "people.csv", "--list", "appeals", "--json"))

    assert (found["from"], found["counts"], found["run"]) == ("mailer", {"pending": 1}, None)


def test_an_export_of_ours_goes_through_a_fresh_service_unchanged(with_audience: Terminal, tmp_path: Path) -> None:
    with_audience("import-from", "audience.zip", "--list", "appeals", "--yes")
    with_audience("export-all", "out", "--list", "appeals")
    (tmp_path / "fresh").mkdir()
    fresh = Terminal(tmp_path / "fresh")
    for name in ("settings.toml", "secret"):
        (fresh.folder / name).write_bytes((with_audience.folder / name).read_bytes())
    fresh("migrate")
    fresh("list", "add", "appeals", "--name", "Open Appeals", "--owner", "ada@example.org")

    fresh("import-from", "../out", "--list", "appeals", "--yes")
    fresh("export-all", "out", "--list", "appeals")

    before, after = (
        {file.name: _lines(file) for file in (one.folder / "out").iterdir()} for one in (with_audience, fresh)
    )
    assert before.keys() >= {"people.csv", "suppressions.csv", "consent.jsonl"}
    for name in ("people.csv", "suppressions.csv", "consent.jsonl"):
        assert after[name] == before[name]


def _lines(file: Path) -> list[str]:
    return sorted(file.read_text().splitlines())
