"""The recipients of a campaign: in a state, page by page, and found by the beginning of an address."""

from __future__ import annotations

import pytest

from mailer.actions.campaigns.recipients import find_recipients, list_recipients
from mailer.app import App
from mailer.domain.accounts.actor import Actor, Door
from mailer.domain.accounts.role import Grant, Role
from mailer.domain.delivery import DeliveryState
from mailer.errors import NotFound, NotPermitted
from mailer.store import recipients
from tests.support.app_helpers import ADMIN, BEA, EMMA, ROSA, import_rows, launch_campaign, open_list, send_campaigns
from tests.support.fake_relay import FakeRelay

ACCEPTED, FAILED = (DeliveryState.ACCEPTED,), (DeliveryState.FAILED,)


async def all_of(app: App, campaign_id: int, states: tuple[DeliveryState, ...]) -> list[str]:
    found: list[str] = []
    after: str | None = ""
    while after is not None:
        page = await list_recipients(app, ADMIN, campaign_id, states, after)
        found += [one.address for one in page.items]
        after = page.next_cursor
    return found


async def test_who_was_refused_is_found_with_the_words_of_the_relay(app: App, relay: FakeRelay) -> None:
    await open_list(app)
    await import_rows(app, f"{EMMA},Emma,en", f"{ROSA},Rosa,en", f"{BEA},Bea,en")
    relay.answers("rcpt", "550 5.1.1 no such person", address=ROSA)
    campaign_id = await launch_campaign(app)
    await send_campaigns(app)

    page = await list_recipients(app, ADMIN, campaign_id, FAILED)

    assert [(one.address, one.state, one.code) for one in page.items] == [(ROSA, DeliveryState.FAILED, 550)]
    assert "no such person" in (page.items[0].reply or "")
    assert page.next_cursor is None
    assert await all_of(app, campaign_id, ACCEPTED) == [EMMA, BEA]
    assert await all_of(app, campaign_id, (*FAILED, *ACCEPTED)) == [EMMA, ROSA, BEA]


async def test_pages_lead_to_everybody_once_however_few_are_looked_through(
    app: App, relay: FakeRelay, monkeypatch: pytest.MonkeyPatch
) -> None:
    await open_list(app)
    people = [f"person{number:03}@example.org" for number in range(120)]
    await import_rows(app, *(f"{address},,en" for address in people))
    relay.answers("rcpt", "550 5.1.1 no such person", address=people[7])
    relay.answers("rcpt", "550 5.1.1 no such person", address=people[99])
    campaign_id = await launch_campaign(app)
    await send_campaigns(app)
    at_once = await all_of(app, campaign_id, FAILED)
    monkeypatch.setattr(recipients, "LOOKED_THROUGH", 30)

    assert at_once == [people[7], people[99]]
    assert await all_of(app, campaign_id, FAILED) == at_once
    assert await all_of(app, campaign_id, ACCEPTED) == [one for one in people if one not in at_once]
    assert (await list_recipients(app, ADMIN, campaign_id, FAILED)).next_cursor is not None


async def test_people_are_found_by_the_beginning_of_their_address(app: App, relay: FakeRelay) -> None:
    await open_list(app)
    await import_rows(app, "Rosa.B@example.org,Rosa,en", f"{ROSA},Rosa,en", "ros@example.org,,en", f"{EMMA},Emma,en")
    campaign_id = await launch_campaign(app)
    await import_rows(app, "rosalind@example.org,Rosalind,en")  # after the launch
    await send_campaigns(app)

    async def found(text: str) -> list[str]:
        return [one.address for one in await find_recipients(app, ADMIN, campaign_id, text)]

    assert await found(" ROSA ") == ["Rosa.B@example.org", ROSA]
    assert await found("rosa.b@EXAMPLE.org") == ["Rosa.B@example.org"]
    assert await found("emma@example.org") == [EMMA]
    assert await found("%") == []
    assert await found("nobody") == []


async def test_who_may_not_see_people_sees_none(app: App) -> None:
    await open_list(app)
    campaign_id = await launch_campaign(app)
    viewer = Actor(name="vera@example.org", door=Door.CONSOLE, grants=(Grant(role=Role.VIEWER),))

    with pytest.raises(NotPermitted):
        await list_recipients(app, viewer, campaign_id, FAILED)
    with pytest.raises(NotPermitted):
        await find_recipients(app, viewer, campaign_id, "rosa")
    with pytest.raises(NotFound):
        await list_recipients(app, ADMIN, campaign_id, FAILED, after="no page gave this")
