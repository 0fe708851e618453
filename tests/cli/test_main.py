"""The command line: results on stdout, messages on stderr, exit codes."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest

import mailer
from tests.support.terminal import Terminal


def test_init_writes_settings_and_a_secret_once(bare: Terminal) -> None:
    bare("init")

    assert stat.S_IMODE((bare.folder / "secret").stat().st_mode) == 0o600
    assert "secret" in bare.said
    secret = (bare.folder / "secret").read_text()
    bare("init", code=1)
    assert "already there" in bare.said
    assert (bare.folder / "secret").read_text() == secret


def test_init_writes_what_is_missing_and_keeps_what_is_there(bare: Terminal) -> None:
    settings, folder = "# mine\n[service]\nsecret_file = 'keys/signing'\n", bare.folder / "my lists"
    (folder / "keys").mkdir(parents=True)
    (folder / "settings.toml").write_text(settings)

    bare("init", "my lists")

    assert (
        f"Wrote {Path('my lists/keys/signing')}. Kept {Path('my lists/settings.toml')}, which was there." in bare.said
    )
    assert "`cd 'my lists'`" in bare.said
    assert (folder / "settings.toml").read_text() == settings
    assert stat.S_IMODE((folder / "keys" / "signing").stat().st_mode) == 0o600
    bare("init", "my lists/settings.toml", code=2)
    assert "my lists/settings.toml: cannot be written" in bare.said


def test_init_makes_no_new_secret_for_a_database_that_was_filled_with_another(mailer_in: Terminal) -> None:
    secret = mailer_in.folder / "secret"
    mailer_in("migrate")
    secret.unlink()
    mailer_in("init")
    mailer_in("list", "add", "appeals", "--name", "Open Appeals", "--owner", "ada@example.org")
    secret.unlink()

    mailer_in("init", code=2)

    assert "put your copy of the secret back" in mailer_in.said
    assert not secret.exists()


def test_a_campaign_from_the_first_command_to_its_report(with_list: Terminal) -> None:
    (with_list.folder / "people.csv").write_text("email,name\nrosa@example.org,Rosa\nnobody,x\nemma@example.org,Emma\n")

    imported = with_list("subscribers", "import", "people.csv", "--list", "appeals")
    bad = with_list.said
    number = with_list("campaign", "new", "appeal.md", "--list", "appeals").strip()
    letter = with_list("campaign", "preview", number, "--name", "Rosa")
    with_list("campaign", "schedule", number, "--at", "2027-03-01T09:00", "--zone", "Europe/Berlin")
    scheduled = json.loads(with_list("campaign", "status", number, "--json"))
    with_list("campaign", "cancel", number)
    listed = with_list("campaign", "ls")
    report = with_list("campaign", "report", number, "--csv")

    assert "2 added" in imported
    assert "line 3: 'nobody' is no address" in bad
    assert number == "1"
    assert "Dear Rosa," in letter
    assert (scheduled["state"], scheduled["scheduled_at"]) == ("scheduled", "2027-03-01 08:00:00+00:00")
    assert listed.split("\t")[:2] == ["1", "cancelled"]
    assert report == "address,state,attempts,code,reply\n"


def test_send_says_to_how_many_and_that_no_service_runs(with_list: Terminal) -> None:
    with_list("subscribers", "add", "rosa@example.org", "--list", "appeals", "--name", "Rosa")
    number = with_list("campaign", "new", "appeal.md", "--list", "appeals").strip()

    second = json.loads(with_list("campaign", "new", "appeal.md", "--list", "appeals", "--json"))
    out = with_list("campaign", "send", number, "--now")

    assert (second, out) == ({"id": 2}, "")
    assert "goes to 1 people" in with_list.said
    assert "No service is running" in with_list.said


def test_people_are_imported_exported_and_shown(with_list: Terminal) -> None:
    with_list("subscribers", "add", "rosa@example.org", "--list", "appeals", "--name", "Rosa")

    exported = with_list("subscribers", "export", "--list", "appeals")
    shown = json.loads(with_list("subscribers", "show", "Rosa@example.org", "--json"))
    with_list("subscribers", "show", "mallory@example.org", code=1)

    assert exported == "\ufeffemail,name,language,zone\nrosa@example.org,Rosa,,\n"
    assert shown["subscriptions"] == {"appeals": "confirmed"}
    assert "not known" in with_list.said


@pytest.mark.parametrize(
    ("words", "code", "expected"),
    [
        (["list", "add", "appeals", "--name", "x", "--owner", "ada@example.org"], 1, "already"),
        (["list", "add", "appeals-join", "--name", "x", "--owner", "ada@example.org"], 2, "shadow"),
        (["list", "add", "news", "--name", "x", "--owner", "ada@lists.example.org"], 1, "own domain"),
        (["list", "show", "nothing"], 1, "no mailing list"),
        (["campaign", "status", "9"], 1, "no campaign 9"),
        (["list", "add", "news", "--name", "a\tb", "--owner", "ada@example.org"], 2, "one line"),
        (["campaign", "new", "nowhere.md", "--list", "appeals"], 2, "nowhere.md"),
        (["subscribers", "import", "nowhere.csv", "--list", "appeals"], 2, "nowhere.csv"),
        (["campaign", "frobnicate"], 2, "frobnicate"),
    ],
)
def test_a_refusal_is_one_line_and_an_exit_code(
    with_list: Terminal, words: list[str], code: int, expected: str
) -> None:
    out = with_list(*words, code=code)

    assert out == ""
    assert expected in with_list.said
    assert "Traceback" not in with_list.said


def test_a_mistake_in_a_campaign_file_is_reported_by_file_and_line(with_list: Terminal) -> None:
    (with_list.folder / "bad.md").write_text("---\nsubject: Hello\nsubjekt: no\n---\nDear {{ name }}\n")

    with_list("campaign", "new", "bad.md", "--list", "appeals", code=1)

    assert "bad.md: line 3" in with_list.said
    assert "subjekt" in with_list.said


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("port = 8025", "prot = 8025", "intake.prot: there is no such key"),
        ("port = 8025", 'port = "x"', "intake.port"),
        ('url = "http://127.0.0.1:8080"', 'url = "http://lists.example.org"', "service.url: must be https"),
        ('tls = "none"', 'tls = "none"\nhost2 = 1', "relay.0.host2"),
        ('host = "127.0.0.1"\n# 25', 'host = "mail.example.org"\n# 25', "only on loopback"),
        ("owner@example.org", "owner@lists.example.org", "outside our own domain"),
        ("[web]", "[web", "not TOML"),
    ],
)
@pytest.mark.parametrize("command", [["serve"], ["list", "ls"]])
def test_bad_settings_are_named_by_key(
    mailer_in: Terminal, command: list[str], old: str, new: str, expected: str
) -> None:
    mailer_in.replace_setting(old, new)

    mailer_in(*command, code=2)

    assert expected in mailer_in.said
    assert "Traceback" not in mailer_in.said


def test_serve_without_its_secret_says_so(mailer_in: Terminal) -> None:
    (mailer_in.folder / "secret").unlink()

    mailer_in("serve", code=2)

    assert "secret" in mailer_in.said
    assert len(mailer_in.said.splitlines()) == 1


def test_serve_that_must_not_migrate_fills_an_empty_database_and_refuses_an_unknown_one(mailer_in: Terminal) -> None:
    mailer_in("migrate")
    import sqlite3

    with sqlite3.connect(mailer_in.folder / "mailer.db") as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")

    mailer_in("serve", "--no-migrate", code=2)

    assert "9999" in mailer_in.said


def test_environment_variables_override_settings(with_list: Terminal, tmp_path: Path) -> None:
    elsewhere = Terminal(tmp_path / "elsewhere")
    elsewhere.folder.mkdir()

    out = elsewhere("list", "ls", "--json", MAILER_SETTINGS=str(with_list.folder / "settings.toml"))
    other = with_list("list", "ls", "--json", MAILER_DATABASE__URL=f"sqlite:///{tmp_path}/other.db")

    assert json.loads(out)[0]["name"] == "appeals"
    assert json.loads(other) == []


def test_help_and_version_need_no_settings(bare: Terminal) -> None:
    assert mailer.__version__ in bare("--version")
    text = bare("--help")
    for command in ("init", "serve", "migrate", "demo", "list", "subscribers", "campaign"):
        assert command in text


def test_segments_of_a_list_are_set_shown_and_removed(with_list: Terminal) -> None:
    condition = "city == 'Izmir' or city == 'Aydın'"

    changed = with_list("list", "set", "appeals", "--segment", f"izmir={condition}", "--segment", "old=age", "--json")
    with_list("list", "set", "appeals", "--segment", "old=")
    with_list("list", "set", "appeals", "--segment", "izmir", code=2)
    with_list("list", "set", "appeals", "--segment", "izmir=city ==", code=2)

    assert json.loads(changed)["segments"] == {"izmir": condition, "old": "age"}
    assert with_list("list", "show", "appeals").splitlines()[1:] == [f"  segment izmir: {condition}"]


def test_what_was_chosen_for_the_letters_of_a_list_is_shown(with_list: Terminal) -> None:
    with_list("list", "set", "appeals", "--accent-color", "#1b6b59", "--archive", "public", "--reason", "You joined.")

    assert with_list("list", "show", "appeals").splitlines()[1:] == [
        "  colour #1b6b59",
        "  on the web its letters are read by everybody, at /archive/appeals",
        "  You joined.",
    ]


def test_bounce_limits_are_set_and_restoring_an_active_person_is_harmless(
    with_list: Terminal,
) -> None:
    with_list("subscribers", "add", "rosa@example.org", "--list", "appeals")

    changed = with_list("list", "set", "appeals", "--hard-after", "3", "--json")
    restored = with_list("subscribers", "restore", "rosa@example.org", "--list", "appeals", "--json")

    assert (json.loads(changed)["hard_after"], json.loads(changed)["soft_limit"]) == (3, 3)
    assert json.loads(restored)["state"] == "confirmed"
    with_list("subscribers", "restore", "bea@example.org", "--list", "appeals", code=1)
