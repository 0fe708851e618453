"""Any spreadsheet: what its columns mean, who in it agreed, and what is refused."""

from __future__ import annotations

import io
from datetime import UTC, datetime

import pytest

from mailer.domain.subscription import SubscriptionState
from mailer.domain.suppression import SuppressionReason
from mailer.errors import TableRefused
from mailer.importers.bad_row import BadRow, LeftBehind
from mailer.importers.export_format import ExportRows, ReadOptions
from mailer.importers.person_row import EvidenceGrade, PersonRow, SuppressionEntry
from mailer.importers.source_files import SourceFile
from mailer.importers.spreadsheet import FORMAT

CONFIRMED, PENDING, UNSUBSCRIBED = (
    SubscriptionState.CONFIRMED,
    SubscriptionState.PENDING,
    SubscriptionState.UNSUBSCRIBED,
)
BOUNCED, COMPLAINED, LEFT = SuppressionReason.BOUNCED, SuppressionReason.COMPLAINED, SuppressionReason.LEFT
EVERYBODY_AGREED = ReadOptions(state=CONFIRMED)


def source_file(octets: bytes | str, name: str = "readers.csv") -> SourceFile:
    content = octets.encode() if isinstance(octets, str) else octets
    return SourceFile(name=name, size=len(content), open=lambda: io.BytesIO(content))  # type: ignore[arg-type,return-value]


def read(octets: bytes | str, options: ReadOptions = EVERYBODY_AGREED, name: str = "readers.csv") -> ExportRows:
    return FORMAT.read(FORMAT.find_files([source_file(octets, name)]), options)


def rows(octets: bytes | str, options: ReadOptions = EVERYBODY_AGREED, name: str = "readers.csv") -> list[object]:
    return [row for _, row in read(octets, options, name).rows]


def people(octets: bytes | str, options: ReadOptions = EVERYBODY_AGREED, name: str = "readers.csv") -> list[PersonRow]:
    found = rows(octets, options, name)
    assert not [row for row in found if not isinstance(row, PersonRow)], found
    return [row for row in found if isinstance(row, PersonRow)]


def entry(reason: SuppressionReason, *, everywhere: bool = False, since: datetime | None = None) -> SuppressionEntry:
    return SuppressionEntry(reason=reason, everywhere=everywhere, since=since)


def test_a_hand_made_table_is_read_whole_and_its_bad_lines_are_named() -> None:
    table = (
        "\ufeffE-Mail;Vorname;Nachname;Sprache;Eingetragen am;\r\n"
        "rosa.berg@example.org;Rosa;Berg;Englisch;24.12.2025;\r\n"
        "Emma@example.net;Emma;Weiß ;de;01.02.24;\r\n"
        '"Bea Ruiz <bea@example.com>";;;es;;\r\n'
        "kein-at-zeichen;Kurt;;;;\r\n"
        ";;;;;\r\n"
        "\u00a0mailto:olga@example.org\u200b;Olga;;Türkisch;3/4/2024;\r\n"
        "Summe;4;;;;\r\n"
    )

    export = read(table)
    found = dict(export.rows)

    rosa, emma, bea, olga = (found[line] for line in (2, 3, 4, 7))
    assert isinstance(rosa, PersonRow)
    assert (rosa.name, rosa.language, rosa.state) == ("Rosa Berg", "en", CONFIRMED)
    assert rosa.changed_at == datetime(2025, 12, 24, tzinfo=UTC)
    assert rosa.evidence == {"eingetragen_am": "24.12.2025"}
    assert isinstance(emma, PersonRow)
    assert (emma.address.addr_spec, emma.name, emma.changed_at) == (
        "Emma@example.net",
        "Emma Weiß",
        datetime(2024, 2, 1, tzinfo=UTC),
    )
    assert isinstance(bea, PersonRow)
    assert (bea.address.addr_spec, bea.name, bea.language) == ("bea@example.com", "Bea Ruiz", "es")
    assert isinstance(olga, PersonRow)
    assert (olga.address.addr_spec, olga.language, olga.changed_at) == ("olga@example.org", "tr", None)
    assert olga.evidence == {"eingetragen_am": "3/4/2024"}
    assert "no clear date" in olga.remarks[0]
    bad = [row for row in found.values() if isinstance(row, BadRow)]
    assert [one.where for one in bad] == ["line 5", "line 8"]
    assert all("no address" in one.reason for one in bad)
    assert "column 'Eingetragen am' is read as the day on which they joined" in export.guessed


