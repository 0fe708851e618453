"""Reading tables of people: separators, encodings, headings, and columns that say who unsubscribed."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailer.domain.subscription import SubscriptionState
from mailer.domain.suppression import SuppressionReason
from mailer.errors import TableRefused
from mailer.importers.column_words import is_departed_file_name, is_state_heading
from mailer.importers.people_csv import BadRow, PeopleTable, read_people, write_cells, write_plain_cells
from mailer.importers.person_row import PersonRow, SuppressionEntry, escape_formula, parse_suppressions
from mailer.importers.table_encoding import guess_encoding, open_table


def table(octets: bytes, *ignored: str, encoding: str | None = None) -> PeopleTable:
    text, _ = open_table(io.BytesIO(octets), encoding)
    return read_people(text, ignored)


def people(octets: bytes, *ignored: str) -> list[PersonRow]:
    rows = [row for _, row in table(octets, *ignored).rows]
    assert not [row for row in rows if isinstance(row, BadRow)], rows
    return [row for row in rows if isinstance(row, PersonRow)]


WORDS = [
    "Jörg",
    "Müller",
    "Noël",
    "Muñoz",
    "Weiß",
    "Rosa",
    "a, b",
    "x;y",
    "p|q",
    'say "hi"',
    '"so"',
    "it's",
    "2 - 3",
    "(z)",
]
WORD = st.lists(st.sampled_from(WORDS), min_size=1, max_size=3).map(" ".join)
ROWS = st.lists(
    st.tuples(st.from_regex(r"[a-z][a-z0-9.]{0,6}[a-z]@example\.(?:org|net)", fullmatch=True), WORD, WORD),
    min_size=1,
    max_size=6,
)
ENCODINGS = ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252"]


@given(
    ROWS.filter(lambda rows: all(".." not in row[0] for row in rows)),
    st.sampled_from([",", ";", "\t", "|"]),
    st.sampled_from(ENCODINGS),
    st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
    st.sampled_from(["\n", "\r\n", "\r"]),
    st.sampled_from([("email", "name", "town"), ("E-Mail", "Name", "Town"), ("EMAIL ADDRESS", "Full Name", "town")]),
    st.booleans(),
)
def test_separator_encoding_and_line_ends_do_not_change_what_is_read(
    rows, separator, encoding, quoting, end, heading, trailing
) -> None:
    more = ("", "") if trailing else ()
    file = io.StringIO()
    writer = csv.writer(file, delimiter=separator, quoting=quoting, lineterminator=end)
    writer.writerows([(*heading, *more), *((*row, *more) for row in rows)])
    octets = file.getvalue().encode(encoding)

    found = people(octets)

    assert [(row.address.addr_spec, row.name, row.attributes) for row in found] == [
        (address, name, {"town": town}) for address, name, town in rows
    ]


SAID = st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1, max_size=8)
INSTANT = st.datetimes(timezones=st.timezones()).map(lambda at: at.isoformat())


@given(
    SAID,
    SAID,
    st.sampled_from(SubscriptionState),
    st.lists(st.sampled_from(SuppressionReason), unique=True),
    st.booleans(),
    st.none() | INSTANT,
)
def test_a_row_of_our_export_is_read_as_it_was_written(name, note, state, reasons, everywhere, since) -> None:
    orders = tuple(SuppressionEntry(reason=one, everywhere=everywhere, since=None) for one in reasons)
    cells = {"email": "=rosa@example.org", "name": name, "state": state, "status": note, "changed_at": since or ""}
    cells["suppressed"] = "; ".join(map(str, orders))
    columns = ["email", "name", "language", "zone", "state", "suppressed", "agreed_at", "changed_at", "status"]
    file = io.StringIO(",".join(columns) + "\n")
    file.seek(0, io.SEEK_END)
    write_cells(file, [[cells.get(column, "") for column in columns]])

    (row,) = people(file.getvalue().encode())

    assert (row.address.addr_spec, row.name, row.attributes) == ("=rosa@example.org", name, {"status": note})
    assert (row.state, row.suppressions) == (state, orders)
    assert (row.changed_at.isoformat() if row.changed_at else None) == since


def test_a_suppression_keeps_its_time_in_a_cell() -> None:
    cell = "bounced everywhere 2027-03-01T08:00:00.000123+00:00; left 2027-02-01T08:00:00+00:00; never everywhere"

    assert "; ".join(map(str, parse_suppressions(cell))) == cell
    for wrong in ("gone", "left yesterday", "left everywhere soon"):
        with pytest.raises(TableRefused, match=r"suppressed holds"):
            parse_suppressions(wrong)


SPEAKS = [
    "status",
    "Status",
    "subscribed_to_emails",
    "email_disabled",
    "blacklisted",
    "unsub_time",
    "CLEAN_TIME",
    "Group Status",
    "confirmed",
    "optin",
    "OPTIN_TIME",
    "opt-out",
    "consent",
    "bounced",
    "deleted_at",
    "Abgemeldet am",
    "Status der Gruppe",
    "HasOptedOutOfEmail",
    "emailStatus",
    "Is this account disabled?",
    "Number of bounces",
    "Do Not Email",
    "GDPR",
    "Estado",
    "État",
    "İptal tarihi",
    "ABONELİK",
    "Отписался",
    "Состояние",
    "الحالة",
    "订阅状态",
    "退订时间",
    "Accepts Marketing",
    "Bestätigt",
    "désabonné le",
    "Statut",
    "data di cancellazione",
    "Data de cancelamento",
    "Abonelik durumu",
    "active_subscription",
    "is_valid",
    "deliverability",
    "suppressedAt",
    "State",
    "fecha_de_baja",
    "Kündigung",
    "geloescht_am",
    "Sperrliste",
    "Zustimmung",
    "disiscritto_il",
    "descadastrado",
    "onaylandı",
    "подтверждён",
    "Newsletter",
    "email_preference",
    "rebotado",
    "complaints",
    "Unsubscribed from all email",
    "isExcludedFromCampaigns",
    "double_opt_in_at",
    "churned_at",
]
ORDINARY = [
    "name",
    "Town",
    "City",
    "Straße",
    "PLZ",
    "Country",
    "Phone Number",
    "MEMBER_RATING",
    "LATITUDE",
    "LEID",
    "NOTES",
    "TAGS",
    "TIMEZONE",
    "GMTOFF",
    "REGION",
    "Birthday",
    "Company",
    "uuid",
    "attributes",
    "created_at",
    "Entered",
    "Unique ID",
    "List Membership",
    "External ID",
    "Nickname",
    "Eingetragen am",
    "Interests",
    "job",
    "Source",
    "Groups",
    "Sprache",
    "Anrede",
    "subscriber id",
    "Real estate",
    "Abteilung",
    "Kreisverband",
    "Ciudad",
    "Город",
    "城市",
    "المدينة",
    "Şehir",
    "labels",
    "tiers",
    "note",
    "SMS",
    "donation",
    "LAST_CHANGED",
    "Organisation",
    "Position",
    "Role",
    "Gender",
    "volunteer",
    "Statement",
    "Estate",
]


@pytest.mark.parametrize("heading", SPEAKS)
def test_a_state_column_refuses_the_table_unless_it_is_ignored(heading: str) -> None:
    octets = f"email,{heading},town\nrosa@example.org,no,Graz\n".encode()

    with pytest.raises(TableRefused, match="nobody is imported") as refused:
        table(octets)

    assert repr(heading) in str(refused.value)
    assert "--ignore-column" in str(refused.value)
    assert [row.attributes for row in people(octets, heading.upper().replace(" ", "_"))] == [{"town": "Graz"}]


@pytest.mark.parametrize("heading", ORDINARY)
def test_an_ordinary_column_is_no_state_column(heading: str) -> None:
    assert not is_state_heading(heading)


def test_all_state_columns_are_named_at_once_and_a_column_to_ignore_must_exist() -> None:
    octets = b"email,status,Bounce count\nrosa@example.org,x,0\n"

    with pytest.raises(
        TableRefused, match=r"'status', 'Bounce count'.*--ignore-column status --ignore-column 'Bounce count'"
    ):
        table(octets)
    with pytest.raises(TableRefused, match="no column is called 'statsu'; there are: email, status, Bounce count"):
        table(octets, "statsu")


@pytest.mark.parametrize(
    "line",
    [
        "email,kategorie\n{},Abgemeldet\n",
        "email,town,\n{},Graz,unsubscribed\n",
        "email,town\n{},Graz,bounced\n",
        "{},opted-out\nemma@example.org,Emma\n",
        "email\n{} (unsubscribed)\n",
        "E-Mail;Bemerkung\n{};Désabonnée\n",
        "email,name,language,zone,state\n{},,,,gone\n",
        "email,name,language,zone,state\n{},,,,\n",
    ],
)
def test_a_cell_that_says_unsubscribed_makes_the_row_bad(line: str) -> None:
    rows = [row for _, row in table(line.format("rosa@example.org").encode()).rows]

    assert isinstance(rows[0], BadRow)


@pytest.mark.parametrize(
    ("cell", "address", "name"),
    [
        ("rosa@example.org\u200b", "rosa@example.org", None),
        ("\ufeff\u00a0rosa@exa\u00admple.org\u00a0", "rosa@example.org", None),
        ("Rosa Berg <rosa@example.org>", "rosa@example.org", "Rosa Berg"),
        ('"""Berg, Rosa"" <rosa@example.org>"', "rosa@example.org", "Berg, Rosa"),
        ("<rosa@example.org>", "rosa@example.org", None),
        ("rosa@example.org (Rosa Berg)", "rosa@example.org", "Rosa Berg"),
        ("mailto:rosa@example.org?subject=Hello", "rosa@example.org", None),
        ("MAILTO: rosa%2Bnews@example.org", "rosa+news@example.org", None),
        ("rosa@example.org.", "rosa@example.org", None),
        ('"rosa@example.org,;"', "rosa@example.org", None),
        ("“rosa@example.org”", "rosa@example.org", None),
        ("'rosa@example.org'", "rosa@example.org", None),
        ("rosa＠example．org", "rosa@example.org", None),
        ("rosa @ example.org", "rosa@example.org", None),
        ('"rosa@example.org\n"', "rosa@example.org", None),
        ('"rosa@example.org; bea@example.org"', "rosa@example.org", None),
        ("o'brien@example.org", "o'brien@example.org", None),
        ("Rosa@EXAMPLE.org", "Rosa@example.org", None),
    ],
)
def test_text_around_an_address_is_ignored(cell: str, address: str, name: str | None) -> None:
    (row,) = people(f"email,town\n{cell},Graz\n".encode())

    assert (row.address.addr_spec, row.name, row.attributes) == (address, name, {"town": "Graz"})


