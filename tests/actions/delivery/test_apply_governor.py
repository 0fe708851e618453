"""The governor: a campaign with too many failures is paused, says why, and continues when its owner resumes it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import Connection

from mailer.actions.campaigns.pause_resume_cancel import cancel, resume
from mailer.actions.campaigns.report import CampaignStatus, campaign_status
from mailer.actions.campaigns.retry_settle import retry_failed
from mailer.actions.inbound.record_bounce import record_feedback
from mailer.app import App
from mailer.domain.bounce import BounceReason, DsnAction, FeedbackKind, RecipientBounce, Severity
from mailer.domain.campaign import CampaignState
from mailer.domain.delivery import DeliveryState
from mailer.domain.delivery_feedback import DeliveryFeedback
from mailer.domain.governor import DeliveryCounts
from mailer.settings.governor_table import GovernorSettings
from mailer.store import campaign_progress, governor_counts
from tests.support.app_helpers import (
    ADA,
    ADMIN,
    Clock,
    import_rows,
    launch_campaign,
    open_list,
    parse_letter,
    send_campaigns,
    send_notices,
    text_of,
)
from tests.support.fake_relay import FakeRelay

SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
WAIT = "450 4.2.0 come again"
GONE = "550 5.7.1 no"


@pytest.fixture
def app(app: App) -> App:
    """So few letters that a test is quick."""
    return replace(app, governor=GovernorSettings(after=10))


def people(domain: str, number: int) -> list[str]:
    return [f"reader{one}@{domain}" for one in range(number)]


async def begin(app: App, *readers: str) -> int:
    """A campaign to these is launched. Where the relay puts one of them off, it is not over yet."""
    await open_list(app)
    await import_rows(app, *(f"{one},," for one in readers))
    return await launch_campaign(app)


async def letters_of(app: App, campaign_id: int) -> dict[str, int]:
    lines = await app.database.read(campaign_progress.list_recipients, campaign_id, 0, 1000)
    return {one.address: one.id for one in lines}


async def come_back(app: App, numbers: list[int], kind: FeedbackKind = FeedbackKind.COMPLAINT) -> None:
    of = RecipientBounce(
        address="", action=DsnAction.FAILED, status="5.1.1", diagnostic="550 5.1.1 no such user",
        severity=Severity.HARD,
        reason=BounceReason.UNKNOWN_USER,
    )  # fmt: skip
    same: dict[str, Any] = {"address": None, "kind": kind, "complaint": None, "channel": "mail", "message_id": None}
    bounced = of if kind is FeedbackKind.BOUNCE else None
    await record_feedback(
        app, [DeliveryFeedback(delivery_id=one, bounce=bounced, at=app.clock(), **same) for one in numbers]
    )


async def look(app: App, clock: Clock, campaign_id: int) -> CampaignStatus:
    """Eleven seconds later; what is due goes out, and the owner's letters do."""
    clock.advance(seconds=11)
    await send_campaigns(app)
    await send_notices(app)
    return await campaign_status(app, ADMIN, campaign_id)


async def test_complaints_pause_the_campaign_the_owner_gets_a_notice_and_a_resumed_campaign_goes_on(
    app: App, relay: FakeRelay, clock: Clock
) -> None:
    readers = people("mail.example", 30)
    relay.answers("rcpt", WAIT, address=readers[-1])
    campaign_id = await begin(app, *readers)
    await send_campaigns(app)
    letters = await letters_of(app, campaign_id)

    await come_back(app, [letters[one] for one in readers[:2]])
    assert (await look(app, clock, campaign_id)).campaign.state is CampaignState.SENDING
    await come_back(app, [letters[readers[2]]])
    status = await look(app, clock, campaign_id)

    assert status.campaign.state is CampaignState.PAUSED
    assert status.campaign.remark == "stopped by itself: of 29 letters to mail.example 3 were complained of"
    notice = relay.letters[-1]
    assert notice.recipient == ADA
    assert parse_letter(notice)["Subject"] == "Stopped: Come to the harvest forum"
    assert f"mailer campaign resume {campaign_id}" in text_of(notice)
    assert "reported one of them as spam: 3" in " ".join(text_of(notice).split())

    await resume(app, ADMIN, campaign_id)
    await come_back(app, [letters[one] for one in readers[3:9]])
    assert (await look(app, clock, campaign_id)).campaign.state is CampaignState.SENDING
    relay.forget_orders()
    clock.advance(minutes=10)
    assert (await look(app, clock, campaign_id)).campaign.state is CampaignState.SENT


