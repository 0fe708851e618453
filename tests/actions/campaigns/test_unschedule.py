"""A campaign's hour is taken back: it is a draft again, and nobody gets it."""

from __future__ import annotations

import pytest

from mailer.actions.campaigns.launch import launch_due
from mailer.actions.campaigns.new_campaign import new_campaign
from mailer.actions.campaigns.schedule import send_now
from mailer.actions.campaigns.unschedule import unschedule
from mailer.app import App
from mailer.domain.accounts.actor import Actor, Door
from mailer.domain.accounts.role import Grant, Role
from mailer.domain.campaign import CampaignState
from mailer.errors import NotFound, NotPermitted, WrongState
from mailer.store.accounts import audit_log
from tests.support.app_helpers import (
    ADMIN,
    APPEAL,
    EMMA,
    Clock,
    import_rows,
    launch_campaign,
    open_list,
    recipients,
    send_campaigns,
)
from tests.support.fake_relay import FakeRelay


async def test_ada_takes_it_back_within_the_half_minute(app: App, relay: FakeRelay, clock: Clock) -> None:
    await open_list(app)
    await import_rows(app, f"{EMMA},Emma,en")
    campaign_id = await new_campaign(app, ADMIN, list_name="appeals", texts={"appeal.md": APPEAL})
    await send_now(app, ADMIN, campaign_id, wait_s=30)
    clock.advance(seconds=29)

    draft = await unschedule(app, ADMIN, campaign_id)
    clock.advance(seconds=5)
    await launch_due(app)
    await send_campaigns(app)

    assert (draft.state, draft.scheduled_at, draft.local_time) == (CampaignState.DRAFT, None, None)
    assert recipients(relay) == []
    line = (await app.database.read(audit_log.list_page)).items[0]
    assert (line.actor, line.act, line.subject) == (ADMIN.name, "unschedule campaign", f"campaign {campaign_id}")
    assert line.before == {"state": "scheduled", "local_time": "2027-03-01T08:00:30", "zone": "UTC"}


async def test_a_campaign_that_is_on_its_way_is_not_taken_back(app: App) -> None:
    await open_list(app)
    campaign_id = await launch_campaign(app)

    with pytest.raises(WrongState, match="is sending"):
        await unschedule(app, ADMIN, campaign_id)
    with pytest.raises(NotFound):
        await unschedule(app, ADMIN, 99)


async def test_an_editor_may_not(app: App) -> None:
    await open_list(app)
    campaign_id = await new_campaign(app, ADMIN, list_name="appeals", texts={"appeal.md": APPEAL})
    await send_now(app, ADMIN, campaign_id, wait_s=30)
    editor = Actor(name=EMMA, door=Door.CONSOLE, grants=(Grant(role=Role.EDITOR),))

    with pytest.raises(NotPermitted):
        await unschedule(app, editor, campaign_id)
