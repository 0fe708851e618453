"""Failed letters are tried again, and organisers decide on letters of uncertain outcome."""

from __future__ import annotations

import pytest

from mailer.actions.campaigns.edition_audience import AudienceChoice
from mailer.actions.campaigns.launch import launch_due
from mailer.actions.campaigns.new_campaign import new_campaign
from mailer.actions.campaigns.pause_resume_cancel import cancel, pause, resume
from mailer.actions.campaigns.report import audience_size, campaign_status, report
from mailer.actions.campaigns.retry_settle import resolve_uncertain, retry_failed
from mailer.actions.campaigns.schedule import send_now
from mailer.actions.subscriptions.unsubscribe import unsubscribe
from mailer.app import App
from mailer.domain.campaign import CampaignState, WhenUncertain
from mailer.domain.delivery import Decision, DeliveryState
from mailer.domain.token import Purpose, sign_token
from mailer.errors import NotFound, WrongState
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
)
from tests.support.fake_relay import FakeRelay

PEOPLE = (f"{ROSA},Rosa,en", f"{EMMA},Emma,en")


async def failed(app: App, relay: FakeRelay, *people: str) -> int:
    """A campaign that was sent, all in vain; its id."""
    await open_list(app)
    await import_rows(app, *people)
    relay.answers("rcpt", "550 5.1.1 nobody here")
    campaign_id = await launch_campaign(app)
    await send_campaigns(app)
    relay.forget_orders()
    return campaign_id


async def in_doubt(app: App, relay: FakeRelay, clock: Clock) -> int:
    """A campaign of which Rosa's letter was accepted, and Emma's given three times and never answered; its id."""
    await open_list(app)
    await import_rows(app, *PEOPLE)
    relay.drops("dot", address=EMMA)
    campaign_id = await launch_campaign(app)
    for _ in range(4):
        await send_campaigns(app)
        clock.advance(hours=1)
    relay.forget_orders()
    return campaign_id


