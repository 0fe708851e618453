"""A relay that offers pipelining and one that does not, and a connection to it."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from mailer.relay.smtp_connection import RelayConnection
from tests.support.fake_relay import FakeRelay
from tests.support.relay_helpers import connected


@pytest.fixture(params=[True, False], ids=["pipelined", "one by one"])
async def fake(request: pytest.FixtureRequest) -> AsyncIterator[FakeRelay]:
    async with FakeRelay(pipelining=request.param) as fake:
        yield fake


@pytest.fixture
async def connection(fake: FakeRelay) -> AsyncIterator[RelayConnection]:
    async with connected(fake) as connection:
        yield connection
