"""Bringing people along and taking them out: streaming, defused, and no one who left is brought back."""

from __future__ import annotations

import csv
import io

import pytest
from fake_relay import FakeRelay
from house import BY_HAND, EMMA, ROSA, Clock, bring, open_list, recipients, send_notices, token_in
from hypothesis import given
from hypothesis import strategies as st

from mailer.actions.joining.confirm import confirm
from mailer.actions.joining.unsubscribe import unsubscribe
from mailer.actions.writing.export_people import export_people
from mailer.actions.writing.import_people import import_people
from mailer.actions.writing.show_person import show_person
from mailer.app import App
from mailer.domain.consent import Evidence, Way
from mailer.domain.person_row import armed, defused
from mailer.domain.token import Purpose, sign_token
from mailer.errors import NotFound, TableRefused

ADAS_WORD = Evidence(Way.IMPORT, {"file": "people.csv", "by": "ada"})


async def take_in(app: App, table: str, **more: bool):  # type: ignore[no-untyped-def]
    file = io.TextIOWrapper(
        io.BytesIO(table.encode("utf-8", "surrogateescape")), "utf-8", "surrogateescape", newline=""
    )
    return await import_people(app, list_name="appeals", file=file, evidence=ADAS_WORD, **more)


async def taken_out(app: App, *, everybody: bool = False) -> list[dict[str, str]]:
    file = io.StringIO()
    await export_people(app, list_name="appeals", file=file, everybody=everybody)
    return list(csv.DictReader(io.StringIO(file.getvalue())))


async def test_people_are_confirmed_on_adas_word_which_is_kept_and_get_no_welcome(app: App, relay: FakeRelay) -> None:
    await open_list(app)

    done = await take_in(app, "email;Name;language;zone;Town\r\nRosa@example.org;Rosa;de-AT;Europe/Vienna;Graz\r\n")
    await send_notices(app)

    person = await show_person(app, ROSA)
    assert (done.added, done.known, done.kept_out, done.bad) == (1, 0, 0, [])
    assert person["subscriptions"] == {"appeals": "confirmed"}
    assert [(line["act"], line["evidence"]) for line in person["consents"]] == [("imported", ADAS_WORD.words)]
    assert relay.letters == []
    assert await taken_out(app) == [
        {"email": "Rosa@example.org", "name": "Rosa", "language": "de-at", "zone": "Europe/Vienna", "town": "Graz"}
    ]


async def test_an_odd_cell_costs_itself_and_an_unreadable_address_its_row(app: App) -> None:
    await open_list(app)
    table = "\ufeffemail,name,zone\nrosa@example.org,Rosa,\nnot an address,,\n\nemma@example.org,Emma,Mars/Base\n"
    table += 'two@example.org,"Two\nLines",\nlong@example.org,a,b,c\nbad@example.org,\udcff,\nlast@example.org,,\n'

    done = await take_in(app, table)

    assert (done.added, done.bad_rows, done.rows) == (6, 1, 7)
    assert [(row.line, "not an address" in row.reason) for row in done.bad] == [(3, True)]
    assert [(row.line, row.reason[:20]) for row in done.remarks] == [
        (5, "'Mars/Base' is not a"),
        (8, "has 4 cells, the hea"),
    ]
    names = {row["email"]: row["name"] for row in await taken_out(app)}
    assert (names["two@example.org"], names["bad@example.org"], names["long@example.org"]) == ("Two Lines", "ÿ", "")


async def test_importing_again_brings_details_up_to_date_and_adds_nobody(app: App) -> None:
    await open_list(app)
    await take_in(app, "email,name,town,job\nrosa@example.org,Rosa,Graz,baker\n")

    done = await take_in(app, "email,name,town\nROSA@example.org,,Linz\nrosa@example.org,Rosa M.,Linz\n")

    assert (done.added, done.known) == (0, 1)
    row = {"email": ROSA, "name": "Rosa M.", "language": "", "zone": "", "job": "baker", "town": "Linz"}
    assert await taken_out(app) == [row]
    assert len((await show_person(app, ROSA))["consents"]) == 1


async def test_whoever_left_or_never_wants_to_be_asked_stays_out(app: App) -> None:
    await open_list(app)
    await bring(app, f"{ROSA},,", f"{EMMA},,")
    await unsubscribe(app, sign_token(app.house.keyring, Purpose.LEAVE, 1), BY_HAND)

    done = await bring(app, f"{ROSA},,", f"{EMMA},,")

    assert (done.added, done.known, done.kept_out) == (0, 1, 1)
    assert [row["email"] for row in await taken_out(app)] == [EMMA]
    states = {row["email"]: row["state"] for row in await taken_out(app, everybody=True)}
    assert states == {ROSA: "unsubscribed", EMMA: "confirmed"}


async def test_the_invited_are_asked_each_and_are_in_only_when_they_confirm(
    app: App, relay: FakeRelay, clock: Clock
) -> None:
    await open_list(app)

    done = await bring(app, f"{ROSA},Rosa,de", f"{EMMA},Emma,en", invite=True)
    await bring(app, f"{ROSA},Rosa,de", invite=True)
    await send_notices(app)
    rosas = next(letter for letter in relay.letters if letter.recipient == ROSA)
    await confirm(app, token_in(rosas, "confirm"), BY_HAND)

    assert done.added == 2
    assert sorted(recipients(relay)) == [EMMA, ROSA]
    assert [row["email"] for row in await taken_out(app)] == [ROSA]


async def test_what_is_exported_is_harmless_in_a_spreadsheet_and_comes_back_the_same(app: App) -> None:
    await open_list(app)
    await take_in(app, 'email,name\n=cmd@example.org,"=HYPERLINK(""https://x.example"")"\n+1@example.org,\'quoted\n')

    rows = await taken_out(app)
    done = await take_in(app, "\n".join(["email,name", *(f'{row["email"]},"{row["name"]}"' for row in rows)]))

    assert [row["email"] for row in rows] == ["'=cmd@example.org", "'+1@example.org"]
    assert rows[0]["name"].startswith("'=")
    assert (done.added, done.known) == (0, 2)


@given(st.text(max_size=20))
def test_a_defused_cell_runs_nowhere_and_is_armed_again_as_it_was(cell: str) -> None:
    assert not defused(cell).startswith(("=", "+", "-", "@", "\t", "\r"))
    assert armed(defused(cell)) == cell


@pytest.mark.parametrize("header", ["name,town", "email,email", "email,na\x00me"])
async def test_a_table_without_a_usable_header_is_refused(app: App, header: str) -> None:
    await open_list(app)

    with pytest.raises(TableRefused):
        await take_in(app, f"{header}\nrosa@example.org,x\n")


async def test_an_unknown_list_is_told_before_anything_is_read(app: App) -> None:
    with pytest.raises(NotFound, match="appeals"):
        await bring(app, f"{ROSA},,")
