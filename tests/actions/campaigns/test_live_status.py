"""Following a campaign: the audience is the sum of the states, held lanes are named with their reason."""

from __future__ import annotations

from datetime import timedelta

import pytest

from mailer.actions.campaigns.live_status import live_status
from mailer.actions.campaigns.new_campaign import new_campaign
from mailer.actions.campaigns.pause_resume_cancel import cancel, pause
from mailer.app import App
from mailer.domain.accounts.actor import Actor, Door
from mailer.domain.accounts.role import Grant, Role
from mailer.domain.campaign import CampaignState
from mailer.domain.delivery import DeliveryState
from mailer.errors import NotFound, NotPermitted
from mailer.store.queue import lane_holds
from mailer.store.queue.lane_holds import Hold
from tests.support.app_helpers import (
    ADMIN,
    APPEAL,
    BEA,
    EMMA,
    ROSA,
    Clock,
    import_rows,
    launch_campaign,
    open_list,
    send_campaigns,
)
from tests.support.fake_relay import FakeRelay


async def test_the_sum_of_the_states_is_the_audience_at_every_step(app: App, relay: FakeRelay, clock: Clock) -> None:
    await open_list(app)
    await import_rows(app, f"{EMMA},Emma,en", f"{ROSA},Rosa,en", f"{BEA},Bea,en")
    draft = await new_campaign(app, ADMIN, list_name="appeals", texts={"appeal.md": APPEAL})
    relay.answers("rcpt", "550 5.1.1 no such person", address=ROSA)
    relay.answers("rcpt", "450 4.2.1 later", address=BEA, nth=1)

    empty = await live_status(app, ADMIN, draft)
    campaign_id = await launch_campaign(app)
    launched = await live_status(app, ADMIN, campaign_id)
    await send_campaigns(app)
    tried = await live_status(app, ADMIN, campaign_id)
    clock.advance(hours=2)
    await send_campaigns(app)
    sent = await live_status(app, ADMIN, campaign_id)

    assert (empty.audience, empty.counts, empty.is_over) == (0, {}, False)
    assert launched.counts == {DeliveryState.QUEUED: 3}
    assert list(tried.counts.items()) == [
        (DeliveryState.ACCEPTED, 1),
        (DeliveryState.DEFERRED, 1),
        (DeliveryState.FAILED, 1),
    ]
    assert (tried.audience, tried.settled, tried.waiting) == (3, 2, 1)
    assert tried.next_try_at is not None
    assert tried.at < tried.next_try_at <= clock()
    assert sent.campaign.state is CampaignState.SENT
    assert (sent.audience, sent.waiting, sent.is_over, sent.next_try_at) == (3, 0, True, None)


async def test_lanes_that_are_held_are_named_while_the_campaign_goes(app: App, clock: Clock) -> None:
    await open_list(app)
    await import_rows(app, f"{EMMA},Emma,en")
    campaign_id = await launch_campaign(app)
    at = clock()

    def hold(lane: str, minutes: int) -> Hold:
        return Hold(lane=lane, until=at + timedelta(minutes=minutes), reason="421 too fast")

    for one in (hold("example.org", 14), hold("notices to example.org", 14), hold("over.example.org", -1)):
        await app.database.write(lane_holds.set_hold, one, at)

    going = await live_status(app, ADMIN, campaign_id)
    await pause(app, ADMIN, campaign_id)
    paused = await live_status(app, ADMIN, campaign_id)
    await cancel(app, ADMIN, campaign_id)
    cancelled = await live_status(app, ADMIN, campaign_id)

    assert [(one.lane, one.reason) for one in going.held] == [("example.org", "421 too fast")]
    assert paused.held == going.held
    assert (cancelled.held, cancelled.is_over) == ((), False)


async def test_only_organisers_of_the_list_follow_it(app: App) -> None:
    await open_list(app)
    campaign_id = await launch_campaign(app)
    elsewhere = Actor(name=BEA, door=Door.CONSOLE, grants=(Grant(role=Role.OWNER, mailing_list_id=99),))

    with pytest.raises(NotPermitted):
        await live_status(app, elsewhere, campaign_id)
    with pytest.raises(NotFound):
        await live_status(app, ADMIN, 99)
