"""The demo's invented people, and the sample texts they are sent."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from pathlib import Path
from zoneinfo import available_timezones

import pytest

from mailer.demo import people as people_module
from mailer.demo.people import COLUMNS, invented_people, write_csv
from mailer.domain.address import parse_address
from mailer.importers.bad_row import BadRow
from mailer.importers.people_csv import read_people
from mailer.mail.compose.campaign_file import parse_campaign_file

SAMPLES = sorted((Path(people_module.__file__).parent / "samples").glob("*.md"))


def test_everyone_has_an_address_of_their_own_that_we_could_mail_and_nobody_owns() -> None:
    addresses = [parse_address(person["email"]) for person in invented_people(3000, 1)]

    assert len({address.mailbox_key for address in addresses}) == 3000
    assert all(address.addr_spec.isascii() for address in addresses)
    assert {address.domain for address in addresses} == {"example.org", "example.com", "example.net"}


def test_each_language_is_spoken_by_a_third_in_zones_that_exist() -> None:
    people = list(invented_people(300, 1))

    assert Counter(person["language"] for person in people) == {"en": 100, "de": 100, "tr": 100}
    assert {person["zone"] for person in people} <= available_timezones()
    assert {person["zone"] for person in people if person["language"] == "tr"} == {"Europe/Istanbul"}


def test_the_same_seed_invents_the_same_people_and_another_seed_others() -> None:
    assert list(invented_people(50, 7)) == list(invented_people(50, 7))
    assert list(invented_people(50, 7)) != list(invented_people(50, 8))


@pytest.mark.parametrize(
    ("first", "local"),
    [("Jürgen", "juergen"), ("Çağrı", "cagri"), ("Işıl", "isil"), ("İlker", "ilker"), ("Ömer", "omer"), ("Zoë", "zoe")],
)
def test_names_keep_their_letters_and_addresses_spell_them_in_ascii(first: str, local: str) -> None:
    found = [person for person in invented_people(3000, 1) if person["name"].startswith(f"{first} ")]

    assert found
    assert all(person["email"].startswith(f"{local}.") for person in found)


def test_the_table_reads_back_as_the_same_people() -> None:
    file = io.StringIO(newline="")

    write_csv(invented_people(30, 1), file)

    file.seek(0)
    table = csv.DictReader(file)
    assert list(table) == list(invented_people(30, 1))
    assert tuple(table.fieldnames or ()) == COLUMNS


def test_the_table_can_be_imported_without_a_single_bad_row() -> None:
    file = io.StringIO(newline="")
    write_csv(invented_people(1000, 1), file)
    file.seek(0)

    rows = [row for _, row in read_people(file).rows]

    assert len(rows) == 1000
    assert not [row for row in rows if isinstance(row, BadRow)]


def test_both_appeals_are_written_in_all_three_languages() -> None:
    assert [path.name for path in SAMPLES] == [
        f"{appeal}.{language}.md" for appeal in ("harvest_forum", "library") for language in ("de", "en", "tr")
    ]


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.name)
def test_a_sample_is_a_whole_appeal_once_its_hour_is_filled_in(path: Path) -> None:
    written = path.read_text(encoding="utf-8")

    manuscript = parse_campaign_file(written.replace("EVENT_STARTS", "2026-12-04T19:00"), "xx")

    assert written.count("EVENT_STARTS") == 1
    assert manuscript.language == path.name.split(".")[1]
    assert manuscript.template == ("invitation" if path.name.startswith("harvest") else "appeal")
    assert manuscript.event is not None
    assert manuscript.event.starts_at.isoformat() == "2026-12-04T19:00:00+01:00"
    assert manuscript.action is not None
    assert manuscript.source is not None
    assert all((manuscript.title, manuscript.lead, manuscript.preheader, manuscript.closing, manuscript.tags))
    assert manuscript.merge_field_names == {"name"}
    assert 120 <= len(manuscript.body.split()) <= 200
    assert all(mark in manuscript.body for mark in ("\n- ", "**", "]("))


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.name)
def test_a_sample_names_only_example_domains_and_greets_those_whose_name_is_unknown(path: Path) -> None:
    manuscript = path.read_text(encoding="utf-8")

    assert set(re.findall(r"https?://([^/\s)]+)", manuscript)) == {"www.example.org"}
    holes = re.findall(r"{{.*?}}", manuscript)
    assert len(holes) == 2
    assert all(re.fullmatch(r'{{ name or "[^"]+" }}', field) for field in holes)
