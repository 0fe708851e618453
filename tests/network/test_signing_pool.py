"""The signing processes: they sign in order, are replaced when they die, and exit on close."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
import uvloop
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key

from mailer.errors import SigningUnavailable
from mailer.mail.dkim.signing import Signer, compute_signature
from mailer.network.signing_pool import SigningPool

SIGNERS = tuple(Signer(domain=name, selector="s", key=generate_private_key(65537, 2048)) for name in ("a", "b"))
BATCH = [(0, b"for Rosa"), (1, b"for Emma"), (0, b"for Bea")]
SIGNED = [compute_signature(SIGNERS[place], octets) for place, octets in BATCH]


@pytest.fixture
async def signing() -> AsyncIterator[SigningPool]:
    """Two processes, once they are needed."""
    made = SigningPool(SIGNERS, 2)
    yield made
    await made.close()


def children() -> list[int]:
    """The processes that we have started and that live."""
    return [int(pid) for pid in Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children").read_text().split()]


async def test_concurrent_batches_are_answered_in_order(signing: SigningPool) -> None:
    batches = [BATCH[:2], BATCH, BATCH[1:], BATCH[:1]]

    answers = await asyncio.gather(*(signing.sign(batch) for batch in batches))

    assert answers == [SIGNED[:2], SIGNED, SIGNED[1:], SIGNED[:1]]


async def test_a_process_that_was_killed_is_replaced_and_the_letters_are_signed(signing: SigningPool) -> None:
    await asyncio.gather(signing.sign(BATCH), signing.sign(BATCH))
    for pid in children():
        os.kill(pid, signal.SIGKILL)

    assert await signing.sign(BATCH) == SIGNED


@pytest.mark.parametrize("loop", [asyncio.new_event_loop, uvloop.new_event_loop])
def test_batches_are_signed_though_one_process_after_another_is_killed(
    loop: Callable[[], asyncio.AbstractEventLoop],
) -> None:
    async def story() -> list[list[bytes]]:
        before, signing = set(children()), SigningPool(SIGNERS, 2)
        asked = [asyncio.create_task(signing.sign(BATCH)) for _ in range(6)]
        for _ in range(8):
            while not (alive := set(children()) - before):  # noqa: ASYNC110
                await asyncio.sleep(0.001)
            os.kill(alive.pop(), signal.SIGKILL)
            # While nobody has noticed yet, too: its pipe is closed, and is written to.
            asked.append(asyncio.create_task(signing.sign(BATCH)))
            await asyncio.sleep(0.01)
        answers = await asyncio.gather(*asked)
        await signing.close()
        return answers

    with asyncio.Runner(loop_factory=loop) as runner:
        assert runner.run(story()) == [SIGNED] * 14


async def test_processes_that_exit_at_start_raise_signing_unavailable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.executable", "/bin/false")

    with pytest.raises(SigningUnavailable, match="exit as soon as they start"):
        await SigningPool(SIGNERS, 1).sign(BATCH)


async def test_a_process_that_does_not_answer_is_replaced(
    signing: SigningPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = set(children())
    await signing.sign(BATCH)
    [stopped] = set(children()) - before
    os.kill(stopped, signal.SIGSTOP)
    monkeypatch.setattr("mailer.network.signing_pool._LONGEST_WAIT_S", 0.05)
    lost = asyncio.create_task(signing.sign(BATCH))
    while stopped in children():  # noqa: ASYNC110
        await asyncio.sleep(0.001)
    monkeypatch.undo()

    assert await lost == SIGNED


async def test_processes_exit_on_close() -> None:
    before = set(children())
    signing = SigningPool(SIGNERS, 1)
    await signing.sign(BATCH)
    started = set(children()) - before

    await signing.close()

    assert len(started) == 1
    assert started.isdisjoint(children())


async def test_a_process_that_cannot_be_started_raises_signing_unavailable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.executable", "/nowhere/python")

    with pytest.raises(SigningUnavailable, match="can be started"):
        await SigningPool(SIGNERS, 1).sign(BATCH)
