"""Lanes: a provider or a relay that has had enough holds back its own letters, and says why; the others go."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import replace
from datetime import timedelta

import pytest

from mailer.actions.campaigns.report import campaign_status, report
from mailer.actions.delivery.send import send
from mailer.actions.delivery.send_worker import start_worker
from mailer.app import App
from mailer.domain.campaign import CampaignState
from mailer.domain.delivery import DeliveryState
from mailer.domain.rate_limits import DomainLimits, Limits
from mailer.relay.route import Priority
from mailer.store.queue import lane_holds
from mailer.store.queue.lane_holds import Hold
from tests.support.app_helpers import ADMIN, Clock, import_rows, launch_campaign, open_list, recipients, send_campaigns
from tests.support.fake_relay import FakeRelay

BLOCKED = "554 5.0.0 your letter is not wanted here"
REFUSED = "550 5.1.1 no such person"
ACCEPTED, DEFERRED, QUEUED = DeliveryState.ACCEPTED, DeliveryState.DEFERRED, DeliveryState.QUEUED


def at(domain: str, most: int) -> list[str]:
    """So many people's rows."""
    return [f"person{number}@{domain},,en" for number in range(most)]


def addresses(domain: str, most: int) -> list[str]:
    return [row.partition(",")[0] for row in at(domain, most)]


def asked(relay: FakeRelay) -> int:
    """For how many letters it was asked to take a recipient."""
    return sum(line.startswith("RCPT") for _, line in relay.commands)


async def holds_of(app: App) -> dict[str, Hold]:
    return await app.database.read(lane_holds.holds_by_lane)


async def within(app: App, seconds: float = 30) -> int:
    """One run of a new worker; it must come to an end, whatever a lane says."""
    async with asyncio.timeout(seconds):
        return await send_campaigns(app)


def one_at_a_time(app: App) -> App:
    """Over one connection, so that replies come in the order of the letters."""
    return replace(app, relays=(replace(app.relays[0], connections=2),))


async def test_the_same_refusal_of_ten_in_a_row_holds_the_lane_and_fails_nobody(
    app: App, relay: FakeRelay, clock: Clock
) -> None:
    app = one_at_a_time(app)
    await open_list(app)
    await import_rows(app, *at("slow.example", 25))
    for address in addresses("slow.example", 25):
        relay.answers("rcpt", BLOCKED, address=address)
    campaign_id = await launch_campaign(app)

    await within(app)
    status, held = await campaign_status(app, ADMIN, campaign_id), await holds_of(app)
    tried = {line.address for line in await _lines(app, campaign_id) if line.attempts}

    assert set(status.counts) <= {DEFERRED, QUEUED}
    assert sum(status.counts.values()) == 25
    assert 10 <= len(tried) <= 12
    assert list(held) == ["slow.example"]
    assert held["slow.example"].reason == BLOCKED
    assert held["slow.example"].until == clock() + timedelta(minutes=5)
    assert status.campaign.state is CampaignState.SENDING


async def test_after_the_hour_a_single_letter_goes_first_and_then_everybody_gets_theirs(
    app: App, relay: FakeRelay, clock: Clock
) -> None:
    app = one_at_a_time(app)
    await open_list(app)
    await import_rows(app, *at("slow.example", 25))
    for address in addresses("slow.example", 25):
        relay.answers("rcpt", BLOCKED, address=address)
    campaign_id = await launch_campaign(app)
    await within(app)
    tried = asked(relay)
    relay.forget_orders()
    wide = replace(app, relays=(replace(app.relays[0], connections=10),))
    clock.advance(hours=1, minutes=30)
    first = relay.holds("rcpt", nth=1)

    going = asyncio.create_task(send(await start_worker(wide, Priority.CAMPAIGNS)))
    async with asyncio.timeout(20):
        await first.reached.wait()
    before = asked(relay)
    first.released.set()
    async with asyncio.timeout(30):
        await going
    status = await campaign_status(app, ADMIN, campaign_id)

    assert before == tried + 1
    assert sorted(recipients(relay)) == sorted(addresses("slow.example", 25))
    assert status.counts == {ACCEPTED: 25}
    assert status.campaign.state is CampaignState.SENT
    assert await holds_of(app) == {}


