"""Launches: the first letter is sent only after all letters are known to render; pausing half way."""

from __future__ import annotations

import asyncio

import pytest
from sqlalchemy import Connection

from mailer.actions.campaigns import launch
from mailer.actions.campaigns.correct import correct
from mailer.actions.campaigns.launch import launch_due
from mailer.actions.campaigns.new_campaign import new_campaign
from mailer.actions.campaigns.pause_resume_cancel import cancel, pause, resume
from mailer.actions.campaigns.preflight import check_launch
from mailer.actions.campaigns.report import campaign_status
from mailer.actions.campaigns.schedule import send_now
from mailer.actions.delivery.render_letter import RenderedLetter
from mailer.actions.delivery.send_worker import start_worker
from mailer.app import App
from mailer.domain.accounts.actor import Actor
from mailer.domain.campaign import Campaign, CampaignState
from mailer.domain.delivery import DeliveryState
from mailer.relay.route import Priority
from mailer.store import revisions
from mailer.store.queue import claims, gate
from tests.support.app_helpers import (
    ADMIN,
    EMMA,
    ROSA,
    import_rows,
    launch_campaign,
    on_postgresql,
    open_list,
    recipients,
    send_campaigns,
    text_of,
)
from tests.support.fake_relay import FakeRelay

# Of the readers for whom it is rehearsed none has a name of three letters.
TEXT = """---
subject: Tea
---
Hello{% if name|length == 3 %} {{ name.split(" ")[1] }}{% endif %}, come.
"""
BETTER = TEXT.replace('{{ name.split(" ")[1] }}', "{{ name }}")
PEOPLE = (f"{ROSA},Rosa,en", f"{EMMA},Emma,en", "zoe@example.org,Zoe,en")
EVERYBODY = [EMMA, ROSA, "zoe@example.org"]


async def launch_before_they_come(app: App) -> int:
    """A campaign whose text does not suit one of the people who joined after it was scheduled."""
    await open_list(app)
    campaign_id = await new_campaign(app, ADMIN, list_name="appeals", texts={"tea.md": TEXT})
    await send_now(app, ADMIN, campaign_id, wait_s=0)
    await import_rows(app, *PEOPLE)
    await launch_due(app)
    return campaign_id