@pytest.mark.parametrize("table", ["email,name\nrosa@example.org,Rosa\n", "rosa@example.org\n", "a@example.org;A\n"])
def test_a_table_that_does_not_say_who_agreed_needs_a_word_on_it(table: str) -> None:
    with pytest.raises(TableRefused, match="says nothing about who agreed: --state confirmed if each of them did"):
        read(table, ReadOptions())

    assert {row.state for row in people(table, ReadOptions(state=PENDING))} == {PENDING}


def test_a_table_that_says_only_who_left_needs_a_word_on_the_others() -> None:
    table = "email,Abgemeldet am\nrosa@example.org,\nemma@example.org,03.05.2024\nbea@example.org,-\n"

    with pytest.raises(TableRefused, match=r"who left \('Abgemeldet am'\), but nothing about who agreed: --state"):
        read(table, ReadOptions())

    rosa, emma, bea = people(table)
    assert (rosa.state, emma.state, bea.state) == (CONFIRMED, UNSUBSCRIBED, CONFIRMED)
    assert emma.changed_at == datetime(2024, 5, 3, tzinfo=UTC)


STATES = [
    ("Status", "confirmed", CONFIRMED, ()),
    ("Status", "Aktiv", CONFIRMED, ()),
    ("Status", "ja", CONFIRMED, ()),
    ("Status", "nein", UNSUBSCRIBED, ()),
    ("Status", "Abgemeldet", UNSUBSCRIBED, ()),
    ("Statut", "désinscrite", UNSUBSCRIBED, ()),
    ("Estado", "dado de baja", UNSUBSCRIBED, ()),
    ("Stato", "iscritto", CONFIRMED, ()),
    ("Situação", "cancelado", UNSUBSCRIBED, ()),
    ("Durum", "onay bekliyor", PENDING, ()),
    ("Статус", "отписался", UNSUBSCRIBED, ()),
    ("الحالة", "مشترك", CONFIRMED, ()),
    ("状态", "退订", UNSUBSCRIBED, ()),
    ("status", "bounced", CONFIRMED, (entry(BOUNCED),)),
    ("status", "complained", UNSUBSCRIBED, (entry(COMPLAINED, everywhere=True),)),
    ("status", "blacklisted", UNSUBSCRIBED, (entry(LEFT, everywhere=True),)),
    ("status", "banned", None, (entry(SuppressionReason.BANNED),)),
    ("status", "paused", CONFIRMED, (entry(SuppressionReason.PAUSED),)),
    ("status", "non-subscribed", None, ()),
    ("Newsletter", "ja", CONFIRMED, ()),
    ("Newsletter", "x", CONFIRMED, ()),
    ("Newsletter", "nein", UNSUBSCRIBED, ()),
    ("opt-in", "TRUE", CONFIRMED, ()),
    ("opt-in", "FALSE", UNSUBSCRIBED, ()),
    ("Opt_In", "0", UNSUBSCRIBED, ()),
    ("Bestätigt", "nein", PENDING, ()),
    ("Bülten", "hayır", UNSUBSCRIBED, ()),
    ("Рассылка", "да", CONFIRMED, ()),
    ("订阅", "否", UNSUBSCRIBED, ()),
]


@pytest.mark.parametrize(("heading", "cell", "state", "suppressions"), STATES)
def test_a_column_that_says_who_agreed_is_read(heading, cell, state, suppressions) -> None:
    table = f"email;{heading}\nrosa@example.org;{cell}\nemma@example.org;subscribed\n"

    rosa = people(table, ReadOptions())[0]

    assert (rosa.state, rosa.suppressions) == (state, suppressions)
    assert cell in rosa.evidence.values()