async def test_a_lane_that_is_still_blocked_after_the_hour_is_held_again_for_longer(
    app: App, relay: FakeRelay, clock: Clock
) -> None:
    app = one_at_a_time(app)
    await open_list(app)
    await import_rows(app, *at("slow.example", 25))
    relay.answers("rcpt", BLOCKED)
    campaign_id = await launch_campaign(app)
    worker = await start_worker(app, Priority.CAMPAIGNS)
    async with asyncio.timeout(30):
        await send(worker)
    tried = asked(relay)

    clock.advance(minutes=6)
    async with asyncio.timeout(30):
        await send(worker)

    held = await holds_of(app)
    assert asked(relay) == tried + 1
    assert held["slow.example"].until == clock() + timedelta(minutes=10)
    assert (await campaign_status(app, ADMIN, campaign_id)).counts.keys() <= {DEFERRED, QUEUED}


async def test_nobody_fails_by_a_restart_in_front_of_a_lane_that_is_still_blocked(
    app: App, relay: FakeRelay, clock: Clock
) -> None:
    app = one_at_a_time(app)
    await open_list(app)
    await import_rows(app, *at("slow.example", 25))
    relay.answers("rcpt", BLOCKED)
    campaign_id = await launch_campaign(app)

    for _ in range(4):
        await within(app)
        clock.advance(hours=1, minutes=30)
    between = (await campaign_status(app, ADMIN, campaign_id)).counts
    relay.forget_orders()
    for _ in range(4):
        await within(app)
        clock.advance(hours=2)

    assert set(between) <= {DEFERRED, QUEUED}
    assert (await campaign_status(app, ADMIN, campaign_id)).counts == {ACCEPTED: 25}


async def test_a_blocked_domain_does_not_keep_the_others_letters(app: App, relay: FakeRelay) -> None:
    await open_list(app)
    await import_rows(app, *at("slow.example", 30), *at("fast.example", 30))
    for address in addresses("slow.example", 30):
        relay.answers("rcpt", BLOCKED, address=address)
    campaign_id = await launch_campaign(app)

    await within(app)
    counts = (await campaign_status(app, ADMIN, campaign_id)).counts

    assert sorted(recipients(relay)) == sorted(addresses("fast.example", 30))
    assert DeliveryState.FAILED not in counts
    assert list(await holds_of(app)) == ["slow.example"]


async def test_people_who_are_not_there_are_refused_one_by_one_and_hold_nothing(app: App, relay: FakeRelay) -> None:
    app = one_at_a_time(app)
    await open_list(app)
    await import_rows(app, *at("fast.example", 30))
    for number in range(0, 30, 2):
        relay.answers("rcpt", REFUSED, address=f"person{number}@fast.example")
    campaign_id = await launch_campaign(app)

    await within(app)

    assert (await campaign_status(app, ADMIN, campaign_id)).counts == {DeliveryState.FAILED: 15, ACCEPTED: 15}
    assert await holds_of(app) == {}


@pytest.mark.parametrize("reply", ["421 4.7.0 too many letters from you", "451 4.7.1 slow down please"])
async def test_a_provider_that_finds_us_too_fast_waits_and_the_others_go_on(
    app: App, relay: FakeRelay, clock: Clock, reply: str
) -> None:
    await open_list(app)
    await import_rows(app, *at("slow.example", 12), *at("fast.example", 30))
    for address in addresses("slow.example", 12):
        relay.answers("rcpt", reply, address=address)
    campaign_id = await launch_campaign(app)

    await within(app)
    between = (await campaign_status(app, ADMIN, campaign_id)).counts
    relay.forget_orders()
    for _ in range(12):
        clock.advance(minutes=10)
        await within(app)

    assert between[ACCEPTED] == 30
    assert DeliveryState.FAILED not in between
    assert (await campaign_status(app, ADMIN, campaign_id)).counts == {ACCEPTED: 42}
    assert await holds_of(app) == {}


async def test_a_held_domain_is_heeded_by_a_worker_that_starts_later(app: App, relay: FakeRelay, clock: Clock) -> None:
    await open_list(app)
    await import_rows(app, *at("slow.example", 5), *at("fast.example", 5))
    campaign_id = await launch_campaign(app)
    hold = Hold(lane="slow.example", until=clock() + timedelta(hours=1), reason="an engineer said so")
    await app.database.write(lane_holds.set_hold, hold, clock())

    await within(app)
    between = recipients(relay).copy()
    clock.advance(hours=1)
    await within(app)

    assert sorted(between) == addresses("fast.example", 5)
    assert (await campaign_status(app, ADMIN, campaign_id)).counts == {ACCEPTED: 10}
    assert await holds_of(app) == {}


