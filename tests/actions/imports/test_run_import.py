"""Imports of other software's exports: the stricter wins, what people said here stands, and twice changes nothing."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, select

from mailer.actions.imports.import_report import ImportResult
from mailer.actions.imports.plan_import import plan_import
from mailer.actions.imports.run_import import run_import
from mailer.actions.subscriptions.confirm import confirm
from mailer.actions.subscriptions.decline import never_ask_again
from mailer.actions.subscriptions.resubscribe import resubscribe
from mailer.actions.subscriptions.show_person import show_person
from mailer.actions.subscriptions.unsubscribe import unsubscribe
from mailer.app import App
from mailer.domain.address import Address
from mailer.domain.imports.import_run import Outcome
from mailer.domain.subscription import DeliveryMode, SubscriptionState
from mailer.domain.suppression import SuppressionReason
from mailer.domain.token import Purpose, sign_token
from mailer.errors import NotFound, NothingPending
from mailer.importers.bad_row import BadRow, LeftBehind
from mailer.importers.person_row import EvidenceGrade, PersonRow, SuppressionEntry
from mailer.store.columns import metadata
from mailer.store.imports import import_runs
from mailer.store.imports.import_tables import import_change
from mailer.store.people_tables import subscription
from tests.support.app_helpers import (
    ADMIN,
    EMMA,
    LINK_EVIDENCE,
    ROSA,
    Clock,
    import_rows,
    launch_campaign,
    open_list,
    receive_person_mail,
    recipients,
    send_campaigns,
    send_notices,
    token_in,
)
from tests.support.fake_relay import FakeRelay
from tests.support.invented_exports import invented_export

LONG_AGO = datetime(2020, 5, 1, tzinfo=UTC)
CONFIRMED, PENDING, UNSUBSCRIBED = (
    SubscriptionState.CONFIRMED,
    SubscriptionState.PENDING,
    SubscriptionState.UNSUBSCRIBED,
)
LEFT, NEVER, BOUNCED, COMPLAINED, PAUSED, BANNED = SuppressionReason


def suppressed(reason: SuppressionReason, *, everywhere: bool = False) -> SuppressionEntry:
    return SuppressionEntry(reason=reason, everywhere=everywhere, since=LONG_AGO)


def person(address: str = ROSA, *reasons: SuppressionReason, **values: Any) -> PersonRow:
    entries = tuple(suppressed(one, everywhere=one is NEVER) for one in reasons)
    return PersonRow(address=Address(address), suppressions=entries, **{"attributes": {}, **values})


async def move_in(app: App, *rows: PersonRow | BadRow | LeftBehind, invite: bool = False) -> ImportResult:
    """Plan and run; what was planned is what is done."""
    export = invented_export(*rows)
    async with await plan_import(app, ADMIN, list_name="appeals", export=export, invite=invite) as plan:
        planned = plan.report
        done = await run_import(app, ADMIN, plan)
    assert done.people == planned
    return done


async def outcomes(app: App, *rows: PersonRow) -> list[str]:
    return list((await move_in(app, *rows)).counts)


async def standing(app: App, address: str = ROSA) -> tuple[str | None, set[str]]:
    """The state on the list, and why the person is suppressed."""
    shown = await show_person(app, ADMIN, address)
    return shown.subscriptions.get("appeals"), {str(one.reason) for one in shown.suppressions}


def all_rows(tx: Connection) -> dict[str, list[Any]]:
    skipped = {"import_run", "audit_line"}
    return {
        table.name: sorted(map(repr, tx.execute(select(table))))
        for table in metadata.sorted_tables
        if table.name not in skipped
    }


NEW = [
    (person(), Outcome.CONFIRMED, "confirmed", set()),
    (person(state=PENDING), Outcome.PENDING, "pending", set()),
    (person(state=UNSUBSCRIBED), Outcome.UNSUBSCRIBED, "unsubscribed", set()),
    (person(ROSA, LEFT), Outcome.UNSUBSCRIBED, "unsubscribed", {"left"}),
    (person(ROSA, PAUSED), Outcome.PAUSED, "confirmed", {"paused"}),
    (person(ROSA, BOUNCED), Outcome.SUPPRESSED, "confirmed", {"bounced"}),
    (person(ROSA, PAUSED, COMPLAINED), Outcome.SUPPRESSED, "confirmed", {"paused", "complained"}),
]


@pytest.mark.parametrize(("row", "outcome", "state", "reasons"), NEW)
async def test_what_becomes_of_people_who_are_new(
    app: App, relay: FakeRelay, row: PersonRow, outcome: Outcome, state: str, reasons: set[str]
) -> None:
    await open_list(app)

    assert await outcomes(app, row) == [outcome]

    assert await standing(app) == (state, reasons)
    await launch_campaign(app)
    await send_campaigns(app)
    await send_notices(app)
    assert recipients(relay) == ([ROSA] if outcome is Outcome.CONFIRMED else [])
    assert await outcomes(app, row) == [Outcome.UNCHANGED]


async def test_of_people_who_are_no_readers_only_suppressions_are_kept(app: App) -> None:
    await open_list(app)

    done = await outcomes(app, person(ROSA, BANNED, state=None), person(EMMA, state=None))

    assert done == [Outcome.SUPPRESSED_ONLY, Outcome.NOT_TAKEN_OVER]
    for address in (ROSA, EMMA):
        with pytest.raises(NotFound):
            await show_person(app, ADMIN, address)
    assert await outcomes(app, person(), person(EMMA)) == [Outcome.OVERRULED, Outcome.CONFIRMED]
    assert await outcomes(app, person(ROSA, BANNED, state=None)) == [Outcome.UNCHANGED]


async def test_who_left_here_stays_out_whatever_a_later_file_says(app: App, clock: Clock) -> None:
    await open_list(app)
    await import_rows(app, f"{ROSA},,")
    await unsubscribe(app, sign_token(app.site.keyring, Purpose.LEAVE, 1), LINK_EVIDENCE)
    clock.advance(days=9)

    newer = person(changed_at=clock.now, agreed_at=clock.now, name="Rosa")

    assert await outcomes(app, newer) == [Outcome.OVERRULED]
    assert await standing(app) == ("unsubscribed", {"left"})


async def test_the_stricter_wins_over_what_an_earlier_import_said(app: App) -> None:
    await open_list(app)
    assert await outcomes(app, person()) == [Outcome.CONFIRMED]

    assert await outcomes(app, person(state=PENDING)) == [Outcome.PENDING]
    assert await outcomes(app, person()) == [Outcome.OVERRULED]
    assert await standing(app) == ("pending", set())
    assert await outcomes(app, person(ROSA, BOUNCED)) == [Outcome.CHANGED]
    assert await outcomes(app, person(state=UNSUBSCRIBED, changed_at=LONG_AGO)) == [Outcome.UNSUBSCRIBED]
    assert await outcomes(app, person()) == [Outcome.OVERRULED]
    assert await standing(app) == ("unsubscribed", {"bounced"})


async def test_what_a_person_confirmed_here_stands_against_older_files_but_not_against_later_leaving(
    app: App, relay: FakeRelay, clock: Clock
) -> None:
    await open_list(app)
    await receive_person_mail(app, "appeals-join", ROSA)
    await confirm(app, token_in(relay.letters[-1], "confirm"), LINK_EVIDENCE)

    for older in (person(state=UNSUBSCRIBED, changed_at=LONG_AGO), person(state=UNSUBSCRIBED), person(state=PENDING)):
        assert await outcomes(app, older) == [Outcome.OVERRULED]
    assert await outcomes(app, person(ROSA, BOUNCED)) == [Outcome.OVERRULED]
    assert await standing(app) == ("confirmed", set())

    clock.advance(days=2)
    assert await outcomes(app, person(state=UNSUBSCRIBED, changed_at=clock.now)) == [Outcome.UNSUBSCRIBED]


async def test_an_import_confirms_nobody_who_was_asked_here_but_the_organisers_own_word_does(
    app: App, relay: FakeRelay
) -> None:
    await open_list(app)
    await receive_person_mail(app, "appeals-join", ROSA)

    assert await outcomes(app, person()) == [Outcome.OVERRULED]
    assert await standing(app) == ("pending", set())
    assert (await import_rows(app, f"{ROSA},,")).added == 1


async def test_nothing_known_is_overwritten_with_nothing(app: App) -> None:
    await open_list(app)
    full = person(name="Rosa", language="de", zone="Europe/Berlin", attributes={"town": "Graz"})
    digest = person(EMMA, name="Emma", delivery_mode=DeliveryMode.DIGEST)
    await move_in(app, full, digest)

    assert (await move_in(app, person(), person(EMMA))).counts == {Outcome.UNCHANGED: 2}
    assert (await move_in(app, person(name="Rosa M.", attributes={"job": "baker"}))).counts == {Outcome.CHANGED: 1}

    rows = await app.database.read(
        lambda tx: tx.execute(
            select(subscription.c.attributes, subscription.c.delivery_mode).order_by(subscription.c.id)
        ).all()
    )
    assert list(map(tuple, rows)) == [({"town": "Graz", "job": "baker"}, None), ({}, "digest")]


async def test_the_consent_record_keeps_the_exports_own_words(app: App) -> None:
    await open_list(app)
    words = {"optin": "2020-05-01 00:00:00", "optin_ip": "192.0.2.7", "by": "owner"}
    row = person(agreed_at=LONG_AGO, evidence=words, evidence_grade=EvidenceGrade.STRONG)

    done = await move_in(app, row)

    (line,) = (await show_person(app, ADMIN, ROSA)).consents
    assert line.act == "imported"
    assert line.evidence == {
        "peer": "swaps",
        "file": "members.csv",
        "sha256": "5" * 64,
        "by": ADMIN.name,
        "import": done.run,
        "row": 2,
        "grade": "strong",
        "agreed_at": LONG_AGO.isoformat(),
        "optin": "2020-05-01 00:00:00",
        "optin_ip": "192.0.2.7",
        "peer_by": "owner",
    }


async def test_a_run_is_kept_with_its_numbers_and_with_what_stood_before(app: App) -> None:
    await open_list(app)
    await move_in(app, person(name="Rosa"))

    done = await move_in(
        app, person(name="Rosa M."), person(EMMA), BadRow(9, "no address"), LeftBehind("footer", "not read")
    )

    run = await app.database.read(import_runs.get, done.run)
    assert (run.number, run.list_name, run.source, run.file_name, run.started_by) == (
        2,
        "appeals",
        "swaps",
        "members.csv",
        ADMIN.name,
    )
    assert run.ended_at is not None
    assert run.counts == {"confirmed": 1, "changed": 1, "bad": 1, "repeated": 0}
    assert run.left_behind == ("footer: not read",)
    changes = await app.database.read(
        lambda tx: tx.execute(
            select(import_change.c.subscriber_id, import_change.c.before).where(import_change.c.run_id == 2)
        ).all()
    )
    ((rosa, before), (emma, nothing)) = changes
    assert (rosa, before["name"], before["state"], emma, nothing) == (1, "Rosa", "confirmed", 2, None)


def _digests(folder: Path) -> dict[str, str]:
    files = [one for one in folder.glob("mailer.db*") if not one.name.endswith("-shm")]
    return {one.name: hashlib.sha256(one.read_bytes()).hexdigest() for one in files}


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("invite", [False, True])
async def test_a_plan_leaves_the_database_file_as_it_was(app: App, tmp_path: Path, invite: bool) -> None:
    await open_list(app)
    await move_in(app, person())
    before = _digests(tmp_path)
    export = invented_export(person(name="Rosa"), person(EMMA, NEVER))
    async with await plan_import(app, ADMIN, list_name="appeals", export=export, invite=invite) as plan:
        assert plan.counts == {Outcome.CHANGED: 1, Outcome.UNSUBSCRIBED: 1}

    assert _digests(tmp_path) == before


async def test_the_invited_are_asked_by_letter_and_nobody_whom_the_file_has_suppressed(
    app: App, relay: FakeRelay
) -> None:
    await open_list(app)

    done = await move_in(app, person(), person(EMMA, BOUNCED), invite=True)
    again = await move_in(app, person(), person(EMMA, BOUNCED), invite=True)
    await send_notices(app)

    assert done.counts == {Outcome.PENDING: 1, Outcome.UNSUBSCRIBED: 1}
    assert again.counts == {Outcome.UNCHANGED: 2}
    assert recipients(relay) == [ROSA]


async def test_whatever_is_imported_is_what_was_planned_and_twice_changes_nothing(app: App, clock: Clock) -> None:
    """Many random exports, between which people leave, come back and opt out."""
    await open_list(app)
    chance = random.Random(7)
    for _ in range(12):
        rows = [_random_row(chance, clock.now) for _ in range(chance.randrange(1, 12))]

        await move_in(app, *rows)

        before = await app.database.read(all_rows)
        again = await move_in(app, *rows)
        assert await app.database.read(all_rows) == before
        assert set(again.counts) <= {Outcome.UNCHANGED, Outcome.OVERRULED, Outcome.NOT_TAKEN_OVER}
        await _check_nobody_departed_is_mailable(app, rows)
        for number in range(1, 7):
            await _act_randomly(app, chance, number)
        clock.advance(hours=1)


ADDRESSES = [f"{name}@example.org" for name in ("ada", "bea", "emma", "noor", "rosa", "rosa+seeds")]


def _random_row(chance: random.Random, now: datetime) -> PersonRow:
    when = chance.choice([None, LONG_AGO, now, now - timedelta(hours=2)])
    reasons = chance.sample(list(SuppressionReason), chance.choice([0, 0, 0, 1, 2]))
    entries = tuple(
        SuppressionEntry(
            reason=one,
            everywhere=one is NEVER or chance.random() < 0.3,
            since=when,
            until=now + timedelta(minutes=chance.choice([-9, 90])) if one is PAUSED and chance.random() < 0.5 else None,
        )
        for one in reasons
    )
    return PersonRow(
        address=Address(chance.choice(ADDRESSES)),
        name=chance.choice([None, "N.", "M."]),
        language=chance.choice([None, "de"]),
        attributes=chance.choice([{}, {"town": "Graz"}, {"town": "Linz"}]),
        state=chance.choice([CONFIRMED, CONFIRMED, PENDING, UNSUBSCRIBED, None]),
        delivery_mode=chance.choice(list(DeliveryMode)),
        suppressions=entries,
        agreed_at=chance.choice([None, LONG_AGO]),
        changed_at=when,
        evidence={"optin_ip": "192.0.2.9"},
    )


async def _act_randomly(app: App, chance: random.Random, number: int) -> None:
    keyring, deed = app.site.keyring, chance.random()
    try:
        if deed < 0.2:
            await unsubscribe(app, sign_token(keyring, Purpose.LEAVE, number), LINK_EVIDENCE)
        elif deed < 0.3:
            await resubscribe(app, sign_token(keyring, Purpose.REJOIN, number), LINK_EVIDENCE)
        elif deed < 0.33:
            await never_ask_again(app, sign_token(keyring, Purpose.NEVER, number), LINK_EVIDENCE)
    except (NotFound, NothingPending):
        pass


async def _check_nobody_departed_is_mailable(app: App, rows: Sequence[PersonRow]) -> None:
    """Who is unsubscribed or suppressed in the file is not mailed, unless they confirmed here since."""
    departed = {row.address.addr_spec for row in rows if row.has_left}
    for address in departed:
        shown = await show_person(app, ADMIN, address)
        came_back = any(line.act in ("confirmed", "rejoined", "restored") for line in shown.consents)
        assert shown.subscriptions.get("appeals") != "confirmed" or came_back
