"""A pause with an end: nobody is mailed before it is over, and everybody after that."""

from __future__ import annotations

from datetime import timedelta

from mailer.actions.maintenance.end_pauses import end_pauses
from mailer.actions.subscriptions.show_person import show_person
from mailer.actions.subscriptions.unsubscribe import unsubscribe
from mailer.app import App
from mailer.domain.suppression import SuppressionReason
from mailer.domain.token import Purpose, sign_token
from tests.support.app_helpers import (
    ADMIN,
    EMMA,
    LINK_EVIDENCE,
    ROSA,
    Clock,
    import_rows,
    launch_campaign,
    open_list,
    recipients,
    send_campaigns,
    suppress,
)
from tests.support.fake_relay import FakeRelay

PAUSED = SuppressionReason.PAUSED
DAY = timedelta(days=1)


async def test_a_paused_reader_is_mailed_again_once_the_hour_has_come_also_when_the_service_stood_still(
    app: App, relay: FakeRelay, clock: Clock
) -> None:
    await open_list(app)
    await import_rows(app, f"{ROSA},Rosa,en", f"{EMMA},Emma,en")
    await suppress(app, ROSA, PAUSED, list_name="appeals", until=clock() + DAY)
    await suppress(app, EMMA, PAUSED, list_name="appeals")

    early = await end_pauses(app)
    await launch_campaign(app)
    await send_campaigns(app)
    paused = await show_person(app, ADMIN, ROSA)
    clock.advance(days=2)
    await launch_campaign(app)
    late = [await end_pauses(app), await end_pauses(app)]
    await send_campaigns(app)

    assert (early, late) == (0, [1, 0])
    assert (paused.subscriptions, paused.paused) == ({"appeals": "confirmed"}, {"appeals"})
    assert recipients(relay) == [], "a pause beyond its end stands until the job has lifted it"
    await launch_campaign(app)
    await send_campaigns(app)
    assert recipients(relay) == [ROSA]
    line = (await show_person(app, ADMIN, ROSA)).consents[-1]
    assert (line.act, line.evidence, line.at) == ("resumed", {"until": (clock() - DAY).isoformat()}, clock())
    assert (await show_person(app, ADMIN, EMMA)).paused == {"appeals"}


async def test_a_pause_of_all_lists_ends_on_each_and_who_left_stays_away(app: App, clock: Clock) -> None:
    for name in ("appeals", "walks"):
        await open_list(app, name)
        await import_rows(app, f"{ROSA},Rosa,en", list_name=name)
    await unsubscribe(app, sign_token(app.site.keyring, Purpose.LEAVE, 1), LINK_EVIDENCE)
    await suppress(app, ROSA, PAUSED, list_name=None, until=clock() + DAY)
    await suppress(app, "nobody@example.org", PAUSED, list_name=None, until=clock() + DAY)
    clock.advance(days=1)

    ended = await end_pauses(app)

    person = await show_person(app, ADMIN, ROSA)
    assert ended == 2
    assert [line.list_name for line in person.consents if line.act == "resumed"] == ["appeals", "walks"]
    assert person.subscriptions == {"appeals": "unsubscribed", "walks": "confirmed"}
    assert [(one.list_name, one.reason) for one in person.suppressions] == [("appeals", "left")]
