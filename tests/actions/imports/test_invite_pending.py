"""Who came as pending is asked once, when an organiser says so, and nobody who wants no letters is."""

from __future__ import annotations

from mailer.actions.imports.invite_pending import invite_pending
from mailer.actions.imports.plan_import import plan_import
from mailer.actions.imports.run_import import run_import
from mailer.actions.maintenance.purge import purge
from mailer.actions.subscriptions.show_person import show_person
from mailer.app import App
from mailer.domain.address import Address
from mailer.domain.subscription import SubscriptionState
from mailer.domain.suppression import SuppressionReason
from mailer.errors import NotFound
from mailer.importers.person_row import PersonRow, SuppressionEntry
from tests.support.app_helpers import ADMIN, Clock, open_list, send_notices
from tests.support.fake_relay import FakeRelay
from tests.support.invented_exports import invented_export

NAMES = ("ada", "bea", "cem")
BOUNCED = SuppressionEntry(reason=SuppressionReason.BOUNCED, everywhere=False, since=None)
NEVER = SuppressionEntry(reason=SuppressionReason.NEVER, everywhere=True, since=None)


def waiting(name: str, *suppressions: SuppressionEntry) -> PersonRow:
    address = Address(f"{name}@example.org")
    return PersonRow(address=address, attributes={}, state=SubscriptionState.PENDING, suppressions=suppressions)


async def take_in(app: App, *rows: PersonRow) -> None:
    async with await plan_import(app, ADMIN, list_name="appeals", export=invented_export(*rows)) as plan:
        await run_import(app, ADMIN, plan)


async def test_those_who_wait_are_asked_once_in_portions(app: App, relay: FakeRelay, clock: Clock) -> None:
    await open_list(app)
    await take_in(
        app, *(waiting(name) for name in ("ada", "bea", "cem")), waiting("dead", BOUNCED), waiting("no", NEVER)
    )
    await send_notices(app)
    by_the_import = [letter.recipient for letter in relay.letters]

    wait = await invite_pending(app, ADMIN, "appeals", dry_run=True)
    asked = [await invite_pending(app, ADMIN, "appeals", at_most=2)]
    asked += [await invite_pending(app, ADMIN, "appeals") for _ in range(2)]
    await send_notices(app)

    assert by_the_import == []
    assert wait == 3
    assert asked == [2, 1, 0]
    assert sorted(letter.recipient for letter in relay.letters) == [
        f"{name}@example.org" for name in ("ada", "bea", "cem")
    ]
    assert (await show_person(app, ADMIN, "ada@example.org")).consents[-1].act == "invited"


async def test_who_was_never_asked_is_kept_and_who_does_not_answer_is_not(app: App, clock: Clock) -> None:
    await open_list(app)
    await take_in(app, waiting("ada"), waiting("bea"), waiting("last"))
    await invite_pending(app, ADMIN, "appeals", at_most=1)

    clock.advance(days=60)
    await purge(app)

    still = [one for one in ("ada", "bea") if (await _is_known(app, f"{one}@example.org"))]
    assert still == ["bea"]


async def _is_known(app: App, address: str) -> bool:
    try:
        return bool((await show_person(app, ADMIN, address)).subscriptions)
    except NotFound:
        return False
