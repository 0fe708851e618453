"""The line to a relay: replies in order, however the network cuts them."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from relay_room import NowhereTransport

from mailer.relay.wire import MOST_OCTETS, Reply, Wire, one_line

CODES = st.integers(200, 599).filter(lambda code: code != 421)
TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\r\n"), max_size=40)
REPLIES = st.tuples(CODES, st.lists(TEXTS, min_size=1, max_size=4))


def spoken(code: int, texts: list[str]) -> bytes:
    lines = [f"{code}-{text}" for text in texts[:-1]] + [f"{code} {texts[-1]}"]
    return "".join(line + "\r\n" for line in lines).encode()


def heard(chunks: list[bytes], replies: int) -> tuple[list[Reply], Wire]:
    async def listen():
        wire = Wire(NowhereTransport())
        wire.ask(b"NOOP\r\n" * replies, replies=replies)
        for chunk in chunks:
            wire.data_received(chunk)
        return [await wire.reply(timeout_s=0) for _ in range(replies)], wire

    return asyncio.run(listen())


@given(st.lists(REPLIES, min_size=1, max_size=4), st.lists(st.integers(1, 30), max_size=30))
def test_replies_are_read_in_order_however_the_network_cuts_them(replies, sizes):
    octets = b"".join(spoken(code, texts) for code, texts in replies)
    chunks = []
    for size in sizes:
        chunks.append(octets[:size])
        octets = octets[size:]

    said, wire = heard([*chunks, octets], len(replies))

    assert said == [Reply(code, " ".join(texts)) for code, texts in replies]
    assert wire.usable


@pytest.mark.parametrize("octets", [b"250\r\n", b"250 \r\n", b"250\n"])
def test_a_bare_code_is_a_reply(octets):
    assert heard([octets], 1)[0] == [Reply(250, "")]


@pytest.mark.parametrize(
    "octets",
    [
        b"HTTP/1.1 400 Bad Request\r\n",
        b"2500 ok\r\n",
        b"999 ok\r\n",
        b"\r\n",
        b"250-fine\r\n550 not fine\r\n",
        b"25\r\n",
    ],
)
def test_what_is_not_smtp_loses_the_line(octets):
    with pytest.raises(ConnectionError, match="does not speak SMTP"):
        heard([octets], 1)


@pytest.mark.parametrize("endless", [b"x", b"250-and so on\r\n"])
def test_a_reply_without_end_loses_the_line(endless):
    with pytest.raises(ConnectionError, match="no end"):
        heard([endless * 1000] * (MOST_OCTETS // 1000 + 1), 1)


def test_what_was_said_before_the_line_broke_is_still_heard():
    async def listen():
        wire = Wire(NowhereTransport())
        wire.ask(b"one and two", replies=2)
        wire.data_received(b"250 one\r\n25")
        wire.connection_lost(ConnectionResetError("reset"))
        first = await wire.reply(timeout_s=5)
        with pytest.raises(ConnectionError, match="broke: reset"):
            await wire.reply(timeout_s=5)
        return first

    assert asyncio.run(listen()) == Reply(250, "one")


def test_nothing_is_written_to_a_lost_line():
    async def write():
        line = NowhereTransport()
        wire = Wire(line)
        wire.eof_received()
        with pytest.raises(ConnectionError, match="closed the connection"):
            wire.ask(b"NOOP\r\n", replies=1)
        return line

    line = asyncio.run(write())

    assert (line.written, line.aborted) == (b"", True)


def test_after_421_nothing_that_follows_is_heard():
    async def listen():
        wire = Wire(NowhereTransport())
        wire.ask(b"one and two", replies=2)
        wire.data_received(b"421 closing\r\n250 fine\r\n")
        first = await wire.reply(timeout_s=5)
        with pytest.raises(ConnectionError, match="421 closing"):
            await wire.reply(timeout_s=5)
        return first

    assert asyncio.run(listen()).code == 421


@given(st.text())
@example("a\r\n\x00b")
def test_a_reply_as_we_keep_it_is_one_printable_line_of_at_most_500_characters(text):
    kept = one_line(text)

    assert kept.isprintable()
    assert len(kept) <= 500
    assert kept.split() == kept.split(" ") or kept == ""
