"""With a relay elsewhere no campaign is sent with sample settings, unless told so; a paused one loses nothing."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mailer.actions.campaigns.launch import launch_due
from mailer.actions.campaigns.new_campaign import new_campaign
from mailer.actions.campaigns.pause_resume_cancel import pause, resume
from mailer.actions.campaigns.report import campaign_status
from mailer.actions.campaigns.schedule import schedule, send_now
from mailer.app import App
from mailer.domain.delivery import DeliveryState
from mailer.errors import SettingsUnfinished
from tests.support.app_helpers import (
    ADMIN,
    APPEAL,
    EMMA,
    ROSA,
    Clock,
    import_rows,
    open_list,
    recipients,
    send_campaigns,
)
from tests.support.fake_relay import FakeRelay

OWN = {"name": "Harvest Circle", "domain": "lists.harvest-circle.org", "url": "https://harvest-circle.org/lists"}


@pytest.fixture
async def away(app: App) -> App:
    """The service with sample settings and a relay elsewhere; Ada's list has two readers, and campaign 1 is written."""
    await open_list(app)
    await import_rows(app, f"{ROSA},Rosa,en", f"{EMMA},Emma,en")
    await new_campaign(app, ADMIN, list_name="appeals", texts={"appeal.md": APPEAL})
    return replace(app, relays=tuple(replace(relay, host="relay.invalid") for relay in app.relays))


def mended(app: App) -> App:
    """The same once settings.toml was written, and the service started anew."""
    return replace(app, site=replace(app.site, owner="ada@harvest-circle.org", **OWN))


async def state(app: App) -> str:
    return (await campaign_status(app, ADMIN, 1)).campaign.state


async def test_it_is_refused_by_name_before_any_hour_is_set(away: App) -> None:
    for verb in (
        send_now(away, ADMIN, 1, wait_s=0),
        schedule(away, ADMIN, 1, local_time="2027-03-02T09:00", zone="Europe/Berlin"),
    ):
        with pytest.raises(SettingsUnfinished, match=r'name "Open Letters" .*; domain lists\.example\.org .*; url '):
            await verb

    assert await state(away) == "draft"
    assert (await send_now(mended(away), ADMIN, 1, wait_s=0)).state == "scheduled"


async def test_a_launch_is_held_with_its_reason_and_goes_on_once_the_settings_are_mended(
    app: App, away: App, relay: FakeRelay
) -> None:
    await send_now(app, ADMIN, 1, wait_s=0)  # while the relay was on this machine

    await launch_due(away)
    held = await campaign_status(away, ADMIN, 1)
    with pytest.raises(SettingsUnfinished):
        await resume(away, ADMIN, 1)
    still = await state(away)
    await resume(mended(away), ADMIN, 1)
    await launch_due(away)  # by a process that was not started anew
    again = await state(away)
    await resume(mended(away), ADMIN, 1)
    await launch_due(mended(away))
    launched = await campaign_status(away, ADMIN, 1)
    await send_campaigns(app)

    assert (held.campaign.state, held.counts, still, again) == ("paused", {}, "paused", "paused")
    assert "domain lists.example.org is a name kept for examples" in (held.campaign.remark or "")
    assert "mailer campaign resume 1" in (held.campaign.remark or "")
    assert (launched.campaign.state, launched.counts) == ("sending", {DeliveryState.QUEUED: 2})
    assert (launched.campaign.remark, sorted(recipients(relay))) == (None, [EMMA, ROSA])


async def test_anyway_is_remembered_until_the_launch_and_no_longer(app: App, away: App, clock: Clock) -> None:
    await send_now(away, ADMIN, 1, wait_s=60, anyway="The list is only us.")
    clock.advance(minutes=2)
    await launch_due(away)
    launched = await state(away)
    await pause(away, ADMIN, 1)
    resumed = (await resume(away, ADMIN, 1)).state

    number = await new_campaign(app, ADMIN, list_name="appeals", texts={"appeal.md": APPEAL})
    await send_now(away, ADMIN, number, wait_s=60, anyway="The list is only us.")
    await send_now(app, ADMIN, number, wait_s=60)
    clock.advance(minutes=2)
    await launch_due(away)
    held = (await campaign_status(away, ADMIN, number)).campaign.state
    goes = (await resume(away, ADMIN, number, anyway="The list is only us.")).state
    await launch_due(away)

    assert (launched, resumed, held, goes) == ("sending", "sending", "paused", "launching")
    assert (await campaign_status(away, ADMIN, number)).campaign.state == "sending"
