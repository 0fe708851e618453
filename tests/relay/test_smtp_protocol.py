"""SmtpProtocol: replies in order, however the network splits them, and dialogues that end with their connection."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mailer.relay.smtp_protocol import MAX_REPLY_OCTETS, Dialogue, Reply, ReplyParser, SmtpProtocol, one_line
from tests.support.relay_helpers import RecordingTransport

CODES = st.integers(200, 599).filter(lambda code: code != 421)
TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\r\n"), max_size=40)
REPLIES = st.tuples(CODES, st.lists(TEXTS, min_size=1, max_size=4))
NOISE = st.text(st.sampled_from("25 -\r\nä"), max_size=12).map(str.encode) | st.just(
    b"250-x\r\n" * (MAX_REPLY_OCTETS // 6)
)


def encode_reply(code: int, texts: list[str]) -> bytes:
    lines = [f"{code}-{text}" for text in texts[:-1]] + [f"{code} {texts[-1]}"]
    return "".join(line + "\r\n" for line in lines).encode()


def cut(octets: bytes, sizes: list[int]) -> list[bytes]:
    chunks = []
    for size in sizes:
        chunks.append(octets[:size])
        octets = octets[size:]
    return [*chunks, octets]


def read(chunks: list[bytes]) -> tuple[list[Reply], bool]:
    """The replies in these chunks, and whether all of it was SMTP."""
    reader, replies = ReplyParser(), []
    try:
        for chunk in chunks:
            replies.extend(reader.feed(chunk))
    except ValueError:
        return replies, False
    return replies, True


def listening(replies: int, received: list[Reply]) -> Dialogue[str | None]:
    """Asks for so many replies at once; returns why one did not come."""
    octets = b"NOOP\r\n" * replies
    try:
        for _ in range(replies):
            received.append((yield octets, 5))
            octets = b""
    except ConnectionError as lost:
        return str(lost)
    return None


def ask(patience_s: float) -> Dialogue[str]:
    """One question, with so much patience."""
    try:
        yield b"NOOP\r\n", patience_s
    except ConnectionError as lost:
        return str(lost)
    return "answered"


async def hear(*chunks: bytes, replies: int) -> tuple[list[Reply], str | None, SmtpProtocol]:
    """What a dialogue hears when the relay says this, why it ended early, and the line afterwards."""
    wire, received = SmtpProtocol(RecordingTransport()), []
    ended = wire.run_dialogue(listening(replies, received))
    for chunk in chunks:
        wire.data_received(chunk)
    wire.connection_lost(None)
    return received, await ended, wire


@given(st.lists(REPLIES, min_size=1, max_size=4), st.lists(st.integers(1, 30), max_size=30))
def test_replies_are_read_in_order_however_the_network_cuts_them(replies, sizes):
    octets = b"".join(encode_reply(code, texts) for code, texts in replies)

    said, fine = read(cut(octets, sizes))

    assert said == [Reply(code, " ".join(texts)) for code, texts in replies]
    assert fine


@given(st.lists(REPLIES.map(lambda reply: encode_reply(*reply)) | NOISE, max_size=6), st.lists(st.integers(0, 30)))
@example([b"250 " + b"x" * (MAX_REPLY_OCTETS - 5) + b"\r\n"], [MAX_REPLY_OCTETS])
@example([b"250 " + b"x" * (MAX_REPLY_OCTETS - 4) + b"\r\n"], [MAX_REPLY_OCTETS])
def test_whatever_is_said_is_understood_alike_in_one_piece_and_in_many(octets, sizes):
    whole = b"".join(octets)

    assert read(cut(whole, sizes)) == read([whole])


@pytest.mark.parametrize("octets", [b"250\r\n", b"250 \r\n", b"250\n"])
def test_a_bare_code_is_a_reply(octets):
    assert read([octets]) == ([Reply(250, "")], True)


@pytest.mark.parametrize(
    "octets",
    [
        b"HTTP/1.1 400 Bad Request\r\n",
        b"2500 ok\r\n",
        b"999 ok\r\n",
        b"\r\n",
        b"250-fine\r\n550 not fine\r\n",
        b"25\r\n",
        "2५0 ok\r\n".encode(),
    ],
)
async def test_octets_that_are_not_smtp_end_the_connection(octets):
    _, why, wire = await hear(octets, replies=1)

    assert "does not speak SMTP" in why
    assert not wire.usable


@pytest.mark.parametrize("endless", [b"x", b"250-and so on\r\n"])
async def test_a_reply_without_end_ends_the_connection(endless):
    _, why, _ = await hear(*[endless * 1000] * (MAX_REPLY_OCTETS // 1000 + 1), replies=1)

    assert why == "the relay's reply has no end"


async def test_replies_received_before_the_connection_broke_are_processed():
    wire, received = SmtpProtocol(RecordingTransport()), []
    ended = wire.run_dialogue(listening(2, received))

    wire.data_received(b"250 one\r\n25")
    wire.connection_lost(ConnectionResetError("reset"))

    assert received == [Reply(250, "one")]
    assert await ended == "the connection broke: reset"


async def test_nothing_is_written_to_a_lost_connection():
    line = RecordingTransport()
    wire = SmtpProtocol(line)

    wire.eof_received()

    with pytest.raises(ConnectionError, match="closed the connection"):
        wire.run_dialogue(listening(1, []))
    assert (line.written, line.aborted) == (b"", True)


async def test_after_421_no_further_reply_is_processed():
    received, why, _ = await hear(b"421 closing\r\n250 fine\r\n", replies=2)

    assert received == [Reply(421, "closing")]
    assert why == "the relay broke off: 421 closing"


async def test_a_superfluous_reply_ends_the_connection_but_earlier_replies_count():
    received, why, wire = await hear(b"250 one\r\n250 two\r\n250 three\r\n", replies=2)

    assert received == [Reply(250, "one"), Reply(250, "two")]
    assert why is None
    assert wire.lost_reason == "the relay broke off: 250 three"


async def test_silence_is_noticed_also_when_a_patient_question_came_before_an_impatient_one():
    wire = SmtpProtocol(RecordingTransport())
    first = wire.run_dialogue(ask(600))
    wire.data_received(b"250 fine\r\n")

    second = wire.run_dialogue(ask(0.01))

    assert await first == "answered"
    async with asyncio.timeout(60):
        assert await second == "the relay did not answer within 0.01 s"


async def test_patience_begins_anew_with_every_answer():
    wire, loop = SmtpProtocol(RecordingTransport()), asyncio.get_running_loop()
    first = wire.run_dialogue(ask(0.01))
    wire.data_received(b"250 fine\r\n")

    second = wire.run_dialogue(ask(600))
    loop.call_later(0.03, wire.data_received, b"250 fine\r\n")

    assert [await first, await second] == ["answered", "answered"]


async def test_half_an_answer_wins_no_time():
    wire, loop = SmtpProtocol(RecordingTransport()), asyncio.get_running_loop()
    ended = wire.run_dialogue(ask(0.05))

    def dawdle():
        wire.data_received(b"x")
        loop.call_later(0.01, dawdle)

    wire.data_received(b"250 so slow")
    dawdle()

    assert await ended == "the relay did not answer within 0.05 s"


async def test_an_error_in_a_dialogue_is_raised_to_its_caller():
    def mistaken() -> Dialogue[None]:
        yield b"NOOP\r\n", 5
        raise LookupError("not there")

    wire = SmtpProtocol(RecordingTransport())
    ended = wire.run_dialogue(mistaken())

    wire.data_received(b"250 fine\r\n")

    with pytest.raises(LookupError, match="not there"):
        await ended
    assert not wire.usable


async def test_one_dialogue_is_held_at_a_time():
    wire = SmtpProtocol(RecordingTransport())
    wire.run_dialogue(ask(5))

    with pytest.raises(RuntimeError, match="one dialogue at a time"):
        wire.run_dialogue(ask(5))

    wire.abort("enough")


@given(st.text())
@example("a\r\n\x00b")
def test_a_reply_as_we_keep_it_is_one_printable_line_of_at_most_500_characters(text):
    kept = one_line(text)

    assert kept.isprintable()
    assert len(kept) <= 500
    assert kept.split() == kept.split(" ") or kept == ""
