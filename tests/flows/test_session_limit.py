"""A relay that takes so many letters over one connection: they all go at once, over others, and nobody is blamed."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace

import pytest
from fake_relay import FakeRelay
from house import blast, bring, open_list, recipients, send_campaigns

from mailer.actions.sending.report import report, status
from mailer.app import App
from mailer.domain.campaign import CampaignState
from mailer.domain.delivery import DeliveryState
from mailer.relay import connection
from mailer.store import governing, holds

ACCEPTED = DeliveryState.ACCEPTED
LETTERS, CONNECTIONS = 120, 20


@dataclass(frozen=True)
class Way:
    """One of the ways in which relays end a connection."""

    name: str
    after: int
    reply: str | None
    stage: str = "mail"
    pipelining: bool = True


WAYS = (
    Way("421 to MAIL, as providers say it", 5, "421 4.7.0 Try again later, closing connection"),
    Way("421 in several lines, one by one", 5, "421-4.7.0 Enough for one\r\n421 4.7.0 connection", pipelining=False),
    Way("421 after each letter", 1, "421 4.7.0 one is enough"),
    Way("452 to MAIL, which hangs up on nobody", 5, "452 4.5.3 Too many messages in this session"),
    Way("452 of storage", 3, "452 4.3.1 insufficient system storage", pipelining=False),
    Way("450 with words", 4, "450 4.7.1 Error: too many messages per connection"),
    Way("550 with words", 4, "550 5.7.0 Max messages per session reached"),
    Way("a line closed without a word", 5, None),
    Way("a line closed without a word, one by one", 2, None, pipelining=False),
    Way("silence", 3, ""),
    Way("421 to RCPT", 5, "421 4.7.0 closing", "rcpt"),
    Way("452 to RCPT, which counts all recipients", 5, "452 4.5.3 Too many recipients", "rcpt"),
    Way("421 to DATA", 5, "421 4.7.0 closing", "data", pipelining=False),
    Way("421 to the content", 5, "421 4.7.0 that was one too many", "dot"),
    Way("421 right after the 250", 5, "421 4.7.0 that was the last one", "answered"),
    Way("a line closed right after the 250", 5, None, "answered"),
)


def ways(*databases: str) -> object:
    return pytest.mark.parametrize("database_url", databases, indirect=True)


async def carried(app: App, relay: FakeRelay, letters: int = LETTERS) -> tuple[int, float]:
    """A blast to so many people of several providers, over many connections; its id, and how long it took."""
    app = replace(app, relays=tuple(replace(one, connections=CONNECTIONS) for one in app.relays))
    await open_list(app)
    await bring(app, *(f"person{number}@provider{number % 7}.example,,en" for number in range(letters)))
    campaign_id = await blast(app)
    async with asyncio.timeout(60):
        await send_campaigns(app)
    return campaign_id


async def all_is_well(app: App, relay: FakeRelay, campaign_id: int, letters: int = LETTERS) -> None:
    """Everybody has one letter, nobody waited, nothing is held and nobody is blamed."""
    told = await status(app, campaign_id)
    assert told.counts == {ACCEPTED: letters}
    assert told.campaign.state is CampaignState.SENT
    assert len(recipients(relay)) == len(set(recipients(relay))) == letters
    assert await app.database.read(holds.every) == {}
    assert {line.attempts async for line in report(app, campaign_id)} == {1}
    heard = await app.database.read(governing.heard, campaign_id)
    assert all(one.deferred == one.refused == 0 for one in heard.values())


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.name)
@ways("sqlite")
async def test_all_letters_go_at_once_whichever_way_a_relay_ends_its_connections(
    app: App, way: Way, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "NEXT_LETTER_S", 0.5)
    async with FakeRelay(pipelining=way.pipelining) as relay:
        app = replace(app, relays=(replace(app.relays[0], port=relay.port),))
        relay.ends_sessions(lambda _: way.after, way.reply, way.stage)

        campaign_id = await carried(app, relay)

        await all_is_well(app, relay, campaign_id)