@pytest.mark.parametrize(
    ("heading", "cell", "state", "suppressions"),
    [
        ("unsubscribed", "x", UNSUBSCRIBED, ()),
        ("unsubscribed", "no", CONFIRMED, ()),
        ("Unsubscribed", "FALSE", CONFIRMED, ()),
        ("Austritt", "ja", UNSUBSCRIBED, ()),
        ("unsub_time", "1714700000", UNSUBSCRIBED, ()),
        ("unsubscribed_at", "0000-00-00 00:00:00", CONFIRMED, ()),
        ("bounced", "1", CONFIRMED, (entry(BOUNCED),)),
        ("Spam complaint", "yes", UNSUBSCRIBED, (entry(COMPLAINED, everywhere=True),)),
        ("Blacklisted", "true", UNSUBSCRIBED, (entry(LEFT, everywhere=True),)),
        ("Do not email", "1", UNSUBSCRIBED, ()),
        ("Désinscrit le", "3/4/2024", UNSUBSCRIBED, ()),
    ],
)
def test_a_yes_below_a_heading_that_means_no_keeps_letters_away(heading, cell, state, suppressions) -> None:
    (rosa,) = people(f"email;{heading}\nrosa@example.org;{cell}\n")

    assert (rosa.state, rosa.suppressions) == (state, suppressions)


@pytest.mark.parametrize(
    ("heading", "cell"),
    [
        ("Status", "vielleicht"),
        ("Status", ""),
        ("Status", "1"),
        ("Newsletter", "Rundbrief"),
        ("Newsletter", ""),
        ("Newsletter", "12345"),
        ("unsubscribed", "perhaps"),
        ("unsubscribed", "#N/A"),
        ("opt-in", "#REF!"),
    ],
)
def test_who_agreed_is_never_taken_from_a_cell_that_is_not_understood(heading: str, cell: str) -> None:
    table = f"email;town;{heading}\nrosa@example.org;Graz;{cell}\nemma@example.org;Graz;yes\n"

    rosa, emma = rows(table)

    assert isinstance(rosa, BadRow)
    assert heading in rosa.reason
    assert isinstance(emma, PersonRow)


def test_the_strictest_of_several_columns_counts() -> None:
    table = (
        "email,Newsletter,Bestätigt,Abgemeldet am,Bounced\n"
        "a@example.org,ja,ja,,\n"
        "b@example.org,ja,nein,,\n"
        "c@example.org,ja,ja,2024-05-03,\n"
        "d@example.org,ja,ja,,x\n"
        "e@example.org,,,2024-05-03,\n"
        "f@example.org,,,,x\n"
        "g@example.org,ja,,,\n"
    )

    a, b, c, d, e, f, g = rows(table, ReadOptions())

    states = [row.state for row in (a, b, c, d, e, f) if isinstance(row, PersonRow)]
    assert states == [CONFIRMED, PENDING, UNSUBSCRIBED, CONFIRMED, UNSUBSCRIBED, None]
    assert [row.suppressions for row in (d, f) if isinstance(row, PersonRow)] == [(entry(BOUNCED),)] * 2
    assert isinstance(g, BadRow)


def test_a_column_of_yes_and_no_may_hold_the_day_on_which_they_agreed() -> None:
    table = "email,Einwilligung\nrosa@example.org,24.12.2023\nemma@example.org,nein\n"

    rosa, emma = people(table, ReadOptions())

    assert (rosa.state, rosa.agreed_at, rosa.evidence_grade) == (
        CONFIRMED,
        datetime(2023, 12, 24, tzinfo=UTC),
        EvidenceGrade.SOME,
    )
    assert (emma.state, emma.agreed_at, emma.evidence_grade) == (UNSUBSCRIBED, None, EvidenceGrade.NONE)