async def test_of_two_relays_one_may_go_down_in_the_middle_and_the_other_carries_the_rest(
    app: App, relay: FakeRelay
) -> None:
    async with FakeRelay() as other:
        app = replace(app, relays=tuple(replace(app.relays[0], port=port) for port in (relay.port, other.port)))
        await open_list(app)
        await import_rows(app, *at("fast.example", 60))
        campaign_id = await launch_campaign(app)
        first = relay.holds("dot", nth=3)
        going = asyncio.create_task(within(app))
        await first.reached.wait()

        relay.stop_listening()
        await relay.break_connections()
        first.released.set()
        await going

        counts = (await campaign_status(app, ADMIN, campaign_id)).counts
        got = Counter(recipients(relay) + recipients(other))
    assert counts[ACCEPTED] == len(recipients(relay)) + len(recipients(other)) == sum(got.values())
    assert set(got.values()) == {1}
    assert counts[ACCEPTED] + counts.get(DEFERRED, 0) == 60
    assert counts.get(DEFERRED, 0) <= 3


async def test_a_relay_that_was_away_is_tried_by_one_and_carries_again(
    app: App, relay: FakeRelay, clock: Clock
) -> None:
    await open_list(app)
    await import_rows(app, *at("fast.example", 10))
    campaign_id = await launch_campaign(app)
    relay.answers("greeting", "554 5.7.1 you are not welcome")
    worker = await start_worker(app, Priority.CAMPAIGNS)
    async with asyncio.timeout(30):
        with pytest.raises(Exception, match="not welcome"):
            await send(worker)
    held = await holds_of(app)
    relay.forget_orders()
    clock.advance(minutes=10)

    async with asyncio.timeout(30):
        await send(worker)

    assert [("not welcome" in one.reason, name.startswith("relay ")) for name, one in held.items()] == [(True, True)]
    assert (await campaign_status(app, ADMIN, campaign_id)).counts == {ACCEPTED: 10}
    assert await holds_of(app) == {}


async def test_a_relay_that_refuses_everybody_is_left_alone_and_what_lay_ready_goes_after_its_hour(
    app: App, relay: FakeRelay, clock: Clock
) -> None:
    app = replace(app, relays=(replace(app.relays[0], connections=10),))
    await open_list(app)
    await import_rows(app, *(row for domain in "abcd" for row in at(f"{domain}.example", 30)))
    relay.answers("rcpt", "554 5.7.1 relay access denied")
    campaign_id = await launch_campaign(app)
    going = asyncio.create_task(send(await start_worker(app, Priority.CAMPAIGNS)))
    async with asyncio.timeout(30):
        while f"relay 127.0.0.1:{relay.port}" not in await holds_of(app):  # noqa: ASYNC110
            await asyncio.sleep(0.02)
    tried = asked(relay)
    relay.forget_orders()
    clock.advance(hours=2)
    async with asyncio.timeout(40):
        await going
        clock.advance(hours=2)
        await within(app)

    assert tried < 20
    assert (await campaign_status(app, ADMIN, campaign_id)).counts == {ACCEPTED: 120}
    assert await holds_of(app) == {}


async def test_relays_carry_their_share_by_weight(app: App, relay: FakeRelay) -> None:
    async with FakeRelay() as other:
        relays = tuple(
            replace(app.relays[0], port=port, weight=weight, connections=50)
            for port, weight in ((relay.port, 3.0), (other.port, 1.0))
        )
        app = replace(app, relays=relays)
        await open_list(app)
        await import_rows(app, *at("fast.example", 40))
        await launch_campaign(app)

        await within(app)

        assert len(relay.letters) + len(other.letters) == 40
        assert len(relay.letters) >= 2 * len(other.letters) > 0