async def test_a_letter_that_cannot_be_rendered_for_one_recipient_pauses_the_campaign_until_the_text_is_corrected(
    app: App, relay: FakeRelay, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(check_launch, "_CHUNK", 2)
    campaign_id = await launch_before_they_come(app)
    await send_campaigns(app)
    held, letters = await campaign_status(app, ADMIN, campaign_id), list(relay.letters)
    await correct(app, ADMIN, campaign_id, {"tea.md": BETTER})
    resumed = await resume(app, ADMIN, campaign_id)
    await launch_due(app)
    await send_campaigns(app)

    assert held.campaign.state is CampaignState.PAUSED
    assert (held.campaign.remark or "").startswith("cannot be written for zoe@example.org: line 4: ")
    assert (held.counts, letters) == ({DeliveryState.QUEUED: 3}, [])
    assert (resumed.state, resumed.remark) == (CampaignState.LAUNCHING, None)
    assert sorted(recipients(relay)) == EVERYBODY
    assert {"Hello Zoe, come." in text_of(letter) for letter in relay.letters} == {True, False}
    status = await campaign_status(app, ADMIN, campaign_id)
    assert (status.campaign.state, status.counts) == (CampaignState.SENT, {DeliveryState.ACCEPTED: 3})


async def test_resumed_uncorrected_it_is_held_again(app: App, relay: FakeRelay) -> None:
    campaign_id = await launch_before_they_come(app)

    await resume(app, ADMIN, campaign_id)
    await launch_due(app)
    await send_campaigns(app)

    status = await campaign_status(app, ADMIN, campaign_id)
    assert (status.campaign.state, relay.letters) == (CampaignState.PAUSED, [])
    assert "zoe@example.org" in (status.campaign.remark or "")


async def test_a_campaign_paused_half_way_checks_the_remaining_letters(app: App, relay: FakeRelay) -> None:
    await open_list(app)
    await import_rows(app, *PEOPLE)
    relay.answers("rcpt", "450 4.2.1 try later", address="zoe@example.org")
    campaign_id = await launch_campaign(app, **{"tea.md": BETTER})
    await send_campaigns(app)
    await pause(app, ADMIN, campaign_id)
    await correct(app, ADMIN, campaign_id, {"tea.md": TEXT})

    await resume(app, ADMIN, campaign_id)
    await launch_due(app)

    status = await campaign_status(app, ADMIN, campaign_id)
    assert status.campaign.state is CampaignState.PAUSED
    assert status.counts == {DeliveryState.ACCEPTED: 2, DeliveryState.DEFERRED: 1}


async def test_a_text_corrected_while_its_letters_were_tried_is_tried_again(
    app: App, relay: FakeRelay, monkeypatch: pytest.MonkeyPatch
) -> None:
    await open_list(app)
    await import_rows(app, *PEOPLE)
    campaign_id = await new_campaign(app, ADMIN, list_name="appeals", texts={"tea.md": BETTER})
    await send_now(app, ADMIN, campaign_id, wait_s=0)
    tried = launch.find_obstacle

    async def corrected_meanwhile(app: App, campaign: Campaign) -> str | None:
        found = await tried(app, campaign)
        if not campaign.corrections:
            await pause(app, ADMIN, campaign_id)
            await correct(app, ADMIN, campaign_id, {"tea.md": TEXT})
            await resume(app, ADMIN, campaign_id)
        return found

    monkeypatch.setattr(launch, "find_obstacle", corrected_meanwhile)
    await launch_due(app)
    first = (await campaign_status(app, ADMIN, campaign_id)).campaign
    await launch_due(app)
    second = (await campaign_status(app, ADMIN, campaign_id)).campaign

    assert (first.state, second.state) == (CampaignState.LAUNCHING, CampaignState.PAUSED)


async def test_a_text_that_an_older_version_took_and_we_cannot_read_holds_its_campaign_alone(
    app: App, relay: FakeRelay
) -> None:
    await open_list(app)
    await import_rows(app, *PEOPLE)
    old = await new_campaign(app, ADMIN, list_name="appeals", texts={"tea.md": BETTER})
    await send_now(app, ADMIN, old, wait_s=0)
    await app.database.write(_as_it_was_written, app, old)

    new = await launch_campaign(app)
    await send_campaigns(app)

    status = (await campaign_status(app, ADMIN, old)).campaign
    assert status.state is CampaignState.PAUSED
    assert "cannot be written for rosa@example.org: line 3" in (status.remark or "")
    assert (await campaign_status(app, ADMIN, new)).counts == {DeliveryState.ACCEPTED: 3}


def _as_it_was_written(tx: Connection, app: App, campaign_id: int) -> None:
    [edition_id] = revisions.editions_by_language(tx, campaign_id).values()
    text = "---\nsubject: Tea\nsubjekt: Tee\n---\nCome.\n"
    revisions.add_revision(tx, edition_id=edition_id, manuscript=text, now=app.clock())


async def test_a_launch_may_be_paused_half_way_and_goes_on_where_it_was(
    app: App, relay: FakeRelay, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(launch, "_FIRST_CHUNK", 2)
    monkeypatch.setattr(launch, "_LARGEST_CHUNK", 2)
    await open_list(app)
    people = [f"person{number}@example.org" for number in range(7)]
    await import_rows(app, *(f"{address},,en" for address in people))
    campaign_id = await new_campaign(
        app, ADMIN, list_name="appeals", texts={"tea.md": "---\nsubject: Tea\n---\nCome.\n"}
    )
    await send_now(app, ADMIN, campaign_id, wait_s=0)
    written = app.database.timed_write

    async def paused_after_a_chunk(*arguments: object) -> object:
        result = await written(*arguments)  # type: ignore[arg-type]
        if (await campaign_status(app, ADMIN, campaign_id)).campaign.state is CampaignState.LAUNCHING:
            await pause(app, ADMIN, campaign_id)
        return result

    monkeypatch.setattr(app.database, "timed_write", paused_after_a_chunk)
    await launch_due(app)
    monkeypatch.undo()
    halfway = await campaign_status(app, ADMIN, campaign_id)
    await resume(app, ADMIN, campaign_id)
    await launch_due(app)
    await send_campaigns(app)

    assert (halfway.campaign.state, halfway.audience) == (CampaignState.PAUSED, 2)
    assert sorted(recipients(relay)) == people
    status = await campaign_status(app, ADMIN, campaign_id)
    assert (status.campaign.state, status.audience, status.campaign.audience) == (CampaignState.SENT, 7, 7)


async def test_people_who_confirm_during_a_campaign_do_not_join_its_audience_when_it_is_resumed(
    app: App, relay: FakeRelay
) -> None:
    await open_list(app)
    await import_rows(app, f"{ROSA},Rosa,en")
    await import_rows(app, f"{EMMA},Emma,en", invite=True)
    campaign_id = await launch_campaign(app, **{"tea.md": BETTER})
    await pause(app, ADMIN, campaign_id)
    await import_rows(app, f"{EMMA},Emma,en")

    await resume(app, ADMIN, campaign_id)
    await launch_due(app)
    await send_campaigns(app)

    assert recipients(relay) == [ROSA]


@on_postgresql
@pytest.mark.parametrize("command", ["pause", "cancel", "correct"])
async def test_a_steering_command_is_answered_only_when_a_gate_that_is_passing_has_closed(
    app: App, command: str
) -> None:
    await open_list(app)
    await import_rows(app, f"{ROSA},Rosa,en")
    campaign_id = await launch_campaign(app, **{"tea.md": BETTER})
    sender = await start_worker(app, Priority.CAMPAIGNS)
    (claimed,) = await app.database.write(claims.claim_deliveries, campaign_id, sender.worker_id, 1, app.clock())
    written = await sender.renderer.render_many([claimed], app.clock())
    wanted = [one.handoff for one in written if isinstance(one, RenderedLetter)]
    if command == "correct":
        await pause(app, ADMIN, campaign_id)
    steered = {"pause": pause, "cancel": cancel}.get(command) or _corrected

    with app.database.engine.connect() as connection, connection.begin() as passing:
        handed = gate.commit_batch(connection, sender.worker_id, [], wanted, [], app.clock())
        steering = asyncio.create_task(steered(app, ADMIN, campaign_id))
        answered, _ = await asyncio.wait([steering], timeout=0.3)
        passing.commit()
    await steering

    assert not answered
    assert handed == (set() if command == "correct" else {claimed.id})


async def _corrected(app: App, actor: Actor, campaign_id: int) -> Campaign:
    return (await correct(app, actor, campaign_id, {"tea.md": TEXT})).campaign