async def test_failed_letters_are_tried_again_and_a_sent_campaign_is_sending_until_they_are_out(
    app: App, relay: FakeRelay, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mailer.actions.campaigns.retry_settle._CHUNK", 3)
    people = [f"person{number}@example.org" for number in range(7)]
    campaign_id = await failed(app, relay, *(f"{address},,en" for address in people))
    before = await campaign_status(app, ADMIN, campaign_id)

    done = await retry_failed(app, ADMIN, campaign_id)
    again = await retry_failed(app, ADMIN, campaign_id)
    await send_campaigns(app)
    nothing_left = await retry_failed(app, ADMIN, campaign_id)

    assert (before.campaign.state, before.counts) == (CampaignState.SENT, {DeliveryState.FAILED: 7})
    assert (done.letters, done.campaign.state) == (7, CampaignState.SENDING)
    assert again.letters == 0
    assert sorted(recipients(relay)) == people
    assert (await campaign_status(app, ADMIN, campaign_id)).counts == {DeliveryState.ACCEPTED: 7}
    assert (nothing_left.letters, nothing_left.campaign.state) == (0, CampaignState.SENT)


async def test_only_the_failed_are_tried_again(app: App, relay: FakeRelay) -> None:
    await open_list(app)
    await import_rows(app, *PEOPLE)
    relay.answers("rcpt", "550 5.1.1 nobody here", address=ROSA)
    campaign_id = await launch_campaign(app)
    await send_campaigns(app)

    done = await retry_failed(app, ADMIN, campaign_id)
    await send_campaigns(app)

    assert done.letters == 1
    assert recipients(relay) == [EMMA]
    assert (await campaign_status(app, ADMIN, campaign_id)).counts == {
        DeliveryState.ACCEPTED: 1,
        DeliveryState.FAILED: 1,
    }


async def test_whoever_left_meanwhile_is_not_tried_again(app: App, relay: FakeRelay) -> None:
    campaign_id = await failed(app, relay, *PEOPLE)
    await unsubscribe(app, sign_token(app.site.keyring, Purpose.LEAVE, 1), LINK_EVIDENCE)

    await retry_failed(app, ADMIN, campaign_id)
    await send_campaigns(app)

    assert recipients(relay) == [EMMA]
    assert (await campaign_status(app, ADMIN, campaign_id)).counts == {
        DeliveryState.ACCEPTED: 1,
        DeliveryState.SUPPRESSED: 1,
    }


async def test_once_the_event_has_begun_what_is_tried_again_expires(app: App, relay: FakeRelay, clock: Clock) -> None:
    campaign_id = await failed(app, relay, *PEOPLE)
    clock.now = clock.now.replace(day=5, hour=18, minute=1)

    await retry_failed(app, ADMIN, campaign_id)
    await launch_due(app)
    await send_campaigns(app)

    assert relay.letters == []
    status = await campaign_status(app, ADMIN, campaign_id)
    assert (status.campaign.state, status.counts) == (CampaignState.SENT, {DeliveryState.EXPIRED: 2})


async def test_of_a_paused_campaign_they_wait_until_it_is_resumed(app: App, relay: FakeRelay) -> None:
    await open_list(app)
    await import_rows(app, *PEOPLE)
    relay.answers("rcpt", "550 5.1.1 nobody here", address=ROSA)
    relay.answers("rcpt", "450 4.2.1 try later", address=EMMA)
    campaign_id = await launch_campaign(app)
    await send_campaigns(app)
    relay.forget_orders()
    await pause(app, ADMIN, campaign_id)

    done = await retry_failed(app, ADMIN, campaign_id)
    await send_campaigns(app)
    held = list(relay.letters)
    await resume(app, ADMIN, campaign_id)
    await send_campaigns(app)

    assert (done.letters, done.campaign.state) == (1, CampaignState.PAUSED)
    assert held == []
    assert recipients(relay) == [ROSA]


async def test_a_draft_and_a_cancelled_campaign_have_nothing_to_try_again(app: App, relay: FakeRelay) -> None:
    campaign_id = await failed(app, relay, *PEOPLE)
    draft = await new_campaign(app, ADMIN, list_name="appeals", texts={"a.md": "---\nsubject: Come\n---\nCome.\n"})
    await retry_failed(app, ADMIN, campaign_id)
    await cancel(app, ADMIN, campaign_id)

    for number in (draft, campaign_id):
        with pytest.raises(WrongState, match="only one that is sending, paused or sent"):
            await retry_failed(app, ADMIN, number)
    with pytest.raises(NotFound):
        await retry_failed(app, ADMIN, 99)
    with pytest.raises(NotFound):
        await resolve_uncertain(app, ADMIN, 99, Decision.ACCEPTED)


@pytest.mark.parametrize("decision", [Decision.ACCEPTED, Decision.FAILED])
async def test_a_letter_of_uncertain_outcome_counts_as_the_organiser_decides(
    app: App, relay: FakeRelay, clock: Clock, decision: Decision
) -> None:
    campaign_id = await in_doubt(app, relay, clock)
    before = await campaign_status(app, ADMIN, campaign_id)

    done = await resolve_uncertain(app, ADMIN, campaign_id, decision)
    again = await resolve_uncertain(app, ADMIN, campaign_id, decision)
    await send_campaigns(app)

    assert before.counts == {DeliveryState.ACCEPTED: 1, DeliveryState.UNCERTAIN: 1}
    assert (done.letters, again.letters) == (1, 0)
    assert done.campaign.state is CampaignState.SENT
    states = {row.address: row.state async for row in report(app, ADMIN, campaign_id)}
    assert states == {ROSA: "accepted", EMMA: decision}
    assert recipients(relay).count(EMMA) == 3


async def test_a_letter_of_uncertain_outcome_is_sent_again_if_the_organiser_decides_so(
    app: App, relay: FakeRelay, clock: Clock
) -> None:
    campaign_id = await in_doubt(app, relay, clock)

    done = await resolve_uncertain(app, ADMIN, campaign_id, Decision.RESEND)
    again = await resolve_uncertain(app, ADMIN, campaign_id, Decision.RESEND)
    await send_campaigns(app)

    assert (done.letters, done.campaign.state, again.letters) == (1, CampaignState.SENDING, 0)
    assert recipients(relay).count(EMMA) == 4
    assert recipients(relay).count(ROSA) == 1
    assert (await campaign_status(app, ADMIN, campaign_id)).counts == {DeliveryState.ACCEPTED: 2}


async def test_whose_uncertain_letter_was_to_be_sent_again_and_was_called_off_counts_as_mailed(
    app: App, relay: FakeRelay, clock: Clock
) -> None:
    campaign_id = await in_doubt(app, relay, clock)
    await resolve_uncertain(app, ADMIN, campaign_id, Decision.RESEND)
    await cancel(app, ADMIN, campaign_id)
    await launch_due(app)
    next_one = await new_campaign(app, ADMIN, list_name="appeals", texts={"a.md": "---\nsubject: Come\n---\nCome.\n"})

    await send_now(app, ADMIN, next_one, wait_s=0, audience=AudienceChoice(not_mailed_by=campaign_id))

    assert (await campaign_status(app, ADMIN, campaign_id)).counts[DeliveryState.CANCELLED] == 1
    assert await audience_size(app, ADMIN, next_one) == 0


@pytest.mark.parametrize(("policy", "state"), [("park", DeliveryState.UNCERTAIN), ("resend", DeliveryState.DEFERRED)])
async def test_rather_none_than_two_is_the_organisers_choice(
    app: App, relay: FakeRelay, policy: str, state: DeliveryState
) -> None:
    await open_list(app)
    await import_rows(app, f"{ROSA},Rosa,en")
    relay.drops("dot")
    text = {"a.md": "---\nsubject: Come\n---\nCome.\n"}
    campaign_id = await new_campaign(app, ADMIN, list_name="appeals", texts=text, when_uncertain=WhenUncertain(policy))
    await send_now(app, ADMIN, campaign_id, wait_s=0)
    await launch_due(app)

    await send_campaigns(app)

    assert (await campaign_status(app, ADMIN, campaign_id)).counts == {state: 1}
    assert recipients(relay) == [ROSA]


async def test_a_report_longer_than_one_look_names_everybody_once(
    app: App, relay: FakeRelay, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mailer.actions.campaigns.report._CHUNK", 3)
    await open_list(app)
    people = [f"person{number}@example.org" for number in range(8)]
    await import_rows(app, *(f"{address},,en" for address in people))
    await launch_campaign(app)
    second = await launch_campaign(app)

    lines = [row.address async for row in report(app, ADMIN, second)]

    assert sorted(lines) == people