async def test_a_provider_that_refuses_is_held_while_others_get_their_letters_and_is_tried_again(
    app: App, relay: FakeRelay, clock: Clock
) -> None:
    bad, good = people("bad.example", 12), people("good.example", 12)
    for number, one in enumerate(bad[:9]):
        relay.answers("rcpt", f"550 5.7.1 {'no' * (number % 2 + 1)}", address=one)
    relay.answers("rcpt", WAIT, address=bad[-1])
    campaign_id = await begin(app, *bad, *good)
    await send_campaigns(app)

    status = await look(app, clock, campaign_id)

    assert status.campaign.state is CampaignState.SENDING
    assert [(one.lane, one.reason) for one in status.held] == [
        ("bad.example", f"campaign {campaign_id}: of 12 letters to bad.example 9 were refused for good (5xx)")
    ]
    assert status.counts[DeliveryState.ACCEPTED] == 14
    assert [one.recipient for one in relay.letters].count(ADA) == 1
    assert parse_letter(relay.letters[-1])["Subject"] == "Letters to bad.example wait: Come to the harvest forum"

    relay.forget_orders()
    clock.advance(minutes=30)
    assert (await look(app, clock, campaign_id)).counts[DeliveryState.DEFERRED] == 1
    clock.advance(minutes=40)
    status = await look(app, clock, campaign_id)
    assert status.campaign.state is CampaignState.SENT
    assert status.counts[DeliveryState.ACCEPTED] == 15


@SQLITE
async def test_where_every_provider_refuses_the_campaign_is_paused_and_can_be_called_off(
    app: App, relay: FakeRelay, clock: Clock
) -> None:
    readers = [*people("a.example", 12), *people("b.example", 12)]
    for number, one in enumerate(readers[:-1]):
        if number % 3:
            relay.answers("rcpt", f"550 5.7.1 {'no' * (number % 2 + 1)}", address=one)
    relay.answers("rcpt", WAIT, address=readers[-1])
    campaign_id = await begin(app, *readers)
    await send_campaigns(app)

    status = await look(app, clock, campaign_id)

    assert status.campaign.state is CampaignState.PAUSED
    assert status.held == ()
    assert "were refused for good" in (status.campaign.remark or "")
    assert (await cancel(app, ADMIN, campaign_id)).state is CampaignState.CANCELLED


async def test_bounces_count_for_the_letters_they_are_of_and_not_against_later_ones(
    app: App, relay: FakeRelay, clock: Clock
) -> None:
    readers = people("mail.example", 30)
    relay.answers("rcpt", WAIT, address=readers[-1])
    campaign_id = await begin(app, *readers)
    await send_campaigns(app)
    letters = await letters_of(app, campaign_id)

    await come_back(app, [letters[one] for one in readers[:3]], FeedbackKind.BOUNCE)
    status = await look(app, clock, campaign_id)

    def load(tx: Connection) -> dict[str, DeliveryCounts]:
        return governor_counts.load_counts(tx, campaign_id)

    assert status.campaign.remark == "stopped by itself: of 30 letters to mail.example 3 found no such mailbox"
    both = DeliveryCounts(accepted=29, deferred=1, hard=3)
    assert await app.database.read(load) == {"": both, "mail.example": both}
    await resume(app, ADMIN, campaign_id)
    await come_back(app, [letters[one] for one in readers[3:9]], FeedbackKind.BOUNCE)
    assert await app.database.read(load) == {}


@SQLITE
async def test_letters_that_failed_are_tried_again_and_not_stopped_for_that(
    app: App, relay: FakeRelay, clock: Clock
) -> None:
    readers = people("mail.example", 12)
    for number, one in enumerate(readers):
        relay.answers("rcpt", f"550 5.7.1 {'no' * (number % 2 + 1)}", address=one)
    campaign_id = await begin(app, *readers)
    await send_campaigns(app)
    assert (await campaign_status(app, ADMIN, campaign_id)).counts == {DeliveryState.FAILED: 12}

    relay.forget_orders()
    await retry_failed(app, ADMIN, campaign_id)

    assert (await look(app, clock, campaign_id)).counts == {DeliveryState.ACCEPTED: 12}


@SQLITE
async def test_switched_off_it_stops_nothing(app: App, relay: FakeRelay, clock: Clock) -> None:
    app = replace(app, governor=GovernorSettings(complaints=0, hard=0, refused=0, deferred=0, after=1))
    readers = people("mail.example", 4)
    relay.answers("rcpt", WAIT, address=readers[-1])
    relay.answers("rcpt", GONE, address=readers[0])
    campaign_id = await begin(app, *readers)
    await send_campaigns(app)

    assert (await look(app, clock, campaign_id)).campaign.state is CampaignState.SENDING