def test_bad_cells_are_left_out_with_a_remark() -> None:
    octets = b"E-Mail,Language,Zeitzone,Notes\nrosa@example.org,Klingonisch,Mars/Base,%b\n" % (b"x" * 600)
    octets += 'emma@example.org,Français,Europe/Paris,"two\nlines"\nbea@example.org,en-US;q=1,,\n'.encode()

    rosa, emma, bea = people(octets)

    assert (rosa.language, rosa.zone, rosa.attributes) == (None, None, {})
    assert len(rosa.remarks) == 3
    assert (emma.language, emma.zone, emma.attributes) == ("fr", "Europe/Paris", {"notes": "two lines"})
    assert (bea.language, bea.remarks) == ("en-us", ())


def test_a_quote_that_is_never_closed_costs_one_row() -> None:
    octets = b'email,name\nrosa@example.org,"Rosa\nemma@example.org,Emma\n'
    octets += b'bea@example.org,"Bea ""B"" Berg"\nada@example.org,"A'

    assert [row.name for row in people(octets)] == ["Rosa", "Emma", 'Bea "B" Berg', "A"]


@pytest.mark.parametrize(
    ("octets", "names", "guess"),
    [
        (
            "sep=;\r\nE-Mail;Vorname;Nachname\r\nrosa@example.org;Rosa;Berg\r\n",
            ["Rosa Berg"],
            "'E-Mail' is read as email",
        ),
        ("Name;Vorname;Mailadresse\nBerg;Rosa;rosa@example.org\n", ["Rosa Berg"], "separated by semicolons"),
        (
            "Members for group X\nEmail address,Nickname\nrosa@example.org,Rosa\n",
            ["Rosa"],
            "'Nickname' is read as name",
        ),
        ("Correo electrónico\tNombre\tApellidos\nrosa@example.org\tRosa\tBerg\n", ["Rosa Berg"], "separated by tabs"),
        ("Adresse e-mail|Prénom|Nom\nrosa@example.org|Rosa|Berg\n", ["Rosa Berg"], "separated by bars"),
        ("E-posta adresi,Ad Soyad\nrosa@example.org,Rosa Berg\n", ["Rosa Berg"], "read as email"),
        ("Электронная почта;Имя;Фамилия\nrosa@example.org;Роза;Берг\n", ["Роза Берг"], "read as email"),
        ("电子邮箱,姓,名\nrosa@example.org,王,芳\n", ["王芳"], "read as email"),
        ("البريد الإلكتروني,الاسم\nrosa@example.org,روزا\n", ["روزا"], "read as email"),
        (
            "E-mail 1 - Label,E-mail 1 - Value,First Name\nHome,rosa@example.org,Rosa\n",
            ["Rosa"],
            "1 - Value' is read as",
        ),
        ("Wer,Kontakt\nx,rosa@example.org\n", [None], "'Kontakt' is read as email"),
        ("rosa@example.org\n\nemma@example.org\n", [None, None], "no heading"),
        ("Berg, Rosa <rosa@example.org>\nemma@example.org\n", ["Berg, Rosa", None], "no heading"),
        ("rosa@example.org\tRosa\nemma@example.org\t\n", ["Rosa", None], "column 1 is read as email"),
    ],
)
def test_headings_are_known_in_many_languages_and_guesses_are_reported(octets: str, names, guess: str) -> None:
    found = table(octets.encode())

    assert guess in " | ".join(found.guessed)
    assert [row.name for _, row in found.rows] == names


