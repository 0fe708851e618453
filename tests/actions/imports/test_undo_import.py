"""An undone import leaves untouched people as if it had never been, touched ones as they are, and mails nobody more."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from random import Random
from typing import Any

import pytest
from sqlalchemy import Connection, func, select

from mailer.actions.campaigns.launch import launch_due
from mailer.actions.campaigns.pause_resume_cancel import cancel
from mailer.actions.imports import undo_import as undoing
from mailer.actions.imports.list_imports import list_imports
from mailer.actions.imports.plan_import import plan_import
from mailer.actions.imports.run_import import run_import
from mailer.actions.imports.undo_import import preview_undo, undo_import
from mailer.actions.subscriptions.restore_person import restore_person
from mailer.actions.subscriptions.subscribe import subscribe
from mailer.actions.subscriptions.unsubscribe import unsubscribe
from mailer.app import App
from mailer.domain.address import Address
from mailer.domain.consent import Channel, Evidence
from mailer.domain.subscription import DeliveryMode, SubscriptionState
from mailer.domain.subscription_request import SubscriptionRequest
from mailer.domain.suppression import SuppressionReason
from mailer.domain.token import Purpose, sign_token
from mailer.errors import NotFound, WrongState
from mailer.importers.person_row import PersonRow, SuppressionEntry
from mailer.store import mailing_lists, subscribers, subscriptions, suppressions
from mailer.store.imports import import_runs
from mailer.store.people_tables import consent, subscriber, subscription, suppression
from mailer.store.queue.queue_tables import delivery
from tests.support.app_helpers import (
    ADMIN,
    EMMA,
    LINK_EVIDENCE,
    ROSA,
    Clock,
    import_rows,
    launch_campaign,
    open_list,
    send_campaigns,
)
from tests.support.fake_relay import FakeRelay
from tests.support.invented_exports import invented_export

CONFIRMED, UNSUBSCRIBED = SubscriptionState.CONFIRMED, SubscriptionState.UNSUBSCRIBED
LEFT, BANNED, PAUSED, COMPLAINED = (
    SuppressionReason.LEFT,
    SuppressionReason.BANNED,
    SuppressionReason.PAUSED,
    SuppressionReason.COMPLAINED,
)


def suppressed(*reasons: SuppressionReason, everywhere: bool = False) -> tuple[SuppressionEntry, ...]:
    return tuple(SuppressionEntry(reason=one, everywhere=everywhere, since=None) for one in reasons)


def person(address: str, state: SubscriptionState | None = CONFIRMED, **values: Any) -> PersonRow:
    return PersonRow(address=Address(address), state=state, **{"attributes": {}} | values)


async def run(app: App, *rows: PersonRow) -> int:
    """Import these people into appeals; the import's number."""
    async with await plan_import(app, ADMIN, list_name="appeals", export=invented_export(*rows)) as plan:
        return (await run_import(app, ADMIN, plan)).run


@dataclass(frozen=True)
class Standing:
    """All that is known of an address."""

    details: tuple[Any, ...] | None = None
    subscriptions: tuple[Any, ...] = ()
    suppressions: tuple[Any, ...] = ()
    lines: tuple[Any, ...] = ()
    letters: int = 0
    is_mailed: bool = False


async def standing(app: App, *addresses: str) -> dict[str, Standing]:
    def load(tx: Connection) -> dict[str, Standing]:
        return {one: _load(tx, app, one) for one in addresses}

    return await app.database.read(load)


def _load(tx: Connection, app: App, address: str) -> Standing:
    key = app.site.keyring.suppression_key(address)
    columns = (suppression.c.mailing_list_id, suppression.c.reason, suppression.c.created_at, suppression.c.until)
    orders = tuple(
        map(tuple, tx.execute(select(*columns).where(suppression.c.suppression_key == key).order_by(*columns[:2])))
    )
    row = tx.execute(select(subscriber).where(subscriber.c.address_key == address)).one_or_none()
    letters = tx.execute(select(func.count()).where(delivery.c.suppression_key == key)).scalar_one()
    if row is None:
        return Standing(suppressions=orders, letters=letters)
    theirs = tx.execute(
        select(subscription).where(subscription.c.subscriber_id == row.id).order_by(subscription.c.id)
    ).all()
    lines = tx.execute(select(consent).where(consent.c.subscriber_id == row.id).order_by(consent.c.id)).all()
    appeals = mailing_lists.get_by_name(tx, "appeals").id
    confirmed = any(one.state == CONFIRMED and one.mailing_list_id == appeals for one in theirs)
    return Standing(
        details=(row.address, row.name, row.language, row.zone),
        subscriptions=tuple(
            (one.mailing_list_id, one.state, str(one.attributes), one.delivery_mode, one.changed_at) for one in theirs
        ),
        suppressions=orders,
        lines=tuple((one.act, one.way, str(one.evidence), one.at) for one in lines),
        letters=letters,
        is_mailed=confirmed and not suppressions.find_suppressed(tx, [key], appeals),
    )


