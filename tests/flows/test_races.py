"""Two things at once: whoever comes second finds the house in order."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from sqlalchemy import event

from mailer.actions.campaigns.launch import launch_due
from mailer.actions.campaigns.new_campaign import new_campaign
from mailer.actions.campaigns.report import campaign_status
from mailer.actions.campaigns.schedule import schedule, send_now
from mailer.actions.delivery.render_letter import RenderedLetter
from mailer.actions.delivery.send import send
from mailer.actions.delivery.send_worker import start_worker
from mailer.actions.subscriptions.unsubscribe import unsubscribe
from mailer.app import App
from mailer.domain.campaign import CampaignState
from mailer.domain.delivery import DeliveryState, RelayOutcome, Verdict
from mailer.domain.rate_limits import Limits
from mailer.domain.retry import decide_outcome
from mailer.domain.token import Purpose, sign_token
from mailer.errors import DatabaseOwned, RelayUnavailable
from mailer.relay.route import Priority
from mailer.store import campaign_progress, campaigns
from mailer.store.queue import claims, gate, queue_claiming
from mailer.store.queue.workers import own_database
from tests.support.app_helpers import (
    ADMIN,
    APPEAL,
    EMMA,
    LINK_EVIDENCE,
    ROSA,
    Clock,
    import_rows,
    launch_campaign,
    on_postgresql,
    open_list,
    receive_person_mail,
    recipients,
    send_campaigns,
)
from tests.support.fake_relay import FakeRelay


async def test_an_outcome_is_noted_although_the_relay_hung_up_right_after_it(
    app: App, relay: FakeRelay, clock: Clock
) -> None:
    app = replace(app, relays=(replace(app.relays[0], connections=2),))
    await open_list(app)
    await import_rows(app, f"{ROSA},Rosa,en", f"{EMMA},Emma,en")
    campaign_id = await launch_campaign(app)
    relay.answers("answered", "421 4.3.2 enough for one line", nth=1)
    relay.answers("greeting", "421 4.7.0 too many", nth=2)
    sender = await start_worker(app, Priority.CAMPAIGNS)

    with pytest.raises(RelayUnavailable):
        await send(sender)
    between = (await campaign_status(app, ADMIN, campaign_id)).counts
    relay.forget_orders()
    await send(sender)

    assert between == {DeliveryState.ACCEPTED: 1, DeliveryState.QUEUED: 1}
    assert sorted(recipients(relay)) == [EMMA, ROSA]
    assert (await campaign_status(app, ADMIN, campaign_id)).campaign.state is CampaignState.SENT


async def test_the_only_recipient_may_leave_between_looking_and_claiming(
    app: App, relay: FakeRelay, monkeypatch: pytest.MonkeyPatch
) -> None:
    await open_list(app)
    await import_rows(app, f"{ROSA},Rosa,en")
    campaign_id = await launch_campaign(app)
    read = app.database.read

    async def leaves_after_the_look(work, *arguments):  # type: ignore[no-untyped-def]
        found = await read(work, *arguments)
        if work is queue_claiming.inspect_queue and found.due:
            await unsubscribe(app, sign_token(app.site.keyring, Purpose.LEAVE, 1), LINK_EVIDENCE)
        return found

    monkeypatch.setattr(app.database, "read", leaves_after_the_look)
    async with asyncio.timeout(20):
        await send_campaigns(app)

    assert relay.letters == []
    assert (await campaign_status(app, ADMIN, campaign_id)).counts == {DeliveryState.SUPPRESSED: 1}


@on_postgresql
async def test_a_leaving_is_answered_only_when_a_gate_that_is_passing_has_closed(app: App) -> None:
    await open_list(app)
    await import_rows(app, f"{ROSA},Rosa,en")
    campaign_id = await launch_campaign(app)
    sender = await start_worker(app, Priority.CAMPAIGNS)
    (claimed,) = await app.database.write(claims.claim_deliveries, campaign_id, sender.worker_id, 1, app.clock())
    written = await sender.renderer.render_many([claimed], app.clock())
    handoffs = [one.handoff for one in written if isinstance(one, RenderedLetter)]

    with app.database.engine.connect() as connection, connection.begin() as passing:
        gate.commit_batch(connection, sender.worker_id, [], handoffs, [], app.clock())
        leaving = asyncio.create_task(unsubscribe(app, sign_token(app.site.keyring, Purpose.LEAVE, 1), LINK_EVIDENCE))
        answered, _ = await asyncio.wait([leaving], timeout=0.3)
        passing.commit()
    await leaving

    assert not answered
    assert (await campaign_status(app, ADMIN, campaign_id)).counts == {DeliveryState.HANDED: 1}


async def test_a_letter_deferred_at_the_moment_of_asking_is_not_overlooked(app: App, relay: FakeRelay) -> None:
    await open_list(app)
    await import_rows(app, f"{ROSA},Rosa,en")
    relay.answers("rcpt", "450 4.2.1 try later")
    campaign_id = await launch_campaign(app)
    await send_campaigns(app)
    asked: list[str] = []
    event.listen(app.database.engine, "before_cursor_execute", lambda *status: asked.append(status[2]))

    still = await app.database.read(campaign_progress.any_open, campaign_id)

    assert still
    assert len([one for one in asked if one != "BEGIN"]) == 1, "several statements see several moments"


async def test_a_claim_is_forgotten_in_one_commit_with_its_last_letters_fate(
    app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    await open_list(app)
    await import_rows(app, f"{ROSA},Rosa,en")
    campaign_id = await launch_campaign(app)
    worker = await start_worker(app, Priority.CAMPAIGNS)
    [claimed] = await app.database.write(claims.claim_deliveries, campaign_id, worker.worker_id, 1, app.clock())
    [written] = await worker.renderer.render_many([claimed], app.clock())
    assert isinstance(written, RenderedLetter)
    worker.outcomes.add_claimed([claimed])
    await worker.outcomes.commit(None, written.handoff)
    write, turns = app.database.write, []

    async def noted(work, *arguments):  # type: ignore[no-untyped-def]
        turns.append((len(arguments[1]), arguments[3]))
        return await write(work, *arguments)

    monkeypatch.setattr(app.database, "write", noted)
    accepted = decide_outcome(claimed, RelayOutcome(Verdict.ACCEPTED, 250, "taken"), app.clock(), 0.0)
    settling = asyncio.create_task(worker.outcomes.commit(accepted))
    await asyncio.sleep(0)  # its fate is told, and not written down yet
    await worker.outcomes.delete_finished_claims()
    await settling

    assert turns[0] == (1, [claimed.claim_id])
    assert not any(done for _, done in turns[1:])


async def test_a_campaign_moved_to_a_later_hour_while_the_clock_looks_is_not_launched(
    app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    await open_list(app)
    await import_rows(app, f"{ROSA},Rosa,en")
    campaign_id = await new_campaign(app, ADMIN, list_name="appeals", texts={"appeal.md": APPEAL})
    await send_now(app, ADMIN, campaign_id, wait_s=0)
    read = app.database.read

    async def moved_after_the_look(work, *arguments):  # type: ignore[no-untyped-def]
        found = await read(work, *arguments)
        if work is campaigns.list_due and found:
            await schedule(app, ADMIN, campaign_id, local_time="2027-03-02T09:00", zone="UTC")
        return found

    monkeypatch.setattr(app.database, "read", moved_after_the_look)
    await launch_due(app)

    status = (await campaign_status(app, ADMIN, campaign_id)).campaign
    assert (status.state, status.local_time) == (CampaignState.SCHEDULED, "2027-03-02T09:00:00")


async def test_a_slow_pace_and_a_silent_relay_do_not_hold_up_the_end(app: App, relay: FakeRelay) -> None:
    await open_list(app)
    await import_rows(app, *(f"person{number}@example.org,,en" for number in range(30)))
    paced = replace(app, relays=(replace(app.relays[0], connections=10, limits=Limits(per_second=0.01)),))
    campaign_id = await launch_campaign(paced)
    going = asyncio.create_task(send_campaigns(paced))
    await relay.wait_for(1)

    async with asyncio.timeout(20):
        paced.wakeups.closing.set()
        await going

    counts = (await campaign_status(app, ADMIN, campaign_id)).counts
    assert counts == {DeliveryState.ACCEPTED: 1, DeliveryState.QUEUED: 29}


async def test_a_relay_that_never_greets_does_not_hold_up_the_end(app: App, relay: FakeRelay) -> None:
    await open_list(app)
    await import_rows(app, f"{ROSA},Rosa,en")
    campaign_id = await launch_campaign(app)
    hold = relay.holds("greeting")
    going = asyncio.create_task(send_campaigns(app))
    await hold.reached.wait()

    async with asyncio.timeout(20):
        app.wakeups.closing.set()
        await going

    assert (await campaign_status(app, ADMIN, campaign_id)).counts == {DeliveryState.QUEUED: 1}


async def test_of_two_relays_the_one_that_is_up_carries_everything(app: App, relay: FakeRelay) -> None:
    async with FakeRelay() as other:
        both = tuple(replace(app.relays[0], port=port) for port in (1, other.port))
        app = replace(app, relays=both)
        await open_list(app)
        await import_rows(app, f"{ROSA},Rosa,en")
        await launch_campaign(app)

        await send_campaigns(app)

        assert recipients(other) == [ROSA]


async def test_forged_leavings_send_a_stranger_one_letter_a_day(app: App, relay: FakeRelay) -> None:
    await open_list(app)

    for number in range(5):
        await receive_person_mail(app, "appeals-leave", sender=EMMA, body=f"{number}")
        await receive_person_mail(app, "appeals-request", sender=EMMA, body=f"unsubscribe {number}")

    assert recipients(relay) == [EMMA]


def test_a_database_has_one_owner_who_makes_sure_of_it(app: App) -> None:
    with own_database(app.database.engine) as make_sure:
        make_sure()
        with pytest.raises(DatabaseOwned, match="another `mailer serve`"), own_database(app.database.engine):
            pass
        make_sure()

    with own_database(app.database.engine):
        pass
