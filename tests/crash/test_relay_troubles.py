"""A relay that is down, slow, rude or locks us out costs nobody her letter: what is about us waits until it is over."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.crash_audit import audit_letters, read_log
from tests.support.crash_harness import Installation, OpenInstallation, addresses, can_shift_clock

pytestmark = pytest.mark.slow

PEOPLE, CONNECTIONS, CAMPAIGN, GOOD_LETTERS = 300, 8, 1, 60
AN_HOUR_S, SHOWN_WITHIN_S = 3600, 20


@dataclass(frozen=True, slots=True)
class Trouble:
    """How the relay misbehaves after some good letters."""

    name: str
    orders: tuple[str, ...]
    met: str
    """What the sink tells when the service has met it."""
    shown: tuple[str, ...] = ()
    """What `campaign status` says of it, one of these, where the sending is held."""


LOCKED_OUT = "550 5.7.1 not authorized"
TROUBLES = (
    Trouble("refuses connections", ("refuse", "reset", "tell gone"), "gone", ("cannot be reached", "refused")),
    Trouble("stalls", ("stall mail:1", "stall dot"), "stall"),
    Trouble("resets", ("drop mail:2", "drop dot:2", "reset"), "drop"),
    Trouble("throttles", ("say dot:5 451 4.7.1 wait", "say rcpt:5 450 4.2.1 wait", "say mail:2 421 4.7.0 stop"), "say"),
    Trouble("forgot our password", ("say auth 535 5.7.8 who are you", "reset"), "say auth", ("535",)),
    Trouble("locks us out at MAIL", (f"say mail {LOCKED_OUT}",), "say mail", ("not authorized",)),
    Trouble("locks us out at RCPT", (f"say rcpt {LOCKED_OUT}",), "say rcpt", ("not authorized",)),
    Trouble("locks us out at the dot", (f"say dot {LOCKED_OUT}",), "say dot", ("not authorized",)),
)


@pytest.mark.parametrize("trouble", TROUBLES, ids=lambda trouble: trouble.name)
async def test_nobody_fails_for_what_is_about_us_and_all_arrive_when_it_is_over(
    opens: OpenInstallation, called_up: Path, trouble: Trouble
) -> None:
    house = await opens(called_up)
    if not await can_shift_clock(house):
        pytest.skip("letters that were put off wait for minutes; putting the clock forward needs Linux and cc")
    (house.folder / "password").write_text("opensesame")
    house.set_setting("[relay]", "username", '"mailer"')
    house.set_setting("[relay]", "password_file", '"password"')
    for order in trouble.orders:
        await house.sink.give_order(f"after {GOOD_LETTERS} {order}")

    process, _ = await house.start_serving()
    await house.sink.wait_printed(trouble.met)
    if trouble.shown:
        await house.wait_status(CAMPAIGN, trouble.shown, SHOWN_WITHIN_S)
    meanwhile = await house.status(CAMPAIGN)
    await all_is_well(house, meanwhile["state"])
    await process.terminate()
    process, _ = await house.start_serving(ahead_s=AN_HOUR_S)
    status = await house.wait_sent(CAMPAIGN, process)
    await process.terminate()

    assert "failed" not in meanwhile["counts"], meanwhile
    assert sum(meanwhile["counts"].values()) == PEOPLE
    found = audit_letters(addresses(PEOPLE), await house.report(CAMPAIGN), read_log(house.sink.log))
    assert found.broken_promises(most_repeats=CONNECTIONS) == {}
    assert status["counts"] == {"accepted": PEOPLE}


async def all_is_well(house: Installation, state: str) -> None:
    """The relay takes letters again; and Ada lets the campaign go on, where it was held for her to decide."""
    await house.sink.give_order("well")
    await house.sink.give_order("listen")
    if state == "paused":
        await house.command("campaign", "resume", CAMPAIGN)


async def test_a_relay_that_takes_five_letters_over_each_connection_keeps_nobody_waiting(
    opens: OpenInstallation, called_up: Path
) -> None:
    house = await opens(called_up)
    await house.sink.give_order("cap 5 421 4.7.0 Try again later, closing connection")

    process, _ = await house.start_serving()
    status = await house.wait_sent(CAMPAIGN, process)
    await process.terminate()

    assert status["counts"] == {"accepted": PEOPLE}
    assert {row.attempts for row in await house.report(CAMPAIGN)} == {1}
    assert len(read_log(house.sink.log)) == PEOPLE