@pytest.mark.parametrize(
    "octets",
    [
        b"rosa@example.org,1\nemma@example.org,0\n",
        b"rosa@example.org,Rosa,true\nemma@example.org,Emma,false\n",
        b"date 1304\nemail rosa@example.org\nreception nomail\nsubscribed 1\n\nemail emma@example.org\nbounce 9\n",
        b'{"email": "rosa"}\n',
        b"PK\x03\x04rest",
        b"email\x00\x01\x02\n",
        b"name,town\nrosa@example.org,Graz\n",
        b"",
    ],
)
def test_a_file_that_is_no_table_of_people_is_refused(octets: bytes) -> None:
    with pytest.raises(TableRefused):
        table(octets)


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("Jörg Müller", "cp1252"),
        ("José Muñoz, João Conceição", "cp1252"),
        ("Ayşe Yıldız, Işıl Çağrı", "cp1254"),
        ("Мария Иванова", "cp1251"),
        ("Мария Иванова", "koi8_r"),
        ("علي حسن", "cp1256"),
        ("李小龙", "gb18030"),
        ("陳美玲", "big5"),
        ("Jörg Müller", "mac_roman"),
        ("Łukasz Żółć", "cp1250"),
    ],
)
def test_an_encoding_is_guessed_by_its_letters_and_reported(text: str, encoding: str) -> None:
    octets = f"rosa@example.org;{text}\n".encode(encoding)

    assert octets.decode(guess_encoding(octets)) == octets.decode(encoding)
    said = open_table(io.BytesIO(b"email;name\n" + octets))[1]
    assert "--encoding" in (said or "")
    assert next(table(b"email;name\n" + octets, encoding=encoding).rows)[1].name == text  # type: ignore[union-attr]


