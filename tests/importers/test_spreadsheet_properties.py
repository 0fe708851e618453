"""Whatever hands, programs and encodings make of a table of people, the same people are read."""

from __future__ import annotations

import csv
import io
import random
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl import Workbook
from openpyxl.worksheet.worksheet import Worksheet

from mailer.errors import TableRefused
from mailer.importers.bad_row import BadRow
from mailer.importers.export_format import ReadOptions
from mailer.importers.person_row import PersonRow
from mailer.importers.spreadsheet import FORMAT
from tests.importers.test_spreadsheet import CONFIRMED, EVERYBODY_AGREED, PENDING, UNSUBSCRIBED, source_file
from tests.support.app_helpers import ROOT

HEADINGS = [
    ("Email", "Full name", "Language", "Status", "Joined", ("subscribed", "unsubscribed", "pending")),
    ("E-Mail-Adresse", "Name", "Sprache", "Anmeldestatus", "Eingetragen am", ("aktiv", "abgemeldet", "ausstehend")),
    ("Courriel", "Nom complet", "Langue", "Statut", "Inscrit le", ("abonné", "désabonné", "en attente")),
    ("Correo electrónico", "Nombre completo", "Idioma", "Estado", "Fecha de alta", ("activo", "baja", "pendiente")),
    ("Indirizzo e-mail", "Nome completo", "Lingua", "Stato", "Iscritto il", ("iscritto", "disiscritto", "in attesa")),
    ("Endereço de e-mail", "Nome completo", "Idioma", "Situação", "Inscrito em", ("ativo", "cancelado", "pendente")),
    ("E-posta", "Ad Soyad", "Dil", "Durum", "Kayıt tarihi", ("aktif", "ayrıldı", "beklemede")),
    ("Электронная почта", "ФИО", "Язык", "Статус", "Дата подписки", ("подписан", "отписан", "ожидает")),
    ("البريد الإلكتروني", "الاسم", "اللغة", "الحالة", "تاريخ الاشتراك", ("مشترك", "غير مشترك", "قيد الانتظار")),
    ("电子邮箱", "姓名", "语言", "状态", "订阅日期", ("已订阅", "已退订", "待确认")),
]
STATES = (CONFIRMED, UNSUBSCRIBED, PENDING)
ADDRESSES = st.from_regex(
    r"[a-z][a-z0-9]{0,6}(?:[._+-][a-z0-9]{1,4})?@[a-z]{2,8}\.example\.(?:org|net)", fullmatch=True
)
NAMES = st.sampled_from(
    ["Rosa Berg", "Jörg Müller", "Ayşe Yıldız", "Noël, Élodie", 'Bea "B" Weiß', "Żółć; Ada", "王芳", ""]
)
PERSON = st.tuples(
    ADDRESSES,
    NAMES,
    st.sampled_from([("de", "Deutsch"), ("tr", "tr"), ("pt-br", "pt-BR"), (None, "")]),
    st.integers(0, 2),
    st.dates(min_value=date(1990, 1, 1), max_value=date(2030, 1, 1)),
)
TABLE = st.lists(PERSON, min_size=1, max_size=6, unique_by=lambda person: person[0])
DATES = st.sampled_from(["%Y-%m-%d", "%d.%m.%Y", "%Y-%m-%dT00:00:00Z"])


def expected(table) -> list[tuple[object, ...]]:
    return [
        (address, name or None, tag, STATES[state], None if state == 1 else joined)
        for address, name, (tag, _), state, joined in table
    ]


def found(octets: bytes, options: ReadOptions, name: str) -> list[tuple[object, ...]]:
    rows = [row for _, row in FORMAT.read([source_file(octets, name)], options).rows]
    assert all(isinstance(row, PersonRow) for row in rows), rows
    return [
        (row.address.addr_spec, row.name, row.language, row.state, row.changed_at and row.changed_at.date())
        for row in rows
        if isinstance(row, PersonRow)
    ]


@given(
    TABLE,
    st.sampled_from(HEADINGS),
    st.sampled_from([",", ";", "\t", "|"]),
    st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-32", "utf-16-le", "cp1252"]),
    st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
    st.sampled_from(["\n", "\r\n"]),
    DATES,
    st.tuples(st.booleans(), st.booleans(), st.booleans()),
)
def test_a_text_in_any_dialect_holds_the_same_people(
    table, headings, delimiter, encoding, quoting, end, days, extras
) -> None:
    titled, declared, padded = extras
    more = ["", ""] if padded else []
    words = headings[5]
    file = io.StringIO(newline="")
    if declared:
        file.write(f"sep={delimiter}{end}")
    writer = csv.writer(file, delimiter=delimiter, quoting=quoting, lineterminator=end)
    if titled:
        writer.writerow(["2026", *[""] * 4, *more])
    writer.writerow([*headings[:5], *more])
    for address, name, (_, language), state, joined in table:
        writer.writerow([address, name, language, words[state], joined.strftime(days), *more])
    text = file.getvalue()
    encoded = text.encode(encoding, "ignore")
    if encoded.decode(encoding) != text:
        encoding, encoded = "utf-8", text.encode()

    options = ReadOptions(encoding=encoding if encoding == "cp1252" else None)

    assert found(encoded, options, "readers.csv") == expected(table)