async def subscription_id(app: App, address: str) -> int | None:
    def find(tx: Connection) -> int | None:
        found = subscriptions.find(tx, mailing_lists.get_by_name(tx, "appeals").id, address)
        return found and found.id

    return await app.database.read(find)


async def leave(app: App, address: str) -> None:
    """Leave by an old letter's link; nothing for somebody who has no subscription."""
    if number := await subscription_id(app, address):
        await unsubscribe(app, sign_token(app.site.keyring, Purpose.LEAVE, number), LINK_EVIDENCE)


async def ask(app: App, address: str) -> None:
    request = SubscriptionRequest(
        list_name="appeals", address=Address(address), evidence=Evidence(Channel.MAIL), authenticated=True
    )
    await subscribe(app, request)


async def change_language(app: App, address: str) -> None:
    """As the command LANGUAGE does, which leaves no line in the consent record."""

    def change(tx: Connection) -> None:
        if number := subscribers.ids_by_key(tx, [address]).get(address):
            subscribers.update_details(tx, [{"subscriber_id": number, "language": "eo"}])

    await app.database.write(change)


async def restore(app: App, address: str) -> None:
    with suppress(NotFound):
        await restore_person(app, ADMIN, address, list_name="appeals")


async def import_again(app: App, address: str) -> None:
    await run(app, person(address, name="Another Name", attributes={"later": "yes"}))


TOUCHES: list[Callable[[App, str], Awaitable[None]]] = [leave, ask, change_language, restore, import_again]


def any_row(chance: Random, address: str) -> PersonRow:
    reasons = chance.sample(list(SuppressionReason), chance.choice([0, 0, 1, 1, 2]))
    return person(
        address,
        chance.choice([*SubscriptionState, CONFIRMED, None]),
        name=chance.choice([None, "Ada Lovelace", "Élodie"]),
        language=chance.choice([None, "de", "tr"]),
        attributes=chance.choice([{}, {"town": "Ankara"}, {"town": "Izmir", "team": "b"}]),
        delivery_mode=chance.choice(list(DeliveryMode)),
        suppressions=suppressed(*reasons, everywhere=chance.random() < 0.3),
    )


async def check_undo(app: App, clock: Clock, seed: int, people: int) -> None:
    """Random people, an import, touches of some, and the undo."""
    chance = Random(seed)
    addresses = [f"person{number}.{seed}@example.org" for number in range(people)]
    await run(app, *(any_row(chance, one) for one in addresses if chance.random() < 0.6))
    clock.advance(hours=1)
    for one in addresses:
        if chance.random() < 0.3:
            await chance.choice(TOUCHES)(app, one)
    clock.advance(hours=1)
    before = await standing(app, *addresses)
    number = await run(app, *(any_row(chance, one) for one in addresses if chance.random() < 0.8))
    after = await standing(app, *addresses)
    clock.advance(hours=1)
    for one in addresses:
        if chance.random() < 0.3:
            await chance.choice(TOUCHES)(app, one)
    touched = await standing(app, *addresses)

    foreseen = await preview_undo(app, ADMIN, number)
    done = await undo_import(app, ADMIN, number)

    found = await standing(app, *addresses)
    for one in addresses:
        if touched[one] == after[one]:
            assert found[one] in ((before[one],) if before[one] != after[one] else (after[one],)), one
        else:
            assert found[one] in (before[one], touched[one]), "a touch that changed nothing lasting, or all of it stays"
        assert found[one].is_mailed <= (before[one].is_mailed or touched[one].is_mailed), one
    assert (done.undone, done.kept) == (foreseen.undone, foreseen.kept)
    assert await undo_import(app, ADMIN, number) == done
    assert await standing(app, *addresses) == found