async def test_a_domain_that_bears_two_letters_at_once_never_has_more(app: App, relay: FakeRelay) -> None:
    relays = (replace(app.relays[0], connections=10),)
    app = replace(app, relays=relays, domain_limits={"slow.example": DomainLimits(connections=2, limits=Limits())})
    await open_list(app)
    await import_rows(app, *at("slow.example", 6), *at("fast.example", 6))
    campaign_id = await launch_campaign(app)
    held = [relay.holds("dot", address=address) for address in addresses("slow.example", 6)]
    going = asyncio.create_task(within(app))
    await relay.wait_for(6)
    async with asyncio.timeout(20):
        await asyncio.gather(held[0].reached.wait(), held[1].reached.wait())

    at_once = sum(one.reached.is_set() for one in held)
    for one in held:
        one.released.set()
    await going

    assert at_once == 2
    assert (await campaign_status(app, ADMIN, campaign_id)).counts == {ACCEPTED: 12}


async def test_the_hourly_limit_of_a_domain_lets_the_others_go_first(app: App, relay: FakeRelay, clock: Clock) -> None:
    app = replace(app, domain_limits={"slow.example": DomainLimits(connections=10, limits=Limits(per_hour=2))})
    await open_list(app)
    await import_rows(app, *at("slow.example", 150), *at("fast.example", 5))
    campaign_id = await launch_campaign(app)

    await within(app)
    between = Counter(one.partition("@")[2] for one in recipients(relay))
    clock.advance(hours=1)
    await within(app)
    after = Counter(one.partition("@")[2] for one in recipients(relay))

    assert between == {"slow.example": 2, "fast.example": 5}
    assert after == {"slow.example": 4, "fast.example": 5}
    assert (await campaign_status(app, ADMIN, campaign_id)).counts == {ACCEPTED: 9, QUEUED: 146}


async def test_a_blast_spread_over_hours_sends_what_its_time_allows(app: App, relay: FakeRelay, clock: Clock) -> None:
    await open_list(app)
    await import_rows(app, *at("fast.example", 4))
    campaign_id = await launch_campaign(app)
    await app.database.write(_spread, campaign_id)

    sent = []
    for _ in range(5):
        await within(app)
        sent.append(len(relay.letters))
        clock.advance(hours=1)

    assert sent == [1, 2, 3, 4, 4]
    assert (await campaign_status(app, ADMIN, campaign_id)).campaign.state is CampaignState.SENT


async def test_the_hourly_limit_of_a_relay_pauses_it_until_the_next(app: App, relay: FakeRelay, clock: Clock) -> None:
    app = replace(app, relays=(replace(app.relays[0], limits=Limits(per_hour=10)),))
    await open_list(app)
    await import_rows(app, *at("fast.example", 15))
    campaign_id = await launch_campaign(app)

    sent = []
    for _ in range(3):
        async with asyncio.timeout(30):
            try:
                await send_campaigns(app)
            except Exception as spent:
                assert "spent" in str(spent)  # noqa: PT017
        sent.append(len(relay.letters))
        clock.advance(hours=1)

    assert sent[0] <= 10
    assert sent[-1] == 15
    assert (await campaign_status(app, ADMIN, campaign_id)).counts == {ACCEPTED: 15}


async def _lines(app: App, campaign_id: int) -> list:  # type: ignore[type-arg]
    return [line async for line in report(app, ADMIN, campaign_id)]


def _spread(tx, campaign_id: int) -> None:  # type: ignore[no-untyped-def]
    tx.exec_driver_sql(f"UPDATE campaign SET over_s = {4 * 3600} WHERE id = {campaign_id}")


async def test_a_relay_that_no_longer_lets_us_in_is_held_with_its_words_and_nobody_fails(
    app: App, relay: FakeRelay, clock: Clock
) -> None:
    app = one_at_a_time(app)
    await open_list(app)
    await import_rows(app, *(row for domain in "abcde" for row in at(f"{domain}.example", 6)))
    relay.answers("rcpt", "550 5.7.1 not authorized to relay")
    campaign_id = await launch_campaign(app)
    await within(app)
    status, held, tried = await campaign_status(app, ADMIN, campaign_id), await holds_of(app), asked(relay)
    relay.forget_orders()

    clock.advance(hours=1, minutes=30)
    for _ in range(2):
        await within(app)

    assert set(status.counts) == {DEFERRED, QUEUED}
    assert held[f"relay 127.0.0.1:{relay.port}"].reason == "550 5.7.1 not authorized to relay"
    assert 3 <= tried <= 6
    assert (await campaign_status(app, ADMIN, campaign_id)).counts == {ACCEPTED: 30}
    assert await holds_of(app) == {}