def test_days_are_read_as_they_are_written_and_proofs_are_kept_as_evidence() -> None:
    table = (
        "email;Zustimmung am;seit;Opt-in IP;Abmeldegrund;Status\n"
        "rosa@example.org;2024-02-01 10:30;45321;192.0.2.7;;aktiv\n"
        "emma@example.org;;2020-01-01;;zu viel;abgemeldet\n"
    )

    rosa, emma = people(table, ReadOptions(zone="Europe/Berlin"))

    assert rosa.agreed_at == datetime(2024, 2, 1, 9, 30, tzinfo=UTC)
    assert rosa.changed_at == datetime(2024, 1, 29, 23, tzinfo=UTC)
    assert rosa.evidence["optin_ip"] == "192.0.2.7"
    assert (emma.changed_at, emma.evidence["reason"], emma.evidence["seit"]) == (None, "zu viel", "2020-01-01")
    assert emma.attributes == {}

    rosa = people(table, ReadOptions())[0]
    assert (rosa.agreed_at, rosa.changed_at) == (None, datetime(2024, 1, 30, tzinfo=UTC))
    assert rosa.remarks == ("'2024-02-01 10:30' has no time zone (--zone): it is kept as text",)


@pytest.mark.parametrize(
    ("heading", "cell"),
    [
        ("Number of bounces", "0"),
        ("active_subscription", "true"),
        ("State", "CA"),
        ("Newsletter", "Rundbrief"),
        ("Bounce score", "3"),
    ],
)
def test_a_column_that_may_say_who_agreed_is_asked_about(heading: str, cell: str) -> None:
    table = f"email,{heading},town\nrosa@example.org,{cell},Graz\n"

    with pytest.raises(TableRefused, match="nobody is imported") as refused:
        read(table)

    assert repr(heading) in str(refused.value)
    assert "--column state=" in str(refused.value)
    ignoring = ReadOptions(state=CONFIRMED, ignored=frozenset({heading.upper()}))
    assert people(table, ignoring)[0].attributes == {"town": "Graz"}
    renaming = ReadOptions(state=CONFIRMED, columns={"region": (heading,)})
    assert people(table, renaming)[0].attributes == {"region": cell, "town": "Graz"}


def test_columns_are_what_the_organiser_says() -> None:
    table = (
        "Kontakt;Ruf;Fam;Wo;L;Z;Gilt;Wann;E-Mail\n"
        "rosa@example.org;Rosa;Berg;Graz;Deutsch;Europe/Vienna;1;24.12.2023;old@example.org\n"
        "emma@example.org;Emma;;;;;0;;\n"
    )
    columns = {
        "email": ("kontakt",),
        "name": ("Fam", "Ruf"),
        "first_name": ("Ruf",),
        "home_town": ("Wo",),
        "language": ("L",),
        "zone": ("Z",),
        "state": ("Gilt",),
        "agreed_at": ("Wann",),
    }

    export = read(table, ReadOptions(columns=columns))
    rosa, emma = (row for _, row in export.rows)

    assert isinstance(rosa, PersonRow)
    assert (rosa.address.addr_spec, rosa.name, rosa.language, rosa.zone) == (
        "rosa@example.org",
        "Berg Rosa",
        "de",
        "Europe/Vienna",
    )
    assert rosa.attributes == {"home_town": "Graz", "e_mail": "old@example.org"}
    assert (rosa.state, rosa.agreed_at) == (CONFIRMED, datetime(2023, 12, 24, tzinfo=UTC))
    assert isinstance(emma, PersonRow)
    assert (emma.name, emma.state) == ("Emma", UNSUBSCRIBED)


@pytest.mark.parametrize(
    "options",
    [
        ReadOptions(state=CONFIRMED, columns={"email": ("Mehl",)}),
        ReadOptions(state=CONFIRMED, columns={"name": ("Vorname", "Mehl")}),
        ReadOptions(state=CONFIRMED, columns={"state": ("Mehl",)}),
        ReadOptions(state=CONFIRMED, ignored=frozenset({"Mehl"})),
    ],
)
def test_a_heading_that_does_not_exist_is_refused_with_those_that_do(options: ReadOptions) -> None:
    with pytest.raises(TableRefused, match=r"no column is called 'Mehl'; there are: E-Mail, Vorname, Ort"):
        read("Verteiler 2026;;\nE-Mail;Vorname;Ort\nrosa@example.org;Rosa;Graz\n", options)


