"""What the relay refuses while we send counts as what comes back by mail does, where it is about the reader."""

from __future__ import annotations

import pytest

from mailer.actions.campaigns.report import campaign_status
from mailer.actions.subscriptions.show_person import show_person
from mailer.app import App
from mailer.domain.delivery import DeliveryState
from mailer.domain.person_view import SuppressionView
from mailer.domain.suppression import SuppressionReason
from mailer.entrypoints.service.background_tasks import record_refusal_batch
from tests.support.app_helpers import ADMIN, EMMA, ROSA, import_rows, launch_campaign, open_list, send_campaigns
from tests.support.fake_relay import FakeRelay

PEOPLE = (f"{ROSA},Rosa,en", f"{EMMA},Emma,en")
GONE = "550 5.1.1 no such person"


async def test_a_reader_the_relay_does_not_know_gets_no_more_letters(app: App, relay: FakeRelay) -> None:
    await open_list(app)
    await import_rows(app, *PEOPLE)
    relay.answers("rcpt", GONE, address=ROSA)

    await launch_campaign(app)
    await send_campaigns(app)
    await record_refusal_batch(app)

    person = await show_person(app, ADMIN, ROSA)
    assert person.suppressions == (SuppressionView(list_name="every list", reason=SuppressionReason.BOUNCED),)
    assert [(line.channel, line.diagnostic) for line in person.bounces] == [("smtp", GONE)]
    assert (await show_person(app, ADMIN, EMMA)).suppressions == ()
    assert (await campaign_status(app, ADMIN, await launch_campaign(app))).counts == {DeliveryState.QUEUED: 1}
    assert len(app.pending_refusals) == 0


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("reply", ["554 5.7.1 Blocked, see bl.example.net", "550 5.7.26 Unauthenticated"])
async def test_who_is_refused_for_our_sake_keeps_their_letters(app: App, relay: FakeRelay, reply: str) -> None:
    await open_list(app)
    await import_rows(app, *PEOPLE)
    relay.answers("rcpt", reply, address=ROSA)

    await launch_campaign(app)
    await send_campaigns(app)
    await record_refusal_batch(app)

    assert (await show_person(app, ADMIN, ROSA)).suppressions == ()


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_a_domain_that_says_of_everybody_that_they_are_unknown_is_not_believed(
    app: App, relay: FakeRelay
) -> None:
    await open_list(app)
    people = [f"reader{number}@example.org" for number in range(12)]
    await import_rows(app, *(f"{one},," for one in people))
    for one in people:
        relay.answers("rcpt", GONE, address=one)

    await launch_campaign(app)
    await send_campaigns(app)
    await record_refusal_batch(app)

    assert [(await show_person(app, ADMIN, one)).suppressions for one in people] == [()] * 12
