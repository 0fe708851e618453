"""The mail door keeps its bounds, whatever a client sends."""

from __future__ import annotations

import asyncio
import tracemalloc

import pytest
import uvloop

from tests.support.smtp_client import (
    DOMAIN,
    JOIN,
    LEAVE,
    MAIL,
    RecordingReceiver,
    SmtpClient,
    connect,
    connected_client,
    open_server,
)

MEGABYTE = 2**20


async def poured(visitor: SmtpClient, piece: bytes, times: int) -> int:
    """How many octets the door took before it hung up."""
    taken = 0
    try:
        for _ in range(times):
            if visitor.writer.is_closing():  # uvloop's transport would raise another error
                break
            visitor.writer.write(piece)
            await asyncio.wait_for(visitor.writer.drain(), 5)
            taken += len(piece)
    except ConnectionError:
        pass
    return taken


@pytest.mark.parametrize("piece", [b"x" * MEGABYTE, b"x.\r\n" * (MEGABYTE // 4), b"\r" * MEGABYTE])
@pytest.mark.parametrize("loop", [asyncio.new_event_loop, uvloop.new_event_loop])
def test_a_mail_without_end_is_cut_off_soon_after_the_limit(loop, piece):
    async def story() -> tuple[int, RecordingReceiver]:
        desk = RecordingReceiver()
        async with connected_client(desk, most_octets=MEGABYTE // 4) as visitor:
            await visitor.begin_mail(JOIN)
            visitor.writer.write(MAIL)
            # Each piece ends amid a line, so that no dot of it ends the mail.
            taken = await poured(visitor, piece + b"x", 64)
            await visitor.read_to_end()
        return taken, desk

    with asyncio.Runner(loop_factory=loop) as runner:
        taken, desk = runner.run(story())

    # Our limit, the patience of 1 MB, and what sockets of both ends hold on the way.
    assert taken < 20 * MEGABYTE
    assert desk.received == []


@pytest.mark.parametrize("in_mail", [True, False])
async def test_a_line_without_end_does_not_fill_the_memory(in_mail):
    piece = b"x" * MEGABYTE
    async with connected_client(RecordingReceiver(), most_octets=MEGABYTE) as visitor:
        if in_mail:
            await visitor.begin_mail(JOIN)
            visitor.writer.write(MAIL)
        tracemalloc.start()

        await poured(visitor, piece, 64)
        _, peak = tracemalloc.get_traced_memory()

    tracemalloc.stop()
    # The client's own buffers are in it too.
    assert peak < 12 * MEGABYTE


@pytest.mark.parametrize(("octets", "answer"), [(-1, "250"), (0, "250"), (1, "552"), (500_000, "552")])
async def test_a_mail_over_the_limit_is_refused_when_its_client_is_done(octets, answer):
    async with connected_client(RecordingReceiver(), most_octets=MEGABYTE) as visitor:
        await visitor.begin_mail(JOIN)

        text = MAIL.ljust(MEGABYTE + octets - 2, b"x") + b"\r\n"

        assert (await visitor.send_command(text + b".")).startswith(answer)


async def test_a_mail_that_announces_too_many_octets_is_refused_at_once():
    async with connected_client(RecordingReceiver()) as visitor:
        await visitor.send_command("EHLO home.example.org")

        assert (await visitor.send_command("MAIL FROM:<rosa@example.org> SIZE=99999999 BODY=8BITMIME")).startswith(
            "552"
        )


async def test_one_mail_has_only_so_many_recipients():
    async with connected_client(RecordingReceiver(), most_recipients=2) as visitor:
        await visitor.send_command("EHLO home.example.org")
        await visitor.send_command("MAIL FROM:<rosa@example.org>")

        answers = [await visitor.send_command(f"RCPT TO:<{to}>") for to in (JOIN, LEAVE, f"appeals-help@{DOMAIN}")]

    assert [answer[:9] for answer in answers] == ["250 2.1.5", "250 2.1.5", "452 4.5.3"]


async def test_a_recipient_named_twice_is_handed_on_once():
    desk = RecordingReceiver()
    async with connected_client(desk) as visitor:
        await visitor.begin_mail(JOIN, LEAVE, JOIN)
        await visitor.send_command(MAIL + b".")

    assert desk.received[0][1] == (JOIN, LEAVE)


async def test_while_all_others_are_at_work_a_client_beyond_the_most_is_asked_to_come_again():
    desk = RecordingReceiver()
    async with open_server(desk, most_connections=1) as intake:
        first = await connect(intake)
        await first.read_reply()
        await first.begin_mail(JOIN)

        second = await connect(intake)
        turned_away = await second.read_to_end()
        await first.send_command(MAIL + b".")
        await first.send_command("QUIT")
        await asyncio.wait_for(asyncio.gather(*(session.closed for session in intake.limits.sessions)), 5)
        third = await connect(intake)

        assert turned_away.startswith(b"421 4.3.2")
        assert (await third.read_reply()).startswith("220")
        for visitor in (first, second, third):
            await visitor.disconnect()


@pytest.mark.parametrize("garbage", [b"x\r\n", b"x\xff\xfe\r\n", b"RCPT TO:<a@b>\r\n", b"\n", b"NOOP\n"])
async def test_a_client_that_talks_garbage_is_sent_away(garbage):
    async with connected_client(RecordingReceiver(), own=()) as visitor:
        await poured(visitor, garbage, 2000)

        said = await visitor.read_to_end()

        assert said.count(b"\r\n") <= 1010


async def test_a_client_that_tries_out_addresses_is_sent_away():
    desk = RecordingReceiver()
    async with connected_client(desk) as visitor:
        await visitor.send_command("EHLO home.example.org")
        await visitor.send_command("MAIL FROM:<mallory@example.net>")
        await poured(visitor, b"".join(b"RCPT TO:<name%d@lists.example.org>\r\n" % n for n in range(1000)), 1)

        said = await visitor.read_to_end()

        assert b"421 4.7.0" in said
    assert len(desk.checked_addresses) == 100


async def test_a_silent_client_is_told_and_sent_away():
    async with open_server(RecordingReceiver(), timeout_s=0.05) as intake:
        visitor = await connect(intake)

        said = await visitor.read_to_end()

        await visitor.disconnect()
    assert said.endswith(b"421 4.4.2 Timeout\r\n")


async def test_a_client_whose_mail_is_slowly_written_down_still_gets_its_answer():
    desk = RecordingReceiver()
    desk.may_finish.clear()
    async with open_server(desk) as intake:
        visitor = await connect(intake)
        await visitor.read_reply()
        await visitor.begin_mail(JOIN)
        visitor.writer.write(MAIL + b".\r\n")
        await desk.receive_started.wait()
        (session,) = intake.limits.sessions

        session._timeouts._on_timer()
        desk.may_finish.set()

        assert (await visitor.read_reply()) == "250 2.0.0 OK"
        await visitor.disconnect()