def test_a_name_for_an_attribute_must_be_one() -> None:
    with pytest.raises(TableRefused, match=r"--column Wo: it must be email, .* or a name of a-z"):
        read("E-Mail;Ort\nrosa@example.org;Graz\n", ReadOptions(state=CONFIRMED, columns={"Wo": ("Ort",)}))


def test_columns_of_one_name_are_told_apart_and_empty_ones_do_no_harm() -> None:
    table = ";E-Mail;Telefon;;Telefon;;\n;rosa@example.org;1;;2;;\n;emma@example.org;3;note;4;;\n"

    rosa, emma = people(table)

    assert rosa.attributes == {"telefon": "1", "telefon_2": "2"}
    assert emma.attributes == {"telefon": "3", "telefon_2": "4"}
    assert emma.remarks == ("has a cell without a heading: left out",)


def test_a_heading_of_two_lines_whose_cells_span_columns_is_one() -> None:
    rows_below = "rosa@example.org,Rosa,Berg,Graz,ja\nemma@example.org,Emma,Weiß,Wien,nein\n"
    table = f"E-Mail,Name,,Ort,\n,Vorname,Nachname,,Newsletter\n{rows_below}"

    rosa, emma = people(table, ReadOptions())

    assert (rosa.name, rosa.attributes["ort"], rosa.state) == ("Rosa Berg", "Graz", CONFIRMED)
    assert (emma.name, emma.state) == ("Emma Weiß", UNSUBSCRIBED)
    with pytest.raises(TableRefused, match=r"'Newsletter Garten', 'Newsletter Stadt' may say who agreed"):
        read(f"E-Mail,,,Newsletter,\n,Vorname,Nachname,Garten,Stadt\n{rows_below}")


def test_a_row_with_more_cells_than_headings_is_bad_where_a_cell_says_who_left() -> None:
    table = "email,town,unsubscribed\nrosa@example.org,Graz, Styria,yes\nemma@example.org,Graz,\n"

    rosa, emma = rows(table)

    assert isinstance(rosa, BadRow)
    assert isinstance(emma, PersonRow)


def test_a_file_whose_name_says_that_they_left_is_believed() -> None:
    export = read("email\nrosa@example.org\n", name="Abgemeldete 2026.csv")

    assert "its name says that these people left" in " ".join(export.guessed)
    assert [row.state for _, row in export.rows if isinstance(row, PersonRow)] == [UNSUBSCRIBED]


def test_all_tables_of_a_folder_are_read_and_what_is_none_is_left_behind() -> None:
    files = [
        source_file("email\nrosa@example.org\nnobody\n", "2026/active.csv"),
        source_file("email\nemma@example.org\n", "2026/unsubscribed.csv"),
        source_file("How to use these files:\nask the office.\n", "2026/README.txt"),
        source_file("{}", "2026/list.json"),
    ]

    found = FORMAT.find_files(files)
    export = FORMAT.read(found, EVERYBODY_AGREED)
    rosa, bad, emma, left_behind = (row for _, row in export.rows)

    assert [one.name for one in found] == [one.name for one in files[:3]]
    assert isinstance(rosa, PersonRow)
    assert isinstance(emma, PersonRow)
    assert (rosa.state, emma.state) == (CONFIRMED, UNSUBSCRIBED)
    assert isinstance(bad, BadRow)
    assert bad.where == "2026/active.csv, line 3"
    assert isinstance(left_behind, LeftBehind)
    assert left_behind.place == "2026/README.txt"


@pytest.mark.parametrize(
    ("name", "octets", "why"),
    [
        ("old.xls", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "old Excel"),
        (
            "locked.xlsx",
            b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600) + "EncryptedPackage".encode("utf-16-le"),
            "password",
        ),
        ("mine.ods", b"PK nothing", "no workbook"),
        ("readers.csv", b"\x1f\x8b\x08", "archive"),
        ("readers.csv", b"", "no column holds addresses"),
        ("readers.csv", b"a\0\0\0", "no text"),
    ],
)
def test_what_cannot_be_read_is_refused_by_name_with_what_to_do(name: str, octets: bytes, why: str) -> None:
    with pytest.raises(TableRefused, match=why) as refused:
        read(octets, name=name)

    assert str(refused.value).startswith(f"{name}: ")
