"""A corrected text, before the launch or while sending: no letter has the old text from then on."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from mailer.actions.campaigns.correct import correct
from mailer.actions.campaigns.launch import launch_due
from mailer.actions.campaigns.new_campaign import new_campaign
from mailer.actions.campaigns.pause_resume_cancel import cancel, pause, resume
from mailer.actions.campaigns.report import campaign_status
from mailer.actions.campaigns.schedule import send_now
from mailer.actions.campaigns.show_source import show_source
from mailer.actions.delivery.send import send
from mailer.actions.delivery.send_worker import start_worker
from mailer.app import App
from mailer.domain.campaign import CampaignState
from mailer.domain.delivery import DeliveryState
from mailer.errors import CampaignFileRefused, WrongState
from mailer.relay.route import Priority
from tests.support.app_helpers import (
    ADMIN,
    APPEAL,
    EMMA,
    ROSA,
    Clock,
    import_rows,
    launch_campaign,
    open_list,
    parse_letter,
    recipients,
    send_campaigns,
    text_of,
)
from tests.support.fake_relay import FakeRelay

BETTER = APPEAL.replace("bring **your own** seeds", "bring *nothing at all*")
GERMAN = APPEAL.replace("subject: Come to the harvest forum", "subject: Komm zum Ernteforum\nlanguage: de")
OLD, NEW = "your own", "nothing at all"


async def test_letters_rendered_before_a_correction_are_sent_with_the_new_text(app: App, relay: FakeRelay) -> None:
    app = replace(app, relays=(replace(app.relays[0], connections=2),))
    await open_list(app)
    people = [f"person{number}@example.org" for number in range(12)]
    await import_rows(app, *(f"{address},,en" for address in people))
    campaign_id = await launch_campaign(app)
    worker = await start_worker(app, Priority.CAMPAIGNS)
    hold = relay.holds("dot", nth=1)
    sending = asyncio.create_task(send(worker))
    await hold.reached.wait()
    async with asyncio.timeout(20):
        while not worker.routes[0].ready:
            await worker.routes[0].wait_for_letter()

    await pause(app, ADMIN, campaign_id)
    await correct(app, ADMIN, campaign_id, {"better.md": BETTER})
    await resume(app, ADMIN, campaign_id)
    hold.released.set()
    await sending
    await send_campaigns(app)

    first, *others = relay.letters
    assert OLD in text_of(first)
    assert all(NEW in text_of(letter) and OLD not in text_of(letter) for letter in others)
    assert sorted(recipients(relay)) == sorted(people)
    status = await campaign_status(app, ADMIN, campaign_id)
    assert status.counts == {DeliveryState.ACCEPTED: 12}
    assert status.audience == status.campaign.audience == 12
    assert status.campaign.state is CampaignState.SENT


async def test_who_was_refused_gets_the_new_text_and_whose_letter_may_have_come_gets_the_same_octets_again(
    app: App, relay: FakeRelay, clock: Clock
) -> None:
    await open_list(app)
    await import_rows(app, f"{ROSA},Rosa,en", f"{EMMA},Emma,en")
    relay.drops("dot", address=ROSA)
    relay.answers("rcpt", "450 4.2.1 try later", address=EMMA)
    campaign_id = await launch_campaign(app)
    await send_campaigns(app)
    relay.forget_orders()

    await pause(app, ADMIN, campaign_id)
    await correct(app, ADMIN, campaign_id, {"better.md": BETTER})
    await resume(app, ADMIN, campaign_id)
    clock.advance(hours=1)
    await send_campaigns(app)

    of_rosa = [letter.content for letter in relay.letters if letter.recipient == ROSA]
    [of_emma] = [letter for letter in relay.letters if letter.recipient == EMMA]
    assert len(of_rosa) == 2
    assert len(set(of_rosa)) == 1
    assert NEW in text_of(of_emma)
    assert (await campaign_status(app, ADMIN, campaign_id)).counts == {DeliveryState.ACCEPTED: 2}


async def test_a_draft_may_get_another_language_and_another_subject(app: App, relay: FakeRelay) -> None:
    await open_list(app)
    await import_rows(app, f"{ROSA},Rosa,de", f"{EMMA},Emma,en")
    campaign_id = await new_campaign(app, ADMIN, list_name="appeals", texts={"appeal.md": APPEAL})
    better = BETTER.replace("Come to", "Do come to")

    done = await correct(app, ADMIN, campaign_id, {"de.md": GERMAN, "en.md": better})
    await send_now(app, ADMIN, campaign_id, wait_s=0)
    await launch_due(app)
    await send_campaigns(app)

    assert done.languages == ("de", "en")
    assert (done.campaign.subject, done.campaign.corrections) == ("Do come to the harvest forum", 1)
    assert await show_source(app, ADMIN, campaign_id) == {"en": better, "de": GERMAN}
    subjects = {letter.recipient: parse_letter(letter)["Subject"] for letter in relay.letters}
    assert subjects == {ROSA: "Komm zum Ernteforum", EMMA: "Do come to the harvest forum"}


async def test_correcting_a_translation_leaves_the_campaigns_own_subject_and_its_other_texts(app: App) -> None:
    await open_list(app)
    campaign_id = await new_campaign(app, ADMIN, list_name="appeals", texts={"en.md": APPEAL, "de.md": GERMAN})
    better = GERMAN.replace("Komm zum", "Komm doch zum")

    done = await correct(app, ADMIN, campaign_id, {"de.md": better})

    assert done.campaign.subject == "Come to the harvest forum"
    assert await show_source(app, ADMIN, campaign_id) == {"en": APPEAL, "de": better}


async def test_a_sending_campaign_must_be_paused_first_and_takes_no_new_language(app: App) -> None:
    await open_list(app)
    await import_rows(app, f"{ROSA},Rosa,en")
    campaign_id = await launch_campaign(app)

    with pytest.raises(WrongState, match="pause it first"):
        await correct(app, ADMIN, campaign_id, {"better.md": BETTER})
    await pause(app, ADMIN, campaign_id)
    with pytest.raises(WrongState, match="no edition in language 'de'"):
        await correct(app, ADMIN, campaign_id, {"better.md": BETTER, "de.md": GERMAN})
    await cancel(app, ADMIN, campaign_id)
    with pytest.raises(WrongState, match="only one that is draft, scheduled or paused can be corrected"):
        await correct(app, ADMIN, campaign_id, {"better.md": BETTER})

    assert await show_source(app, ADMIN, campaign_id) == {"en": APPEAL}


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (BETTER.replace("2027-03-05", "2027-03-06"), "starts at 2027-03-05 18:00 UTC"),
        ("---\nsubject: Come\n---\nNo event.\n", "starts at 2027-03-05 18:00 UTC"),
        (BETTER.replace('{{ name or "friend" }}', "{{ name }}"), r"better\.md: line \d+"),
        (BETTER + '{% if name.split()[1] == "x" %}y{% endif %}\n', r"better\.md: line \d+: .*for a reader of whom"),
    ],
)
async def test_a_text_that_cannot_take_the_old_ones_place_changes_nothing(app: App, text: str, why: str) -> None:
    await open_list(app)
    campaign_id = await new_campaign(app, ADMIN, list_name="appeals", texts={"appeal.md": APPEAL})

    with pytest.raises(CampaignFileRefused, match=why):
        await correct(app, ADMIN, campaign_id, {"better.md": text})

    assert await show_source(app, ADMIN, campaign_id) == {"en": APPEAL}
    assert (await campaign_status(app, ADMIN, campaign_id)).campaign.corrections == 0
