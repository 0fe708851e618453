"""Routes: relays get letters by weight, and no letter waits for a closed one."""

from __future__ import annotations

import asyncio
import itertools
from collections import Counter
from datetime import timedelta

import pytest

from mailer.relay.lane import Lane
from mailer.relay.rate_limiter import RateLimiter
from mailer.relay.route import Priority, Route, connection_quota, next_route
from mailer.relay.smtp_connection import Relay
from tests.support.lane_samples import NOW


def route(name: str, weight: float = 1.0, connections: int = 4) -> Route[int]:
    relay = Relay(host=name, port=25, tls="none", helo="us", connections=connections, weight=weight)
    return Route(
        relay, connections, RateLimiter(None, lambda: NOW), Lane(f"relay {relay}", connections), open_connections=1
    )


def lay(routes: list[Route[int]], letters: int) -> list[str]:
    """Who got each of so many letters, each of which is carried at once."""
    got = []
    for letter in range(letters):
        chosen = next_route(routes, NOW)
        assert chosen is not None
        chosen.add_letter(letter)
        chosen.ready.clear()
        got.append(chosen.relay.host)
    return got


@pytest.mark.parametrize(
    ("weights", "shares"), [((1, 1), (500, 500)), ((3, 1), (750, 250)), ((0.1, 0.4, 0.5), (100, 400, 500))]
)
def test_relays_have_their_share_by_weight(weights: tuple[float, ...], shares: tuple[int, ...]) -> None:
    routes = [route(str(place), weight) for place, weight in enumerate(weights)]

    got = Counter(lay(routes, 1000))

    assert [abs(got[str(place)] - share) <= 1 for place, share in enumerate(shares)] == [True] * len(weights)


def test_equal_relays_take_turns() -> None:
    got = lay([route("one"), route("two")], 10)

    assert all(earlier != later for earlier, later in itertools.pairwise(got))


def test_the_letters_of_a_relay_that_has_no_room_go_to_others() -> None:
    full, free = route("full", connections=1), route("free")
    full.add_letter(1)

    assert set(lay([full, free], 20)) == {"free"}


def test_a_closed_relay_gets_nothing_until_its_hour() -> None:
    closed, free = route("closed"), route("free")
    closed.lane.close(NOW + timedelta(minutes=5), "why")

    assert set(lay([closed, free], 20)) == {"free"}
    assert closed.free_slots(NOW) == 0
    assert closed.free_slots(NOW + timedelta(minutes=5)) > 0


def test_who_comes_back_does_not_get_all_that_the_others_had_meanwhile() -> None:
    away, there = route("away"), route("there")
    away.lane.close(NOW + timedelta(minutes=5), "why")
    lay([away, there], 1000)

    away.lane.closed_until = None
    got = Counter(lay([away, there], 20))

    assert got["there"] >= 8


def test_a_relay_to_which_nobody_came_through_gets_nothing() -> None:
    down, free = route("down"), route("free")
    down.open_connections = 0

    before = set(lay([down, free], 20))
    with down.connected():
        during = set(lay([down, free], 20))

    assert (before, during) == ({"free"}, {"down", "free"})
    assert down.free_slots(NOW) == 0


def test_where_none_has_room_there_is_none() -> None:
    full = route("full", connections=1)
    full.add_letter(1)

    assert next_route([full], NOW) is None
    assert next_route([], NOW) is None


async def test_each_letter_wakes_one_that_waits_and_none_that_gave_up() -> None:
    here, woken = route("here"), []

    async def wait(number: int) -> None:
        await here.wait_for_letter()
        woken.append(number)

    first, second, third = waiters = [asyncio.create_task(wait(number)) for number in range(3)]
    await asyncio.sleep(0)
    first.cancel()
    await asyncio.sleep(0)
    here.add_letter(1)
    await second

    assert woken == [1]
    here.wake_all()
    await third
    assert woken == [1, 2]
    assert all(one.done() for one in waiters)


@pytest.mark.parametrize(
    ("connections", "notices", "campaigns"), [(2, 1, 1), (10, 1, 9), (30, 2, 28), (50, 2, 48), (100, 5, 95)]
)
def test_some_connections_are_kept_for_notices(connections: int, notices: int, campaigns: int) -> None:
    relay = route("here", connections=connections).relay

    assert connection_quota(relay, Priority.NOTICES) == notices
    assert connection_quota(relay, Priority.CAMPAIGNS) == campaigns
