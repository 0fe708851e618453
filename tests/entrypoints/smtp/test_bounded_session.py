"""The limits of an SMTP session hold, whatever a client sends."""

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


async def poured(client: SmtpClient, piece: bytes, times: int) -> int:
    """How many octets the door took before it hung up."""
    accepted = 0
    try:
        for _ in range(times):
            if client.writer.is_closing():  # uvloop's transport would raise another error
                break
            client.writer.write(piece)
            await asyncio.wait_for(client.writer.drain(), 5)
            accepted += len(piece)
    except ConnectionError:
        pass
    return accepted


@pytest.mark.parametrize("piece", [b"x" * MEGABYTE, b"x.\r\n" * (MEGABYTE // 4), b"\r" * MEGABYTE])
@pytest.mark.parametrize("loop", [asyncio.new_event_loop, uvloop.new_event_loop])
def test_an_endless_message_is_cut_off_soon_after_the_limit(loop, piece):
    async def story() -> tuple[int, RecordingReceiver]:
        receiver = RecordingReceiver()
        async with connected_client(receiver, most_octets=MEGABYTE // 4) as client:
            await client.begin_mail(JOIN)
            client.writer.write(MAIL)
            # Each piece ends amid a line, so that no dot of it ends the mail.
            accepted = await poured(client, piece + b"x", 64)
            await client.read_to_end()
        return accepted, receiver

    with asyncio.Runner(loop_factory=loop) as runner:
        accepted, receiver = runner.run(story())

    # Our limit, the patience of 1 MB, and what sockets of both ends hold on the way.
    assert accepted < 20 * MEGABYTE
    assert receiver.received == []


@pytest.mark.parametrize("in_mail", [True, False])
async def test_an_endless_line_does_not_fill_the_memory(in_mail):
    piece = b"x" * MEGABYTE
    async with connected_client(RecordingReceiver(), most_octets=MEGABYTE) as client:
        if in_mail:
            await client.begin_mail(JOIN)
            client.writer.write(MAIL)
        tracemalloc.start()

        await poured(client, piece, 64)
        _, peak = tracemalloc.get_traced_memory()

    tracemalloc.stop()
    # The client's own buffers are in it too.
    assert peak < 12 * MEGABYTE


@pytest.mark.parametrize(("octets", "answer"), [(-1, "250"), (0, "250"), (1, "552"), (500_000, "552")])
async def test_a_message_over_the_limit_is_refused_after_its_final_dot(octets, answer):
    async with connected_client(RecordingReceiver(), most_octets=MEGABYTE) as client:
        await client.begin_mail(JOIN)

        text = MAIL.ljust(MEGABYTE + octets - 2, b"x") + b"\r\n"

        assert (await client.send_command(text + b".")).startswith(answer)


async def test_a_message_that_announces_too_many_octets_is_refused_at_once():
    async with connected_client(RecordingReceiver()) as client:
        await client.send_command("EHLO home.example.org")

        assert (await client.send_command("MAIL FROM:<rosa@example.org> SIZE=99999999 BODY=8BITMIME")).startswith("552")


async def test_the_recipients_of_one_message_are_limited():
    async with connected_client(RecordingReceiver(), most_recipients=2) as client:
        await client.send_command("EHLO home.example.org")
        await client.send_command("MAIL FROM:<rosa@example.org>")

        answers = [await client.send_command(f"RCPT TO:<{to}>") for to in (JOIN, LEAVE, f"appeals-help@{DOMAIN}")]

    assert [answer[:9] for answer in answers] == ["250 2.1.5", "250 2.1.5", "452 4.5.3"]


async def test_a_recipient_named_twice_is_passed_on_once():
    receiver = RecordingReceiver()
    async with connected_client(receiver) as client:
        await client.begin_mail(JOIN, LEAVE, JOIN)
        await client.send_command(MAIL + b".")

    assert receiver.received[0][1] == (JOIN, LEAVE)


async def test_one_connection_too_many_gets_421_while_no_other_is_idle():
    receiver = RecordingReceiver()
    async with open_server(receiver, most_connections=1) as server:
        first = await connect(server)
        await first.read_reply()
        await first.begin_mail(JOIN)

        second = await connect(server)
        turned_away = await second.read_to_end()
        await first.send_command(MAIL + b".")
        await first.send_command("QUIT")
        await asyncio.wait_for(asyncio.gather(*(session.closed for session in server.limits.sessions)), 5)
        third = await connect(server)

        assert turned_away.startswith(b"421 4.3.2")
        assert (await third.read_reply()).startswith("220")
        for client in (first, second, third):
            await client.disconnect()


@pytest.mark.parametrize("garbage", [b"x\r\n", b"x\xff\xfe\r\n", b"RCPT TO:<a@b>\r\n", b"\n", b"NOOP\n"])
async def test_a_client_that_sends_garbage_is_disconnected(garbage):
    async with connected_client(RecordingReceiver(), own_servers=()) as client:
        await poured(client, garbage, 2000)

        reply = await client.read_to_end()

        assert reply.count(b"\r\n") <= 1010


async def test_a_client_that_tries_many_addresses_is_disconnected():
    receiver = RecordingReceiver()
    async with connected_client(receiver) as client:
        await client.send_command("EHLO home.example.org")
        await client.send_command("MAIL FROM:<mallory@example.net>")
        await poured(client, b"".join(b"RCPT TO:<name%d@lists.example.org>\r\n" % n for n in range(1000)), 1)

        reply = await client.read_to_end()

        assert b"421 4.7.0" in reply
    assert len(receiver.checked_addresses) == 100


async def test_a_silent_client_gets_421_and_is_disconnected():
    async with open_server(RecordingReceiver(), timeout_s=0.05) as server:
        client = await connect(server)

        reply = await client.read_to_end()

        await client.disconnect()
    assert reply.endswith(b"421 4.4.2 Timeout\r\n")


async def test_a_client_whose_message_is_stored_slowly_still_gets_its_reply():
    receiver = RecordingReceiver()
    async with open_server(receiver) as server:
        client = await connect(server)
        await client.send_mail_to_store(receiver)
        (session,) = server.limits.sessions

        session._timeouts._on_timer()
        receiver.may_finish.set()

        assert (await client.read_reply()) == "250 2.0.0 OK"
        await client.disconnect()