def test_an_invalid_octet_in_utf_8_is_read_as_windows_1252() -> None:
    octets = "email,name\nrosa@example.org,Rosä\nemma@example.org,Żółć\n".encode() + b"bea@example.org,B\xe9a\n"

    assert [row.name for row in people(octets)] == ["Rosä", "Żółć", "Béa"]


@pytest.mark.parametrize(
    ("name", "departed"),
    [
        ("unsubscribed_email_audience_export_0a1b", True),
        ("cleaned_members_export_0a1b", True),
        ("nonsubscribed_email_audience_export_0a1b", True),
        ("list_members-n-byuser", True),
        ("members-nomail-bybounces", True),
        ("Abgemeldete 2026", True),
        ("désabonnés", True),
        ("subscribed_email_audience_export_0a1b", False),
        ("list_members-f-r", False),
        ("Verteiler", False),
    ],
)
def test_a_file_name_may_say_that_its_people_unsubscribed(name: str, departed: bool) -> None:
    assert is_departed_file_name(name) is departed


@given(st.lists(st.text(alphabet="ab ='\"+-@,\r\n\t\uff1d", max_size=3), min_size=1, max_size=4))
def test_a_row_without_special_cells_is_written_as_any_other(row: list[str]) -> None:
    written, expected = io.StringIO(newline=""), io.StringIO(newline="")

    write_cells(written, [row])
    write_plain_cells(expected, [[escape_formula(cell) for cell in row]])

    assert written.getvalue() == expected.getvalue()
