"""`mailer subscribers` on the command line: refused tables, guesses, counts and exports."""

from __future__ import annotations

import json

from tests.support.terminal import Terminal


def test_a_table_with_a_column_of_departures_is_refused_unless_it_is_ignored(
    with_list: Terminal,
) -> None:
    file = with_list.folder / "subscribers.csv"
    file.write_text("uuid,email,name,status\n1,rosa@example.org,Rosa,enabled\n2,emma@example.org,Emma,blocklisted\n")
    (with_list.folder / "unsubscribed_audience_export.csv").write_text("Email Address\nbea@example.org\n")

    refused = with_list("subscribers", "import", "subscribers.csv", "--list", "appeals", code=1)
    output = with_list.said
    with_list("subscribers", "import", "unsubscribed_audience_export.csv", "--list", "appeals", code=1)
    by_name = with_list.said
    nobody = with_list("subscribers", "export", "--list", "appeals", "--no-bom")
    done = with_list(
        "subscribers", "import", "subscribers.csv", "--list", "appeals", "--ignore-column", "status", "--json"
    )
    shown = json.loads(with_list("subscribers", "show", "rosa@example.org", "--json"))

    assert (refused, nobody) == ("", "email,name,language,zone\n")
    assert "'status'" in output
    assert "--ignore-column status" in output
    assert "unsubscribed_audience_export.csv, says that these people left" in by_name
    assert json.loads(done)["added"] == 2
    assert shown["consents"][0]["evidence"]["ignored"] == ["status"]


def test_guesses_are_reported_rows_are_counted_and_a_useless_table_fails(with_list: Terminal) -> None:
    table = (
        "E-Mail;Vorname;Nachname;Sprache\r\njoerg@example.org;Jörg;Müller;Klingonisch\r\nrosa@example.org;Rosa;;\r\n"
    )
    (with_list.folder / "people.csv").write_bytes((table + "rosa@example.org;;Berg;\r\nnobody;;;\r\n").encode("cp1252"))
    (with_list.folder / "bad.csv").write_text("email\nnobody\nnowhere\n")

    out = with_list("subscribers", "import", "people.csv", "--list", "appeals")
    said = with_list.said
    bad = with_list("subscribers", "import", "bad.csv", "--list", "appeals", code=1)
    exported = with_list("subscribers", "export", "--list", "appeals")

    assert out == (
        "2 added, 0 known before, 1 repeated (the last row counts), 0 kept out (they left), 1 bad rows: 4 rows\n"
    )
    for words in ("read as Windows-1252", "separated by semicolons", "'E-Mail' is read as email", "line 5: 'nobody'"):
        assert words in said
    assert "line 2: 'Klingonisch' is not a language" in said
    assert "2 bad rows: 2 rows" in bad
    assert exported.startswith("\ufeffemail,name,language,zone,nachname,vorname\njoerg@example.org,Jörg Müller,,,")


def test_restoring_reports_reasons_and_spares_those_who_left(with_list: Terminal) -> None:
    restore = ("subscribers", "restore")
    with_list("subscribers", "add", "rosa@example.org", "--list", "appeals", "--invite")

    pending = json.loads(with_list(*restore, "rosa@example.org", "--list", "appeals", "--json", code=1))
    nobody = with_list(*restore, "--since", "2026-12-01T09:00", "--provider", "example.org", "--reason", "full")
    with_list(*restore, "--since", "2026-12-01T09:00", "--reason", "left", code=2)
    said = with_list.said
    with_list(*restore, "rosa@example.org", code=2)
    with_list(*restore, "--since", "yesterday", code=2)

    assert (pending["state"], pending["lifted"]) == ("pending", [])
    assert "have not yet" in pending["why_not"]
    assert nobody.startswith("0 are written to again")
    assert "what people said themselves" in said
