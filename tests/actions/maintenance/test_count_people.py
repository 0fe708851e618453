"""What pages do not count is counted in the background: once for a day, and when people changed for an audience."""

from __future__ import annotations

from datetime import UTC, date, timedelta

from sqlalchemy import Connection, delete

from mailer.actions.lists.people_numbers import audience_by_language, joins_and_leaves
from mailer.actions.maintenance.count_people import AudienceRecounts, count_days, recount_audiences
from mailer.actions.subscriptions.unsubscribe import unsubscribe
from mailer.app import App
from mailer.domain.audience_count import AudienceCount
from mailer.domain.consent import Channel, Evidence
from mailer.domain.token import Purpose, sign_token
from mailer.store.counts import audience_counts, list_days
from mailer.store.people_tables import consent
from tests.support.app_helpers import ADMIN, EMMA, ROSA, Clock, import_rows, open_list

LARGE = 1
"""In these tests a list of more than one subscription is large."""


async def stored(app: App, mailing_list_id: int) -> AudienceCount:
    return await app.database.read(audience_counts.load, mailing_list_id, app.clock())


async def leave(app: App, subscription_id: int) -> None:
    await unsubscribe(app, sign_token(app.site.keyring, Purpose.LEAVE, subscription_id), Evidence(Channel.LINK))


def today(app: App) -> date:
    return app.clock().astimezone(UTC).date()


async def test_people_are_counted_by_language_and_by_what_keeps_letters_from_them(app: App) -> None:
    appeals = await open_list(app)
    await import_rows(app, f"{ROSA},Rosa,de", f"{EMMA},Emma,", "samir@example.org,Samir,de")
    await leave(app, 1)

    counted = await audience_by_language(app, ADMIN, appeals.id)

    assert counted.languages == {"": 1, "de": 1}
    assert counted.excluded == {"pending": 0, "suppressed": 0, "left": 1}
    assert (counted.reached, counted.counted_at) == (2, app.clock())


async def test_a_large_list_is_counted_again_only_when_somebody_came_or_left(app: App, clock: Clock) -> None:
    appeals, recounts = await open_list(app), AudienceRecounts()
    await import_rows(app, ROSA, EMMA)
    clock.now += timedelta(minutes=1)
    assert await recount_audiences(app, recounts, LARGE) == 1
    first = clock.now
    clock.now += timedelta(minutes=1)
    assert await recount_audiences(app, recounts, LARGE) == 0
    assert (await stored(app, appeals.id)).counted_at == first

    await leave(app, 1)

    assert (await stored(app, appeals.id)).reached == 2
    assert await recount_audiences(app, recounts, LARGE) == 1
    assert (await stored(app, appeals.id)).reached == 1


async def test_a_list_that_is_small_again_is_counted_when_somebody_asks(app: App) -> None:
    appeals, recounts = await open_list(app), AudienceRecounts()
    await import_rows(app, ROSA, EMMA)
    await recount_audiences(app, recounts, LARGE)
    await leave(app, 1)

    assert await recount_audiences(app, AudienceRecounts(), at_once=2) == 0

    assert (await stored(app, appeals.id)).reached == 1


async def test_a_list_rests_twenty_times_as_long_as_its_count_took(app: App, clock: Clock) -> None:
    appeals, recounts = await open_list(app), AudienceRecounts()
    recounts.counted(appeals.id, clock.now - timedelta(seconds=3), clock.now)

    assert not recounts.may_begin(appeals.id, clock.now + timedelta(seconds=59))
    assert recounts.may_begin(appeals.id, clock.now + timedelta(seconds=60))


async def test_a_day_that_is_over_is_counted_once_and_stays_when_its_people_are_erased(app: App, clock: Clock) -> None:
    await open_list(app)
    await import_rows(app, ROSA, EMMA)
    await leave(app, 1)
    then = today(app)
    clock.now += timedelta(days=2)
    await count_days(app)

    await app.database.write(lambda tx: tx.execute(delete(consent)))

    assert await count_days(app) == 1
    days = {one.day: (one.joined, one.left) for one in await joins_and_leaves(app, ADMIN)}
    assert len(days) == 90
    assert days[then] == (2, 1)
    assert days[today(app)] == (0, 0)


async def test_today_is_counted_when_somebody_looks_and_as_it_was_kept_where_that_would_take_long(app: App) -> None:
    appeals = await open_list(app)
    await import_rows(app, ROSA, EMMA)
    await count_days(app)
    await leave(app, 1)

    looked = await joins_and_leaves(app, ADMIN, appeals.id)

    assert (looked[-1].day, looked[-1].joined, looked[-1].left) == (today(app), 2, 1)
    assert await app.database.read(list_days.count_day, [appeals.id], today(app), 2) is None


async def test_days_on_which_the_service_did_not_run_are_counted_later(app: App, clock: Clock) -> None:
    appeals = await open_list(app)
    await import_rows(app, ROSA)
    await count_days(app)
    clock.now += timedelta(days=3)
    await import_rows(app, EMMA)
    clock.now += timedelta(days=30)

    await count_days(app)

    def kept(tx: Connection) -> list[int]:
        return [one.joined for one in list_days.load_days(tx, [appeals.id], today(app), 90) if one.joined]

    assert await app.database.read(kept) == [1, 1]
