"""What came of a campaign: reasons in the relay's words, leaves and complaints by hour, the campaigns before it."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from mailer.actions.campaigns.new_campaign import new_campaign
from mailer.actions.campaigns.report import report
from mailer.actions.campaigns.results import HOURS, CampaignResults, show_results
from mailer.actions.inbound.record_bounce import record_feedback
from mailer.actions.subscriptions.unsubscribe import unsubscribe
from mailer.app import App
from mailer.domain.accounts.actor import Actor, Door
from mailer.domain.accounts.role import Grant, Role
from mailer.domain.bounce import BounceReason, DsnAction, FeedbackKind, RecipientBounce, Severity
from mailer.domain.delivery_feedback import DeliveryFeedback
from mailer.domain.token import Purpose, sign_token
from mailer.errors import NotPermitted
from tests.support.app_helpers import (
    ADMIN,
    APPEAL,
    BEA,
    EMMA,
    LINK_EVIDENCE,
    ROSA,
    Clock,
    import_rows,
    launch_campaign,
    open_list,
    send_campaigns,
)

VIEWER = Actor(name="vera@example.org", door=Door.CONSOLE, grants=(Grant(role=Role.VIEWER),))


async def come_back(app: App, delivery_id: int, kind: FeedbackKind, at: datetime, words: str = "") -> None:
    bounce = RecipientBounce(
        address=None,
        action=DsnAction.FAILED,
        status="5.1.1",
        diagnostic=words,
        severity=Severity.HARD if kind is FeedbackKind.BOUNCE else Severity.IGNORE,
        reason=BounceReason.UNKNOWN_USER if kind is FeedbackKind.BOUNCE else BounceReason.SPAM_COMPLAINT,
    )
    one = DeliveryFeedback(
        delivery_id=delivery_id,
        address=None,
        kind=kind,
        bounce=bounce,
        complaint=None,
        channel="mail",
        message_id=None,
        at=at,
    )
    await record_feedback(app, [one])


async def leave(app: App, subscription_id: int) -> None:
    await unsubscribe(app, sign_token(app.site.keyring, Purpose.LEAVE, subscription_id), LINK_EVIDENCE)


async def send_to_four(app: App) -> tuple[int, dict[str, int]]:
    """Ada's list gets a letter; the campaign, and the deliveries by address."""
    await import_rows(app, f"{EMMA},Emma,en", f"{ROSA},Rosa,en", f"{BEA},Bea,en", "noor@example.org,Noor,en")
    campaign_id = await launch_campaign(app)
    await send_campaigns(app)
    numbers = {one.address: one.id async for one in report(app, ADMIN, campaign_id)}
    return campaign_id, numbers


def in_hour(results: CampaignResults, hour: int) -> tuple[int, int, int]:
    one = results.hours[hour]
    return one.bounces, one.complaints, one.left


async def test_bounces_are_grouped_by_reason_with_the_words_of_a_mail_server(app: App, clock: Clock) -> None:
    await open_list(app)
    campaign_id, numbers = await send_to_four(app)
    await come_back(app, numbers[EMMA], FeedbackKind.BOUNCE, clock(), f"550 5.1.1 <{EMMA}>: no such person")
    await come_back(app, numbers[BEA], FeedbackKind.BOUNCE, clock(), f"550 5.1.1 <{BEA}>: no such person")

    seen = await show_results(app, ADMIN, campaign_id)
    hidden = await show_results(app, VIEWER, campaign_id)

    [group] = seen.bounces
    assert (group.severity, group.reason, group.number) == (Severity.HARD, BounceReason.UNKNOWN_USER, 2)
    assert group.example == f"550 5.1.1 <{EMMA}>: no such person"
    assert hidden.bounces[0].example == "550 5.1.1 <…>: no such person"
    assert not seen.is_partial


async def test_leaves_and_complaints_are_counted_by_the_hour_after_the_launch(app: App, clock: Clock) -> None:
    await open_list(app)
    launched_at = clock()
    campaign_id, numbers = await send_to_four(app)
    clock.advance(minutes=59)
    await leave(app, 1)
    clock.advance(hours=2)
    await leave(app, 2)
    await come_back(app, numbers[BEA], FeedbackKind.COMPLAINT, clock())
    clock.advance(hours=HOURS)
    await leave(app, 4)

    results = await show_results(app, ADMIN, campaign_id)

    assert [one.begins_at - launched_at for one in results.hours] == [timedelta(hours=hour) for hour in range(3)]
    assert [in_hour(results, hour) for hour in range(3)] == [(0, 0, 1), (0, 0, 0), (0, 1, 1)]


async def test_a_campaign_stands_beside_those_of_its_list_before_it(app: App, clock: Clock) -> None:
    await open_list(app)
    await open_list(app, "others")
    before, numbers = await send_to_four(app)
    await come_back(app, numbers[BEA], FeedbackKind.COMPLAINT, clock())
    await leave(app, 1)
    await launch_campaign(app, "others")
    clock.advance(days=2)
    after = await launch_campaign(app)
    await send_campaigns(app)

    outcomes = (await show_results(app, ADMIN, after)).outcomes

    assert [one.campaign.id for one in outcomes] == [after, before]
    assert [(one.audience, one.accepted, one.left, one.complaints) for one in outcomes] == [(2, 2, 0, 0), (4, 4, 1, 1)]


async def test_before_the_launch_there_is_nothing(app: App) -> None:
    await open_list(app)
    campaign_id = await new_campaign(app, ADMIN, list_name="appeals", texts={"appeal.md": APPEAL})

    results = await show_results(app, ADMIN, campaign_id)

    assert (results.bounces, results.hours, results.outcomes) == ((), (), ())


async def test_who_organises_another_list_sees_nothing(app: App) -> None:
    await open_list(app)
    campaign_id = await launch_campaign(app)
    elsewhere = Actor(name=BEA, door=Door.CONSOLE, grants=(Grant(role=Role.OWNER, mailing_list_id=99),))

    with pytest.raises(NotPermitted):
        await show_results(app, elsewhere, campaign_id)
