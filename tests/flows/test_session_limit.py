"""A relay that takes so many letters over one connection: they all go at once, over others, and nobody is blamed."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass, replace
from datetime import timedelta

import pytest

from mailer.actions.campaigns.report import campaign_status, report
from mailer.app import App
from mailer.domain.campaign import CampaignState
from mailer.domain.delivery import DeliveryState
from mailer.entrypoints.service import background_tasks as loops
from mailer.relay import smtp_connection as connection
from mailer.store import governor_counts
from mailer.store.queue import lane_holds
from mailer.store.queue.lane_holds import Hold as Held
from tests.support.app_helpers import (
    ADMIN,
    EMMA,
    ROSA,
    Clock,
    import_rows,
    launch_campaign,
    open_list,
    receive_person_mail,
    recipients,
    send_campaigns,
    send_notices,
)
from tests.support.fake_relay import FakeRelay
from tests.support.fake_relay_session import Hold

ACCEPTED = DeliveryState.ACCEPTED
LETTERS, CONNECTIONS = 60, 10
LINES = CONNECTIONS - 1
"""One is kept for notices."""
SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


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


async def called_up(app: App) -> int:
    """A campaign to people of several providers; its id. Letters are not sent yet."""
    await open_list(app)
    await import_rows(app, *(f"person{number}@provider{number % 7}.example,,en" for number in range(LETTERS)))
    return await launch_campaign(app)


async def carried(app: App) -> int:
    """The same, over many connections, with its letters sent."""
    app = replace(app, relays=tuple(replace(one, connections=CONNECTIONS) for one in app.relays))
    campaign_id = await called_up(app)
    async with asyncio.timeout(60):
        await send_campaigns(app)
    return campaign_id


async def held_for_later(app: App) -> dict[str, Held]:
    """A relay that is down is tried by one; nothing waits for an hour to come."""
    return {
        name: one
        for name, one in (await app.database.read(lane_holds.holds_by_lane)).items()
        if one.until > app.clock()
    }


async def all_is_well(app: App, campaign_id: int, *relays: FakeRelay) -> None:
    """Everybody has one letter, nobody waited, nothing is held and nobody is blamed."""
    status, got = await campaign_status(app, ADMIN, campaign_id), [one for relay in relays for one in recipients(relay)]
    assert status.counts == {ACCEPTED: LETTERS}
    assert status.campaign.state is CampaignState.SENT
    assert len(got) == len(set(got)) == LETTERS
    assert await held_for_later(app) == {}
    assert {line.attempts async for line in report(app, ADMIN, campaign_id)} == {1}
    counts = await app.database.read(governor_counts.load_counts, campaign_id)
    assert all(one.deferred == one.refused == 0 for one in counts.values())


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.name)
@SQLITE
async def test_all_letters_go_at_once_whichever_way_a_relay_ends_its_connections(
    app: App, way: Way, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "NEXT_LETTER_TIMEOUT_S", 0.3)
    async with FakeRelay(pipelining=way.pipelining) as relay:
        app = replace(app, relays=(replace(app.relays[0], port=relay.port),))
        relay.end_sessions(lambda _: way.after, way.reply, way.stage)

        await all_is_well(app, await carried(app), relay)


async def test_connections_that_bear_different_numbers_of_letters_keep_nobody_waiting(
    app: App, relay: FakeRelay
) -> None:
    relay.end_sessions(lambda number: 1 + number * 7 % 5)

    await all_is_well(app, await carried(app), relay)


async def test_what_was_learnt_bounds_the_next_connections_which_hang_up_by_themselves(
    app: App, relay: FakeRelay
) -> None:
    relay.end_sessions(lambda _: 4)

    await all_is_well(app, await carried(app), relay)

    assert len([reply for _, _, reply in relay.refused]) <= CONNECTIONS
    assert Counter(letter.connection for letter in relay.letters).most_common(1)[0][1] == 4


async def test_a_relay_that_takes_few_connections_gets_fewer_and_is_not_held(app: App, relay: FakeRelay) -> None:
    relay.most_connections = 5

    await all_is_well(app, await carried(app), relay)


@pytest.mark.parametrize("stage", ["mail", "rcpt", "data"])
@SQLITE
async def test_of_two_relays_one_that_breaks_off_before_a_letter_was_given_keeps_nobody_waiting(
    app: App, relay: FakeRelay, stage: str
) -> None:
    async with FakeRelay() as other:
        relay.drops(stage)
        app = replace(app, relays=tuple(replace(app.relays[0], port=port) for port in (relay.port, other.port)))

        await all_is_well(app, await carried(app), other)


def hold_all_lines(relay: FakeRelay, after: int) -> list[Hold]:
    """Silence on every line of the campaign at its next recipient, once there were so many."""
    return [relay.holds("rcpt", nth=after + line) for line in range(LINES)]


async def breaks(relay: FakeRelay, held: list[Hold]) -> None:
    """It goes down with a letter on each line, of which it has not got the content."""
    await asyncio.gather(*(one.reached.wait() for one in held))
    relay.stop_listening()
    await relay.break_connections()


async def test_a_relay_that_goes_down_with_letters_on_their_way_leaves_them_to_the_other(
    app: App, relay: FakeRelay
) -> None:
    async with FakeRelay() as other:
        app = replace(app, relays=tuple(replace(app.relays[0], port=port) for port in (relay.port, other.port)))
        held, among_others = hold_all_lines(relay, 5), hold_all_lines(other, 15)
        going = asyncio.create_task(carried(app))

        await breaks(relay, held)
        for one in among_others:
            one.released.set()

        await all_is_well(app, await going, relay, other)


@SQLITE
async def test_short_breaks_hold_a_relay_for_no_longer_than_they_last(
    app: App, relay: FakeRelay, monkeypatch: pytest.MonkeyPatch
) -> None:
    rests: list[float] = []

    async def pause(_: App, seconds: float) -> None:
        rests.append(seconds)
        await relay.listen()

    monkeypatch.setattr(loops, "sleep_unless_closing", pause)
    held = [hold_all_lines(relay, after) for after in (6, 21, 36)]
    app = replace(app, relays=(replace(app.relays[0], connections=CONNECTIONS),))
    campaign_id = await called_up(app)
    async with asyncio.timeout(30), asyncio.TaskGroup() as group:
        sending = loops.start_sending(app, group)
        app.wakeups.notify_all()
        for lines in held:
            await breaks(relay, lines)
        await relay.wait_for(LETTERS, 20)
        app.wakeups.closing.set()
        app.wakeups.notify_all()
        group.create_task(loops.cancel_after_timeout(sending))
    await send_campaigns(app)

    await all_is_well(app, campaign_id, relay)
    assert len(rests) == len(held)
    assert max(rests) <= 4


async def test_what_holds_a_relay_is_tried_again_by_whoever_starts_anew(
    app: App, relay: FakeRelay, clock: Clock
) -> None:
    hold = Held(lane=f"relay 127.0.0.1:{relay.port}", until=clock() + timedelta(hours=1), reason="cannot be reached")
    await app.database.write(lane_holds.set_hold, hold, clock())

    await all_is_well(app, await carried(app), relay)


async def test_notices_do_not_wait_for_what_holds_a_campaign(app: App, relay: FakeRelay, clock: Clock) -> None:
    await open_list(app)
    for lane in (f"relay 127.0.0.1:{relay.port}", ROSA.partition("@")[2]):
        hold = Held(lane=lane, until=clock() + timedelta(hours=1), reason="a campaign found it so")
        await app.database.write(lane_holds.set_hold, hold, clock())

    await receive_person_mail(app, "appeals-help")

    assert recipients(relay) == [ROSA]


async def test_a_hold_that_notices_met_is_theirs_and_lasts(app: App, relay: FakeRelay, clock: Clock) -> None:
    app = replace(app, relays=(replace(app.relays[0], connections=2),))
    await open_list(app)
    relay.answers("rcpt", "550 5.7.1 not authorized to relay", address=ROSA)
    await receive_person_mail(app, "appeals-help")
    relay.forget_orders()
    held = await app.database.read(lane_holds.holds_by_lane)
    await import_rows(app, f"{ROSA},Rosa,en")
    await launch_campaign(app)
    await send_campaigns(app)
    went = recipients(relay).copy()
    await receive_person_mail(app, "appeals-help", sender=EMMA)
    clock.advance(minutes=6)
    await send_notices(app)

    assert list(held) == ["notices to example.org"]
    assert went == [ROSA]
    assert sorted(recipients(relay)) == sorted([ROSA, ROSA, EMMA])
    assert await app.database.read(lane_holds.holds_by_lane) == {}
