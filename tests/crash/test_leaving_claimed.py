"""Whoever leaves while her letter is already taken by a worker is not mailed."""

from __future__ import annotations

import re
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

import httpx
import pytest

from tests.support.crash_audit import read_log
from tests.support.crash_harness import OpenInstallation, addresses

pytestmark = pytest.mark.slow


async def test_who_leaves_while_her_letter_is_claimed_is_not_mailed(opens: OpenInstallation) -> None:
    house, people = await opens(connections=4), addresses(60)
    letters = house.folder / "letters"
    letters.mkdir()
    await house.import_people(people)
    await house.sink.give_order(f"keep {letters}")
    first = await house.send_campaign()
    process, pages = await house.start_serving()
    await house.wait_sent(first, process)
    await house.sink.give_order("well")
    before = house.sink.log.stat().st_size
    await house.sink.give_order("stall dot")

    second = await house.send_campaign()
    await house.sink.wait_printed("stall dot")
    claimed = [row.address for row in await house.report(second) if row.state == "claimed"]
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{pages}") as browser:
        answer = await browser.post(f"/leave/{leave_token(letters / claimed[-1])}")
    await house.sink.give_order("well")
    status = await house.wait_sent(second, process)
    await process.terminate()

    assert answer.status_code == 200
    assert {letter.recipient for letter in read_log(house.sink.log, before)} == set(people) - {claimed[-1]}
    assert {row.address for row in await house.report(second) if row.state == "suppressed"} == {claimed[-1]}
    assert status["counts"] == {"accepted": len(people) - 1, "suppressed": 1}


def leave_token(letter: Path) -> str:
    """From the link that stands in it."""
    message = message_from_bytes(letter.read_bytes(), policy=policy.default)
    assert isinstance(message, EmailMessage)
    body = message.get_body(("plain",))
    assert body is not None
    found = re.search(r"/leave/([a-z2-7]{29})", str(body.get_content()))
    assert found, letter
    return found[1]