@settings(max_examples=20)
@given(TABLE, st.sampled_from(HEADINGS), st.booleans(), st.booleans())
def test_a_workbook_holds_the_same_people(table, headings, titled, dated) -> None:
    workbook = Workbook()
    sheet = workbook.active
    assert isinstance(sheet, Worksheet)
    if titled:
        sheet.append(["2026"])
        sheet.append([])
    sheet.append(headings[:5])
    for address, name, (_, language), state, joined in table:
        cells = [address, name, language, headings[5][state], joined if dated else joined.isoformat()]
        sheet.append([cell or None for cell in cells])
    octets = io.BytesIO()
    workbook.save(octets)

    assert found(octets.getvalue(), ReadOptions(), "readers.xlsx") == expected(table)


@given(st.binary(max_size=120), st.integers(0, 90), st.randoms(use_true_random=False))
def test_a_damaged_text_gives_rows_or_a_refusal(noise: bytes, at: int, rng: random.Random) -> None:
    whole = "E-Mail;Name;Status\r\nrosa@example.org;Rosa;aktiv\r\nemma@example.org;Émma;abgemeldet\r\n".encode()
    octets = bytearray(whole[:at] + noise + whole[at + rng.randint(0, 9) :])

    try:
        rows = list(FORMAT.read([source_file(bytes(octets))], ReadOptions()).rows)
    except TableRefused:
        return
    assert all(isinstance(row, PersonRow | BadRow) for _, row in rows)
    assert not any(
        isinstance(row, PersonRow) and row.address.key == "emma@example.org" and row.state is CONFIRMED
        for _, row in rows
        if b"abgemeldet\r\n" in octets
    )


@given(st.text(max_size=12), st.sampled_from(["Status", "Newsletter", "Bestätigt", "unsubscribed", "Bounced"]))
def test_a_cell_of_any_text_makes_nobody_confirmed_by_accident(cell: str, heading: str) -> None:
    file = io.StringIO(newline="")
    csv.writer(file).writerows(
        [["email", heading, "opt-in"], ["rosa@example.org", cell, "no"], ["a@example.org", "", ""]]
    )

    try:
        people = [row for _, row in FORMAT.read([source_file(file.getvalue())], EVERYBODY_AGREED).rows]
    except TableRefused:
        return
    assert all(not isinstance(row, PersonRow) or row.state is not CONFIRMED for row in people)


PROGRAM = """
import sys
from mailer.domain.subscription import SubscriptionState
from mailer.importers.export_format import ReadOptions
from mailer.importers.person_row import PersonRow
from mailer.importers.source_files import SourceFile
from mailer.importers.spreadsheet import FORMAT
from tests.support.peak_memory import peak_kib
file = SourceFile(name=sys.argv[1], size=0, open=lambda: open(sys.argv[1], "rb"))
export = FORMAT.read([file], ReadOptions(state=SubscriptionState.CONFIRMED))
people = sum(isinstance(row, PersonRow) for _, row in export.rows)
print(people, peak_kib() >> 10)
"""


def _people_and_megabytes(path: Path) -> tuple[int, int]:
    run = subprocess.run([sys.executable, "-c", PROGRAM, path], capture_output=True, text=True, cwd=ROOT, check=True)
    people, megabytes = map(int, run.stdout.split())
    return people, megabytes


@pytest.mark.slow
def test_a_million_rows_of_text_take_no_more_memory_than_a_few(tmp_path: Path) -> None:
    few, many = tmp_path / "few.csv", tmp_path / "many.csv"
    for path, number in ((few, 1000), (many, 1_000_000)):
        with path.open("w") as file:
            file.write("E-Mail;Vorname;Nachname;Ort\n")
            file.writelines(f"reader{at}@example.org;Rosa;Berg {at};Graz\n" for at in range(number))

    people, megabytes = _people_and_megabytes(many)

    assert people == 1_000_000
    assert megabytes < _people_and_megabytes(few)[1] + 20


@pytest.mark.slow
def test_a_workbook_of_a_hundred_thousand_rows_is_read_in_200_mb(tmp_path: Path) -> None:
    path = tmp_path / "many.xlsx"
    workbook = Workbook(write_only=True)
    sheet = workbook.create_sheet("Readers")
    sheet.append(["E-Mail", "Vorname", "Nachname", "Seit", "Ort", "PLZ"])
    for at in range(100_000):
        sheet.append(
            [f"reader{at}@example.org", "Rosa", f"Berg {at}", date(2024, 1, 1 + at % 28), "Graz", 8000 + at % 99]
        )
    workbook.save(path)

    people, megabytes = _people_and_megabytes(path)

    assert people == 100_000
    assert megabytes < 200
