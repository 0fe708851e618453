"""The processes that sign: they sign as we would ourselves, may die, and end when they are let go."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key

from mailer.errors import SigningUnavailable
from mailer.mail.dkim import Signer, signature
from mailer.outside.signing import Signing

SIGNERS = tuple(Signer(domain=name, selector="s", key=generate_private_key(65537, 2048)) for name in ("a", "b"))
BATCH = [(0, b"for Rosa"), (1, b"for Emma"), (0, b"for Bea")]
SIGNED = [signature(SIGNERS[place], octets) for place, octets in BATCH]


@pytest.fixture
async def signing() -> AsyncIterator[Signing]:
    """Two processes, once they are needed."""
    made = Signing(SIGNERS, 2)
    yield made
    await made.close()


def children() -> list[int]:
    """The processes that we have started and that live."""
    return [int(pid) for pid in Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children").read_text().split()]


async def test_batches_asked_at_once_are_each_answered_in_their_order(signing: Signing) -> None:
    batches = [BATCH[:2], BATCH, BATCH[1:], BATCH[:1]]

    answers = await asyncio.gather(*(signing.signatures(batch) for batch in batches))

    assert answers == [SIGNED[:2], SIGNED, SIGNED[1:], SIGNED[:1]]


async def test_a_process_that_was_killed_is_replaced_and_the_letters_are_signed(signing: Signing) -> None:
    await asyncio.gather(signing.signatures(BATCH), signing.signatures(BATCH))
    for pid in children():
        os.kill(pid, signal.SIGKILL)

    assert await signing.signatures(BATCH) == SIGNED


async def test_they_end_when_they_are_let_go() -> None:
    before = set(children())
    signing = Signing(SIGNERS, 1)
    await signing.signatures(BATCH)
    started = set(children()) - before

    await signing.close()

    assert len(started) == 1
    assert started.isdisjoint(children())


async def test_where_no_process_can_be_started_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.executable", "/nowhere/python")

    with pytest.raises(SigningUnavailable, match="can be started"):
        await Signing(SIGNERS, 1).signatures(BATCH)
