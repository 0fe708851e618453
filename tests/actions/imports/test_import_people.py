"""Importing and exporting people: streaming, formulas escaped, and who unsubscribed stays unsubscribed."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Connection

from mailer.actions.exports.export_people import export_people
from mailer.actions.imports.import_people import import_people
from mailer.actions.subscriptions.confirm import confirm
from mailer.actions.subscriptions.decline import decline, never_ask_again
from mailer.actions.subscriptions.restore_person import restore_person
from mailer.actions.subscriptions.resubscribe import resubscribe
from mailer.actions.subscriptions.show_person import show_person
from mailer.actions.subscriptions.unsubscribe import unsubscribe
from mailer.app import App
from mailer.domain.consent import Channel, Evidence
from mailer.domain.token import Purpose, sign_token
from mailer.errors import NotFound, TableRefused
from mailer.importers.person_row import escape_formula, unescape_formula
from mailer.store.columns import metadata
from tests.support.app_helpers import (
    ADMIN,
    BEA,
    EMMA,
    LINK_EVIDENCE,
    ROSA,
    Clock,
    import_rows,
    launch_campaign,
    open_list,
    receive_person_mail,
    receive_raw_mail,
    recipients,
    send_campaigns,
    send_notices,
    token_in,
)
from tests.support.bounce_mails import bounce, complaint
from tests.support.fake_relay import FakeRelay

ADAS_EVIDENCE = Evidence(Channel.IMPORT, {"file": "people.csv", "by": ADMIN.name})


async def take_in(app: App, table: str, **more: bool):  # type: ignore[no-untyped-def]
    file = io.TextIOWrapper(
        io.BytesIO(table.encode("utf-8", "surrogateescape")), "utf-8", "surrogateescape", newline=""
    )
    return await import_people(app, ADMIN, list_name="appeals", file=file, evidence=ADAS_EVIDENCE, **more)


async def taken_out(app: App, *, everybody: bool = False) -> list[dict[str, str]]:
    file = io.StringIO()
    await export_people(app, ADMIN, list_name="appeals", file=file, everybody=everybody)
    return list(csv.DictReader(io.StringIO(file.getvalue())))


async def test_people_are_confirmed_with_the_organisers_evidence_and_get_no_welcome(app: App, relay: FakeRelay) -> None:
    await open_list(app)

    done = await take_in(app, "email;Name;language;zone;Town\r\nRosa@example.org;Rosa;de-AT;Europe/Vienna;Graz\r\n")
    await send_notices(app)

    person = await show_person(app, ADMIN, ROSA)
    assert (done.added, done.known, done.kept_out, done.bad) == (1, 0, 0, [])
    assert person.subscriptions == {"appeals": "confirmed"}
    assert [(line.act, line.evidence) for line in person.consents] == [
        ("imported", ADAS_EVIDENCE.details | {"import": 1})
    ]
    assert relay.letters == []
    assert await taken_out(app) == [
        {"email": "Rosa@example.org", "name": "Rosa", "language": "de-at", "zone": "Europe/Vienna", "town": "Graz"}
    ]


async def test_a_bad_cell_is_left_out_and_a_bad_address_costs_the_row(app: App) -> None:
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


async def test_importing_again_updates_details_and_adds_nobody(app: App) -> None:
    await open_list(app)
    await take_in(app, "email,name,town,job\nrosa@example.org,Rosa,Graz,baker\n")

    done = await take_in(app, "email,name,town\nROSA@example.org,,Linz\nrosa@example.org,Rosa M.,Linz\n")

    assert (done.added, done.known) == (0, 1)
    row = {"email": ROSA, "name": "Rosa M.", "language": "", "zone": "", "job": "baker", "town": "Linz"}
    assert await taken_out(app) == [row]
    assert len((await show_person(app, ADMIN, ROSA)).consents) == 1


async def test_unsubscribed_and_opted_out_people_are_kept_out(app: App) -> None:
    await open_list(app)
    await import_rows(app, f"{ROSA},,", f"{EMMA},,")
    await unsubscribe(app, sign_token(app.site.keyring, Purpose.LEAVE, 1), LINK_EVIDENCE)

    done = await import_rows(app, f"{ROSA},,", f"{EMMA},,")

    assert (done.added, done.known, done.kept_out) == (0, 1, 1)
    assert [row["email"] for row in await taken_out(app)] == [EMMA]
    states = {row["email"]: row["state"] for row in await taken_out(app, everybody=True)}
    assert states == {ROSA: "unsubscribed", EMMA: "confirmed"}


async def test_the_invited_get_a_letter_each_and_are_subscribed_when_they_confirm(
    app: App, relay: FakeRelay, clock: Clock
) -> None:
    await open_list(app)

    done = await import_rows(app, f"{ROSA},Rosa,de", f"{EMMA},Emma,en", invite=True)
    await import_rows(app, f"{ROSA},Rosa,de", invite=True)
    await send_notices(app)
    rosas = next(letter for letter in relay.letters if letter.recipient == ROSA)
    await confirm(app, token_in(rosas, "confirm"), LINK_EVIDENCE)

    assert done.added == 2
    assert sorted(recipients(relay)) == [EMMA, ROSA]
    assert [row["email"] for row in await taken_out(app)] == [ROSA]


async def test_an_export_is_harmless_in_a_spreadsheet_and_imports_as_it_was(app: App) -> None:
    await open_list(app)
    await take_in(app, 'email,name\n=cmd@example.org,"=HYPERLINK(""https://x.example"")"\n+1@example.org,\'quoted\n')

    rows = await taken_out(app)
    done = await take_in(app, "\n".join(["email,name", *(f'{row["email"]},"{row["name"]}"' for row in rows)]))

    assert [row["email"] for row in rows] == ["'+1@example.org", "'=cmd@example.org"]
    assert rows[1]["name"].startswith("'=")
    assert (done.added, done.known) == (0, 2)


@given(st.text(max_size=20))
def test_an_escaped_formula_is_unescaped_as_it_was(cell: str) -> None:
    assert not escape_formula(cell).startswith(
        ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
    )
    assert unescape_formula(escape_formula(cell)) == cell


@pytest.mark.parametrize("header", ["name,town", "email,email", "email,na\x00me"])
async def test_a_table_without_a_usable_header_is_refused(app: App, header: str) -> None:
    await open_list(app)

    with pytest.raises(TableRefused):
        await take_in(app, f"{header}\nrosa@example.org,x\n")


async def everybody(app: App) -> str:
    file = io.StringIO()
    await export_people(app, ADMIN, list_name="appeals", file=file, everybody=True)
    return file.getvalue()


async def forget_all(app: App) -> None:
    """The service is empty, as on its first day; the secret is the same."""

    def empty(tx: Connection) -> None:
        for table in reversed(metadata.sorted_tables):
            tx.execute(table.delete())

    await app.database.write(empty)


async def make_every_sort(app: App, relay: FakeRelay, clock: Clock) -> None:
    """People in every state that a list knows, each with a story of their own."""
    names = ("stays", "left", "bounced", "complained", "never", "back", "elsewhere", "undone", "again")
    await open_list(app)
    await open_list(app, "walks")
    await import_rows(app, *(f"{one}@example.org,Mx {one[::-1].title()},de" for one in names))
    await import_rows(app, "elsewhere@example.org,,", list_name="walks")
    await take_in(app, 'email,zone,town,colour\nstays@example.org,Europe/Berlin,"=1+1",x\n')
    numbers = dict(zip(names, range(1, 10), strict=True))
    tokens = {one: sign_token(app.site.keyring, Purpose.LEAVE, number) for one, number in numbers.items()}
    clock.advance(hours=1)
    for one in ("left", "again"):
        await unsubscribe(app, tokens[one], LINK_EVIDENCE)
    await unsubscribe(app, tokens["back"], LINK_EVIDENCE)
    await resubscribe(app, sign_token(app.site.keyring, Purpose.REJOIN, numbers["back"]), LINK_EVIDENCE)
    await never_ask_again(app, sign_token(app.site.keyring, Purpose.NEVER, numbers["never"]), LINK_EVIDENCE)
    letters = {}
    for list_name in ("appeals", "walks"):
        await launch_campaign(app, list_name)
        await send_campaigns(app)
        letters |= {(letter.recipient.partition("@")[0], list_name): letter for letter in relay.letters}
    clock.advance(hours=1)
    for key in (("bounced", "appeals"), ("undone", "appeals"), ("elsewhere", "walks")):
        letter = letters[key]
        await receive_raw_mail(app, bounce(letter.recipient), letter.sender.partition("@")[0], sender="")
    await receive_raw_mail(app, complaint(letters["complained", "appeals"]), "cfbl", sender="fbl@example.net")
    await restore_person(app, ADMIN, "undone@example.org", list_name="appeals")
    await receive_person_mail(app, "appeals-join", "again@example.org")
    await receive_person_mail(app, "appeals-join", "asked@example.net")
    await receive_person_mail(app, "appeals-join", "declined@example.net")
    await decline(app, token_in(relay.letters[-1], "confirm"), LINK_EVIDENCE)


async def test_an_export_of_everybody_imports_with_all_states_into_an_empty_and_into_its_own_service(
    app: App, relay: FakeRelay, clock: Clock
) -> None:
    await make_every_sort(app, relay, clock)
    table = await everybody(app)
    states = {row["email"].partition("@")[0]: row for row in csv.DictReader(io.StringIO(table))}
    sent = len(relay.letters)
    clock.advance(days=1)

    again = await take_in(app, table)

    assert (again.added, again.bad_rows, again.rows) == (0, 0, 11)
    assert await everybody(app) == table
    stories = [str(await show_person(app, ADMIN, row["email"])) for row in states.values()]
    assert "departed" not in " ".join(stories)

    await forget_all(app)
    await open_list(app)
    moved = await take_in(app, table)
    await send_notices(app)

    assert await everybody(app) == table
    assert (moved.added, moved.kept_out, moved.rows) == (6, 5, 11)
    assert len(relay.letters) == sent
    assert {name: (row["state"], row["suppressed"][:18]) for name, row in states.items()} == {
        "stays": ("confirmed", ""),
        "left": ("unsubscribed", "left 2027-03-01T09"),
        "bounced": ("unsubscribed", "bounced everywhere"),
        "complained": ("unsubscribed", "complained 2027-03"),
        "never": ("unsubscribed", "never everywhere 2"),
        "back": ("confirmed", ""),
        "elsewhere": ("confirmed", "bounced everywhere"),
        "undone": ("confirmed", ""),
        "again": ("pending", "left 2027-03-01T09"),
        "asked": ("pending", ""),
        "declined": ("unsubscribed", ""),
    }
    await launch_campaign(app)
    await send_campaigns(app)
    assert sorted(recipients(relay)[sent:]) == ["back@example.org", "stays@example.org", "undone@example.org"]
    restored = await restore_person(app, ADMIN, "bounced@example.org", list_name="appeals")
    assert restored.state == "confirmed", "who bounced is restored there as here"


async def test_a_table_does_not_undo_what_a_person_confirmed_here(app: App, clock: Clock) -> None:
    await open_list(app)
    await import_rows(app, f"{ROSA},,", f"{EMMA},,", f"{BEA},,")
    await unsubscribe(app, sign_token(app.site.keyring, Purpose.LEAVE, 1), LINK_EVIDENCE)
    await unsubscribe(app, sign_token(app.site.keyring, Purpose.LEAVE, 2), LINK_EVIDENCE)
    clock.advance(hours=1)
    await resubscribe(app, sign_token(app.site.keyring, Purpose.REJOIN, 2), LINK_EVIDENCE)
    head = "email,name,language,zone,state,suppressed,agreed_at,changed_at\n"
    old = "2027-01-01T00:00:00+00:00"

    done = await take_in(
        app,
        f"{head}{ROSA},,,,confirmed,,{old},{old}\n{EMMA},,,,unsubscribed,left {old},{old},{old}\n"
        f"{BEA},,,,unsubscribed,left {old},{old},{old}\n{BEA},,,,confirmed,,,\n"
        f"ada@example.org,,,,confirmed,left {old},,\n",
    )

    assert (done.added, done.kept_out, done.repeated) == (0, 4, 1)
    states = {row["email"]: row["state"] for row in await taken_out(app, everybody=True)}
    assert states == {ROSA: "unsubscribed", EMMA: "confirmed", BEA: "unsubscribed", "ada@example.org": "unsubscribed"}


async def test_every_row_is_counted_once_and_the_last_row_of_a_person_wins(app: App) -> None:
    await open_list(app)
    await import_rows(app, f"{EMMA},,", "gone@example.org,,")
    await unsubscribe(app, sign_token(app.site.keyring, Purpose.LEAVE, 2), LINK_EVIDENCE)
    rows = [f"p{number}@example.org,P" for number in range(300)]
    rows += [f"{ROSA},Rosa", f"{EMMA},E", "gone@example.org,", "nobody,", "P1@example.org,Pia", f"{ROSA},Rosa M."]

    done = await take_in(app, "email,name\n" + "\n".join(rows))

    counts = (done.added, done.known, done.repeated, done.kept_out, done.bad_rows)
    assert (counts, done.rows) == ((301, 1, 2, 1, 1), 306)
    names = {row["email"]: row["name"] for row in await taken_out(app)}
    assert (names[ROSA], names["p1@example.org"]) == ("Rosa M.", "Pia")
    assert (await import_rows(app, "new@example.org,,", invite=True)).added == 1
    second = await import_rows(app, "new@example.org,,", "nobody,,", invite=True)
    assert (second.added, second.known, second.bad_rows) == (0, 1, 1)


async def test_an_unknown_list_is_refused_before_anything_is_read(app: App) -> None:
    with pytest.raises(NotFound, match="appeals"):
        await import_rows(app, f"{ROSA},,")