@pytest.mark.parametrize("seed", range(2))
async def test_untouched_people_are_as_before_and_touched_ones_as_they_are(app: App, clock: Clock, seed: int) -> None:
    await open_list(app)

    await check_undo(app, clock, seed, 25)


async def test_an_undo_that_was_broken_off_goes_on_and_a_running_import_stops(
    app: App, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    await open_list(app)
    addresses = [f"person{number}@example.org" for number in range(5)]
    before = await standing(app, *addresses)
    number = await run(
        app, *(person(one) for one in addresses), person("gone@example.org", None, suppressions=suppressed(BANNED))
    )
    clock.advance(hours=1)
    monkeypatch.setattr(undoing, "_CHUNK", 2)

    def break_off(done: int) -> None:
        if done == 4:
            raise ConnectionError

    with pytest.raises(ConnectionError):
        await undo_import(app, ADMIN, number, break_off)
    half = await preview_undo(app, ADMIN, number)
    done = await undo_import(app, ADMIN, number)

    assert (half.undone, done.undone, done.lifted, done.kept) == (1, 5, 1, {})
    assert await standing(app, *addresses) == before
    assert (await standing(app, "gone@example.org"))["gone@example.org"] == Standing()
    with pytest.raises(WrongState):
        await app.database.write(import_runs.require_not_undone, number)


async def test_who_said_no_here_too_stays_away_though_the_import_had_said_so_first(app: App, clock: Clock) -> None:
    await open_list(app)
    await import_rows(app, f"{ROSA},Rosa,en", f"{EMMA},Emma,en")
    clock.advance(hours=1)
    number = await run(app, *(person(one, UNSUBSCRIBED, suppressions=suppressed(LEFT)) for one in (ROSA, EMMA)))
    clock.advance(hours=1)
    await leave(app, ROSA)

    done = await undo_import(app, ADMIN, number)

    found = await standing(app, ROSA, EMMA)
    assert (done.undone, done.kept) == (1, {"acted": 1})
    assert [found[one].is_mailed for one in (ROSA, EMMA)] == [False, True]
    assert [line[0] for line in found[ROSA].lines] == ["imported", "departed", "left"]


async def test_a_suppression_that_two_imports_say_stays_with_either_and_one_of_the_same_files_does_not(
    app: App, clock: Clock
) -> None:
    await open_list(app)
    banned = person(ROSA, None, suppressions=suppressed(BANNED))
    numbers = []
    for sha256 in ("5" * 64, "5" * 64, "6" * 64):
        async with await plan_import(app, ADMIN, list_name="appeals", export=invented_export(banned)) as plan:
            plan.source = replace(plan.source, sha256=sha256)
            numbers.append((await run_import(app, ADMIN, plan)).run)
        foreseen = await preview_undo(app, ADMIN, numbers[0])
        assert foreseen.lifted == (0 if sha256.startswith("6") else 1)

    await undo_import(app, ADMIN, numbers[0])

    assert [one[1] for one in (await standing(app, ROSA))[ROSA].suppressions] == ["banned"]


async def test_who_was_mailed_stays_and_whose_letter_was_called_off_goes(
    app: App, relay: FakeRelay, clock: Clock
) -> None:
    await open_list(app)
    number = await run(app, person(ROSA), person(EMMA))
    campaign_id = await launch_campaign(app)
    waiting = await preview_undo(app, ADMIN, number)
    await cancel(app, ADMIN, campaign_id)
    await launch_due(app)
    called_off = await preview_undo(app, ADMIN, number)
    await launch_campaign(app)
    await send_campaigns(app)

    sent = await undo_import(app, ADMIN, number)

    assert [(one.undone, one.kept) for one in (waiting, called_off, sent)] == [
        (0, {"mailed": 2}),
        (2, {}),
        (0, {"mailed": 2}),
    ]
    (view,) = await list_imports(app, ADMIN, list_name="appeals")
    assert (view.number, view.undone_at, view.undone_by) == (number, clock(), ADMIN.name)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(2, 14))
async def test_the_same_of_many_more(app: App, clock: Clock, seed: int) -> None:
    await open_list(app)

    await check_undo(app, clock, seed, 60)
