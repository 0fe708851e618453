"""Exports of services are recognised by their own reader alone, and damaged ones end in a refusal or in rows."""

from __future__ import annotations

import csv
import io
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailer.domain.subscription import SubscriptionState
from mailer.errors import TableRefused
from mailer.importers import spreadsheet
from mailer.importers.bad_row import BadRow, LeftBehind
from mailer.importers.export_format import ReadOptions
from mailer.importers.export_formats import FORMATS
from mailer.importers.person_row import PersonRow
from tests.support.export_files import source_files
from tests.support.recognized_exports import read_export, read_people, recognized_name
from tests.support.service_exports import EXPORTS

FILES = [(product, name, text) for product, files in EXPORTS.items() for name, text in files.items()]
BY_NAME = {one.name: one for one in FORMATS}


@pytest.mark.parametrize(("product", "name", "text"), FILES, ids=[f"{product}:{name}" for product, name, _ in FILES])
def test_one_reader_recognises_a_file_whatever_its_name(product: str, name: str, text: str) -> None:
    for called in (name, f"old/{name}", ""):
        found = [
            one for one in FORMATS if one is not spreadsheet.FORMAT and one.find_files(source_files({called: text}))
        ]

        assert [one.name for one in found] == [product] == [recognized_name({called: text})]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
@pytest.mark.parametrize(("product", "name", "text"), FILES, ids=[f"{product}:{name}" for product, name, _ in FILES])
def test_other_encodings_and_line_ends_change_nothing(product: str, name: str, text: str, encoding: str) -> None:
    options = ReadOptions(state=SubscriptionState.CONFIRMED)
    changed = text.replace("\r\n", "\n").replace("\n", "\r\n").encode(encoding)

    assert list(read_export({name: changed}, options).rows) == list(read_export({name: text}, options).rows)


TABLES = {
    "keila": ("Email,First name,Last name,Data,Status", "{0},{1},,,active"),
    "ghost": ("email,name,subscribed_to_emails", "{0},{1},true"),
    "substack": ("Email,Name,Stripe plan,Type", "{0},{1},,Free"),
    "google-groups": ("Email address,Nickname,Group status,Email preference", "{0},{1},member,All email"),
    "brevo": ("CONTACT ID,EMAIL,FIRSTNAME,_SUBSCRIBED", "1,{0},{1},email_marketing"),
    "mailchimp": ("Email Address,First Name,OPTIN_TIME,CONFIRM_TIME,UNSUB_TIME,LEID", "{0},{1},,,,1"),
}
"""The headings of tables, and a row of them for an address and a name."""
NAMES = st.text(st.characters(codec="utf-8", categories=["L", "N", "P", "S"]), min_size=1, max_size=9).filter(
    lambda name: not name.startswith(("'", "=", "+", "-", "@"))
)


@pytest.mark.parametrize("product", TABLES)
@settings(max_examples=20)
@given(
    names=st.lists(NAMES, min_size=1, max_size=4),
    delimiter=st.sampled_from(",;\t"),
    quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
)
def test_people_of_a_table_are_read_back(product: str, names: list[str], delimiter: str, quoting: int) -> None:
    heading, row = TABLES[product]
    file = io.StringIO()
    writer = csv.writer(file, delimiter=delimiter, quoting=quoting)  # type: ignore[arg-type]
    writer.writerow(heading.split(","))
    for at, name in enumerate(names):
        writer.writerow(cell.format(f"p{at}@example.org", name) for cell in row.split(","))

    people = read_people({"": file.getvalue()})

    assert {key: person.name for key, person in people.items()} == {
        f"p{at}@example.org": name for at, name in enumerate(names)
    }


@pytest.mark.parametrize("product", EXPORTS)
def test_what_lies_beside_an_export_is_left_alone(product: str) -> None:
    beside = {"posts/1.html": "<p>Plums</p>", "readme.txt": "Harvest\n", "posts.csv": "post_id,title\n1,Plums\n"}

    assert recognized_name({**EXPORTS[product], **beside}) == product


def _mutated(text: str, seed: int) -> bytes:
    chance = random.Random(seed)
    octets = bytearray(text.encode())
    for _ in range(chance.randint(1, 12)):
        at = chance.randrange(len(octets))
        match chance.randrange(5):
            case 0:
                octets[at] = chance.randrange(256)
            case 1:
                del octets[at : at + chance.randint(1, 40)]
            case 2:
                octets[at:at] = chance.choice([b'"', b"\n", b"\0", b"[[{", b"\xff\xfe", b",", b"=cmd", b"'", b"null"])
            case 3:
                octets[at:at] = octets[at : at + chance.randint(1, 80)]
            case _:
                del octets[at:]
        if not octets:
            break
    return bytes(octets)


@pytest.mark.parametrize(("product", "name", "text"), FILES, ids=[f"{product}:{name}" for product, name, _ in FILES])
@settings(max_examples=40)
@given(seed=st.integers(0, 10**9), given_state=st.sampled_from([None, SubscriptionState.CONFIRMED]))
def test_damaged_files_are_refused_or_read(
    product: str, name: str, text: str, seed: int, given_state: SubscriptionState | None
) -> None:
    files = source_files({name: _mutated(text, seed)})
    reader = BY_NAME[product]
    try:
        found = reader.find_files(files) or files
        rows = [row for _, row in reader.read(found, ReadOptions(state=given_state, source_list=None)).rows]
    except TableRefused:
        return

    assert all(isinstance(row, PersonRow | BadRow | LeftBehind) for row in rows)
