"""A blast: launched at its hour, one letter a recipient, each accounted for."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from mailer.actions.campaigns.launch import launch_due
from mailer.actions.campaigns.new_campaign import new_campaign
from mailer.actions.campaigns.pause_resume_cancel import cancel, pause, resume
from mailer.actions.campaigns.report import campaign_status, report
from mailer.actions.campaigns.schedule import schedule, send_now
from mailer.actions.delivery.send import send
from mailer.actions.delivery.send_worker import start_worker
from mailer.actions.subscriptions.unsubscribe import unsubscribe
from mailer.app import App
from mailer.domain.campaign import CampaignState
from mailer.domain.delivery import DeliveryState
from mailer.domain.token import Purpose, sign_token
from mailer.errors import RelayUnavailable, TimeRefused, WrongState
from mailer.relay.route import Priority
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
    parse_letter,
    recipients,
    send_campaigns,
    text_of,
    token_in,
)
from tests.support.fake_relay import FakeRelay

PEOPLE = (f"{ROSA},Rosa,en", f"{EMMA},Emma,en")


async def test_every_confirmed_subscriber_gets_one_letter_with_their_own_words(app: App, relay: FakeRelay) -> None:
    await open_list(app)
    await import_rows(app, *PEOPLE, "nameless@example.org,,")

    campaign_id = await launch_campaign(app)
    await send_campaigns(app)

    texts = {letter.recipient: text_of(letter) for letter in relay.letters}
    assert sorted(recipients(relay)) == [EMMA, "nameless@example.org", ROSA]
    assert "Dear Emma," in texts[EMMA]
    assert "Dear friend," in texts["nameless@example.org"]
    status = await campaign_status(app, ADMIN, campaign_id)
    assert status.campaign.state is CampaignState.SENT
    assert status.counts == {DeliveryState.ACCEPTED: 3}
    assert status.audience == status.campaign.audience == 3


async def test_each_reader_gets_the_edition_in_their_language_and_others_the_first(app: App, relay: FakeRelay) -> None:
    await open_list(app)
    await import_rows(app, f"{ROSA},Rosa,de-at", f"{EMMA},Emma,tr", f"{BEA},Bea,")
    german = APPEAL.replace("subject: Come to the harvest forum", "subject: Komm zum Ernteforum\nlanguage: de")

    await launch_campaign(app, **{"en.md": APPEAL, "de.md": german})
    await send_campaigns(app)

    subjects = {letter.recipient: parse_letter(letter)["Subject"] for letter in relay.letters}
    assert subjects == {ROSA: "Komm zum Ernteforum", EMMA: subjects[BEA], BEA: "Come to the harvest forum"}
    words = {letter.recipient: text_of(letter) for letter in relay.letters}
    assert "5. März 2027" in words[ROSA]
    assert "5 Mart 2027" in words[EMMA]


async def test_people_of_other_lists_and_people_who_left_get_nothing(app: App, relay: FakeRelay) -> None:
    await open_list(app)
    await open_list(app, "gardens")
    await import_rows(app, *PEOPLE)
    await import_rows(app, f"{BEA},Bea,en", list_name="gardens")
    await launch_campaign(app)
    await send_campaigns(app)
    emmas = next(letter for letter in relay.letters if letter.recipient == EMMA)
    await unsubscribe(app, token_in(emmas, "leave"), LINK_EVIDENCE)

    await launch_campaign(app)
    await send_campaigns(app)

    assert sorted(recipients(relay)) == [EMMA, ROSA, ROSA]


async def test_whoever_leaves_in_the_middle_of_a_blast_is_not_mailed(app: App, relay: FakeRelay) -> None:
    await open_list(app)
    await import_rows(app, *PEOPLE)
    campaign_id = await launch_campaign(app)
    sender = await start_worker(app, Priority.CAMPAIGNS)
    hold = relay.holds("rcpt", address=ROSA)
    sending = asyncio.create_task(send(sender))
    await hold.reached.wait()
    emmas = sign_token(app.site.keyring, Purpose.LEAVE, 2)
    await relay.wait_for(1)

    await unsubscribe(app, emmas, LINK_EVIDENCE)
    second = await launch_campaign(app)
    hold.released.set()
    await sending
    await send_campaigns(app)

    assert recipients(relay).count(EMMA) == 1
    assert (await campaign_status(app, ADMIN, second)).counts == {DeliveryState.ACCEPTED: 1}
    assert (await campaign_status(app, ADMIN, campaign_id)).counts == {DeliveryState.ACCEPTED: 2}


async def test_the_gate_stays_shut_for_whoever_left_after_the_claim(app: App, relay: FakeRelay) -> None:
    await open_list(app)
    await import_rows(app, *PEOPLE)
    campaign_id = await launch_campaign(app)
    hold = relay.holds("greeting")
    sending = asyncio.create_task(send_campaigns(app))
    await hold.reached.wait()

    await unsubscribe(app, sign_token(app.site.keyring, Purpose.LEAVE, 2), LINK_EVIDENCE)
    hold.released.set()
    await sending

    assert recipients(relay) == [ROSA]
    counts = (await campaign_status(app, ADMIN, campaign_id)).counts
    assert counts == {DeliveryState.ACCEPTED: 1, DeliveryState.SUPPRESSED: 1}


async def test_a_paused_campaign_hands_nothing_until_it_is_resumed(app: App, relay: FakeRelay) -> None:
    await open_list(app)
    await import_rows(app, *PEOPLE)
    campaign_id = await launch_campaign(app)

    await pause(app, ADMIN, campaign_id)
    await send_campaigns(app)
    held = list(relay.letters)
    await resume(app, ADMIN, campaign_id)
    await send_campaigns(app)

    assert held == []
    assert sorted(recipients(relay)) == [EMMA, ROSA]


async def test_a_cancelled_campaign_sends_nothing_and_says_so_of_everyone(app: App, relay: FakeRelay) -> None:
    await open_list(app)
    await import_rows(app, *PEOPLE)
    campaign_id = await launch_campaign(app)

    await cancel(app, ADMIN, campaign_id)
    await launch_due(app)
    await send_campaigns(app)

    assert relay.letters == []
    assert (await campaign_status(app, ADMIN, campaign_id)).counts == {DeliveryState.CANCELLED: 2}
    with pytest.raises(WrongState, match="cancelled"):
        await resume(app, ADMIN, campaign_id)


async def test_a_deferred_letter_is_tried_again_later_and_a_refused_one_never(
    app: App, relay: FakeRelay, clock: Clock
) -> None:
    await open_list(app)
    await import_rows(app, *PEOPLE)
    relay.answers("rcpt", "450 4.2.1 try later", address=ROSA)
    relay.answers("rcpt", "550 5.1.1 nobody here", address=EMMA)
    campaign_id = await launch_campaign(app)
    await send_campaigns(app)
    before = (await campaign_status(app, ADMIN, campaign_id)).counts
    relay.forget_orders()

    clock.advance(minutes=4)
    await send_campaigns(app)
    too_early = list(relay.letters)
    clock.advance(minutes=2)
    await send_campaigns(app)

    assert before == {DeliveryState.DEFERRED: 1, DeliveryState.FAILED: 1}
    assert too_early == []
    assert recipients(relay) == [ROSA]
    lines = {
        row.address: (row.state, row.attempts, row.code, row.reply) async for row in report(app, ADMIN, campaign_id)
    }
    assert lines[ROSA][:3] == ("accepted", 2, 250)
    assert lines[EMMA] == ("failed", 1, 550, "5.1.1 nobody here")


async def test_a_relay_that_is_down_costs_nobody_a_try(app: App, relay: FakeRelay) -> None:
    await open_list(app)
    await import_rows(app, *PEOPLE)
    relay.stop_listening()
    campaign_id = await launch_campaign(app)

    with pytest.raises(RelayUnavailable):
        await send_campaigns(app)
    waiting = (await campaign_status(app, ADMIN, campaign_id)).counts
    await relay.listen()
    await send_campaigns(app)

    assert waiting == {DeliveryState.QUEUED: 2}
    assert {row.attempts async for row in report(app, ADMIN, campaign_id)} == {1}
    assert sorted(recipients(relay)) == [EMMA, ROSA]


async def test_a_letter_of_unknown_fate_is_sent_again_octet_for_octet_and_parked_the_third_time(
    app: App, relay: FakeRelay, clock: Clock
) -> None:
    await open_list(app)
    await import_rows(app, f"{ROSA},Rosa,en")
    relay.drops("dot")
    campaign_id = await launch_campaign(app)

    for _ in range(5):
        await send_campaigns(app)
        clock.advance(hours=1)

    assert recipients(relay) == [ROSA] * 3
    assert len({letter.content for letter in relay.letters}) == 1
    assert (await campaign_status(app, ADMIN, campaign_id)).counts == {DeliveryState.UNCERTAIN: 1}


async def test_a_worker_that_died_leaves_its_claims_void_and_its_handed_letters_known(
    app: App, relay: FakeRelay, again: Callable[[], App]
) -> None:
    await open_list(app)
    await import_rows(app, *(f"person{number}@example.org,,en" for number in range(40)))
    campaign_id = await launch_campaign(app)
    hold = relay.holds("dot", nth=9)
    dying = asyncio.create_task(send_campaigns(app))
    await hold.reached.wait()
    dying.cancel()
    await asyncio.gather(dying, return_exceptions=True)
    await asyncio.to_thread(app.presence.close)
    hold.released.set()

    successor = again()
    await send_campaigns(successor)

    status = await campaign_status(successor, ADMIN, campaign_id)
    assert status.counts == {DeliveryState.ACCEPTED: 40}
    assert set(recipients(relay)) == {f"person{number}@example.org" for number in range(40)}
    assert len(relay.letters) <= 40 + app.relays[0].connections


async def test_a_launch_that_was_interrupted_goes_on_where_it_was(
    app: App, again: Callable[[], App], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mailer.actions.campaigns.launch._FIRST_CHUNK", 10)
    monkeypatch.setattr("mailer.actions.campaigns.launch._LARGEST_CHUNK", 10)
    await open_list(app)
    await import_rows(app, *(f"person{number}@example.org,,en" for number in range(35)))
    campaign_id = await new_campaign(app, ADMIN, list_name="appeals", texts={"appeal.md": APPEAL})
    await send_now(app, ADMIN, campaign_id, wait_s=0)
    written = app.database.timed_write

    async def dies_in_the_third_chunk(*arguments: object) -> object:
        result = await written(*arguments)  # type: ignore[arg-type]
        if (await campaign_status(app, ADMIN, campaign_id)).audience == 20:
            raise KeyboardInterrupt
        return result

    monkeypatch.setattr(app.database, "timed_write", dies_in_the_third_chunk)
    with pytest.raises(KeyboardInterrupt):
        await launch_due(app)
    halfway = await campaign_status(app, ADMIN, campaign_id)

    await launch_due(again())

    status = await campaign_status(app, ADMIN, campaign_id)
    assert (halfway.campaign.state, halfway.audience) == (CampaignState.LAUNCHING, 20)
    assert (status.campaign.state, status.audience, status.campaign.audience) == (CampaignState.SENDING, 35, 35)


@pytest.mark.parametrize(("late", "state"), [(119, CampaignState.SENDING), (121, CampaignState.DRAFT)])
async def test_a_missed_hour_is_made_up_for_within_two_hours_and_parked_after(
    app: App, clock: Clock, late: int, state: CampaignState
) -> None:
    await open_list(app)
    await import_rows(app, *PEOPLE)
    campaign_id = await new_campaign(app, ADMIN, list_name="appeals", texts={"appeal.md": APPEAL})
    await schedule(app, ADMIN, campaign_id, local_time="2027-03-01T12:00", zone="Europe/Berlin")

    clock.now = clock.now.replace(hour=11) + timedelta(minutes=late)
    await launch_due(app)

    status = await campaign_status(app, ADMIN, campaign_id)
    assert status.campaign.state is state
    assert (status.campaign.remark or "").startswith("not sent") is (state is CampaignState.DRAFT)


async def test_nothing_is_sent_once_the_event_has_begun(app: App, relay: FakeRelay, clock: Clock) -> None:
    await open_list(app)
    await import_rows(app, *PEOPLE)
    relay.answers("rcpt", "450 4.2.1 try later", address=ROSA)
    launched = await launch_campaign(app)
    await send_campaigns(app)
    late = await new_campaign(app, ADMIN, list_name="appeals", texts={"appeal.md": APPEAL})
    await schedule(app, ADMIN, late, local_time="2027-03-05T18:55", zone="Europe/Berlin")
    relay.forget_orders()

    clock.now = clock.now.replace(day=5, hour=18, minute=1)
    await launch_due(app)
    await send_campaigns(app)

    assert recipients(relay) == [EMMA]
    status = await campaign_status(app, ADMIN, launched)
    assert status.counts == {DeliveryState.ACCEPTED: 1, DeliveryState.EXPIRED: 1}
    assert status.campaign.state is CampaignState.SENT
    assert (await campaign_status(app, ADMIN, late)).campaign.state is CampaignState.DRAFT
    with pytest.raises(TimeRefused, match="begun"):
        await schedule(app, ADMIN, late, local_time="2027-03-06T09:00", zone="UTC")


async def test_an_event_without_an_hour_is_invited_to_until_its_first_day_is_over_where_it_is(
    app: App, clock: Clock
) -> None:
    await open_list(app)
    await import_rows(app, *PEOPLE)
    fair = (
        "---\nsubject: Fair\nevent: {name: Fair, starts: 2027-03-05, ends: 2027-03-07, zone: Asia/Tokyo}\n---\nCome\n"
    )
    in_time, late = [await new_campaign(app, ADMIN, list_name="appeals", texts={"fair.md": fair}) for _ in range(2)]
    with pytest.raises(TimeRefused, match="begun"):
        await schedule(app, ADMIN, late, local_time="2027-03-06T00:00", zone="Asia/Tokyo")
    await schedule(app, ADMIN, in_time, local_time="2027-03-05T23:58", zone="Asia/Tokyo")

    clock.now = datetime(2027, 3, 5, 23, 59, tzinfo=ZoneInfo("Asia/Tokyo")).astimezone(UTC)
    await launch_due(app)
    await send_campaigns(app)
    await schedule(app, ADMIN, late, local_time="2027-03-05T23:59", zone="Asia/Tokyo")
    clock.advance(minutes=1)
    await launch_due(app)

    assert (await campaign_status(app, ADMIN, in_time)).counts == {DeliveryState.ACCEPTED: len(PEOPLE)}
    assert (await campaign_status(app, ADMIN, late)).campaign.remark == "not sent: its event has begun"


async def test_who_joins_after_the_launch_is_not_in_the_audience(app: App, relay: FakeRelay) -> None:
    await open_list(app)
    await import_rows(app, f"{ROSA},Rosa,en")
    await launch_campaign(app)

    await import_rows(app, f"{EMMA},Emma,en")
    await launch_due(app)
    await send_campaigns(app)

    assert recipients(relay) == [ROSA]


async def test_when_the_service_closes_handed_letters_are_awaited_and_the_rest_waits(
    app: App, relay: FakeRelay
) -> None:
    await open_list(app)
    await import_rows(app, *(f"person{number}@example.org,,en" for number in range(30)))
    campaign_id = await launch_campaign(app)
    hold = relay.holds("dot")
    sending = asyncio.create_task(send_campaigns(app))
    await hold.reached.wait()

    app.wakeups.closing.set()
    hold.released.set()
    await sending

    counts = (await campaign_status(app, ADMIN, campaign_id)).counts
    assert counts[DeliveryState.ACCEPTED] == len(relay.letters) <= app.relays[0].connections
    assert counts == {
        DeliveryState.ACCEPTED: len(relay.letters),
        DeliveryState.QUEUED: 30 - len(relay.letters),
    }


async def test_a_relay_that_admits_only_some_connections_still_carries_everything(app: App, relay: FakeRelay) -> None:
    await open_list(app)
    await import_rows(app, *(f"person{number}@example.org,,en" for number in range(30)))
    relay.answers("greeting", "421 4.7.0 too many connections", nth=2)
    relay.answers("greeting", "421 4.7.0 too many connections", nth=3)
    campaign_id = await launch_campaign(app)

    await send_campaigns(app)
    await send_campaigns(app)

    assert (await campaign_status(app, ADMIN, campaign_id)).counts == {DeliveryState.ACCEPTED: 30}


async def test_ada_cannot_schedule_for_an_hour_that_does_not_exist_or_is_past(app: App) -> None:
    await open_list(app)
    campaign_id = await new_campaign(
        app, ADMIN, list_name="appeals", texts={"appeal.md": APPEAL.replace("2027-03-05", "2028-03-05")}
    )

    with pytest.raises(TimeRefused, match="does not exist"):
        await schedule(app, ADMIN, campaign_id, local_time="2027-03-28T02:30", zone="Europe/Berlin")
    with pytest.raises(TimeRefused, match="past"):
        await schedule(app, ADMIN, campaign_id, local_time="2027-02-28T09:00", zone="Europe/Berlin")
    with pytest.raises(TimeRefused, match="not a time zone"):
        await schedule(app, ADMIN, campaign_id, local_time="2027-03-28T09:00", zone="Berlin")
    scheduled = await schedule(app, ADMIN, campaign_id, local_time="2027-10-31T02:30", zone="Europe/Berlin")

    assert scheduled.scheduled_at is not None
    assert scheduled.scheduled_at.isoformat() == "2027-10-31T00:30:00+00:00"
