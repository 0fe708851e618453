"""A blast that is spread over some time, and what holds one up."""

from __future__ import annotations

from datetime import timedelta

import pytest

from mailer.actions.campaigns.launch import launch_due
from mailer.actions.campaigns.new_campaign import new_campaign
from mailer.actions.campaigns.pause_resume_cancel import pause
from mailer.actions.campaigns.report import campaign_status
from mailer.actions.campaigns.schedule import schedule, send_now
from mailer.app import App
from mailer.domain.campaign import CampaignState
from mailer.domain.delivery import DeliveryState
from mailer.errors import TimeRefused
from mailer.store.queue import lane_holds
from mailer.store.queue.lane_holds import Hold
from tests.support.app_helpers import (
    ADMIN,
    APPEAL,
    EMMA,
    ROSA,
    Clock,
    import_rows,
    launch_campaign,
    open_list,
    recipients,
    send_campaigns,
)
from tests.support.fake_relay import FakeRelay


@pytest.mark.parametrize(("people", "over", "tick_s"), [(40, "20s", 1.0), (40, "20s", 0.7), (6, "2h", 60.0)])
async def test_letters_leave_evenly_over_the_span(
    app: App, relay: FakeRelay, clock: Clock, people: int, over: str, tick_s: float
) -> None:
    await open_list(app)
    await import_rows(app, *(f"person{number}@example.org,,en" for number in range(people)))
    campaign_id = await new_campaign(app, ADMIN, list_name="appeals", texts={"appeal.md": APPEAL})
    campaign = await send_now(app, ADMIN, campaign_id, wait_s=0, over=over)
    began, span = clock.now, timedelta(seconds=campaign.over_s or 0)
    await launch_due(app)

    sent = []
    while clock.now <= began + span:
        await send_campaigns(app)
        sent.append(((clock.now - began) / span, len(relay.letters) / people))
        clock.advance(seconds=tick_s)

    assert len(relay.letters) == people
    early = 1.5 / span.total_seconds() + 2 / people
    late = tick_s / span.total_seconds() + 1 / people
    assert all(gone - late <= part <= gone + early for gone, part in sent if part < 1), sent
    assert (await campaign_status(app, ADMIN, campaign_id)).campaign.state is CampaignState.SENT


async def test_a_blast_must_be_over_before_its_event_begins(app: App) -> None:
    await open_list(app)
    campaign_id = await new_campaign(app, ADMIN, list_name="appeals", texts={"appeal.md": APPEAL})

    with pytest.raises(TimeRefused, match="begins before 6h have passed"):
        await schedule(app, ADMIN, campaign_id, local_time="2027-03-05T13:00", zone="Europe/Berlin", over="6h")
    spread = await schedule(app, ADMIN, campaign_id, local_time="2027-03-05T12:59", zone="Europe/Berlin", over="6h")
    moved = await schedule(app, ADMIN, campaign_id, local_time="2027-03-05T13:00", zone="Europe/Berlin")

    assert (spread.over_s, moved.over_s) == (21600, None)


async def test_the_status_says_what_is_held_and_counts_the_deferred_not_into_the_time_left(
    app: App, relay: FakeRelay, clock: Clock
) -> None:
    await open_list(app)
    await import_rows(app, f"{ROSA},Rosa,en", f"{EMMA},Emma,en")
    relay.answers("rcpt", "450 4.2.1 try later", address=EMMA)
    before = await campaign_status(
        app, ADMIN, await new_campaign(app, ADMIN, list_name="appeals", texts={"appeal.md": APPEAL})
    )
    campaign_id = await launch_campaign(app)
    clock.advance(seconds=10)
    await send_campaigns(app)
    hold = Hold(lane="example.net", until=clock.now + timedelta(minutes=5), reason="421 too fast")
    await app.database.write(lane_holds.set_hold, hold, clock.now)

    sending = await campaign_status(app, ADMIN, campaign_id)
    await pause(app, ADMIN, campaign_id)
    paused = await campaign_status(app, ADMIN, campaign_id)

    assert recipients(relay) == [ROSA]
    assert sending.counts == {DeliveryState.ACCEPTED: 1, DeliveryState.DEFERRED: 1}
    assert (sending.rate, sending.eta_s) == (0.1, 0.0)
    assert (before.held, sending.held, paused.held) == ((), (hold,), (hold,))
