"""How many connections are admitted, and which are closed for others."""

from __future__ import annotations

import asyncio
import socket
import struct

import pytest
import uvloop

from mailer.entrypoints.smtp.connection_limits import parse_networks
from tests.support.smtp_client import JOIN, MAIL, RecordingReceiver, SmtpClient, connect, connected_client, open_server

HERE = parse_networks(["127.0.0.1", "::1"])
V2 = b"\r\n\r\n\x00\r\nQUIT\n"


def v2(client: str, command: int = 0x21) -> bytes:
    addresses = socket.inet_aton(client) + socket.inet_aton("203.0.113.25") + struct.pack("!HH", 4000, 25)
    return V2 + bytes([command, 0x11]) + struct.pack("!H", len(addresses)) + addresses


async def test_nine_hundred_idle_clients_do_not_keep_others_out():
    receiver = RecordingReceiver()
    async with open_server(receiver, most_connections=100, own_servers=HERE) as server:
        idle = [await connect(server) for _ in range(900)]

        rosa = await connect(server)
        await rosa.read_reply()
        await rosa.begin_mail(JOIN)

        assert (await rosa.send_command(MAIL + b".")).startswith("250")
        assert len(server.limits.sessions) <= 100
        assert b"421 4.3.2 Others are waiting" in await idle[0].read_to_end()
        for client in (*idle, rosa):
            client.writer.transport.abort()
    assert len(receiver.received) == 1


async def test_a_client_that_sends_a_message_is_not_disconnected_for_others():
    receiver = RecordingReceiver()
    async with open_server(receiver, most_connections=3, own_servers=HERE) as server:
        rosa = await connect(server)
        await rosa.read_reply()
        await rosa.begin_mail(JOIN)

        idle = [await connect(server) for _ in range(10)]

        assert (await idle[-1].read_reply()).startswith("220")
        assert (await rosa.send_command(MAIL + b".")).startswith("250")
        for client in (*idle, rosa):
            client.writer.transport.abort()


async def test_connections_from_one_foreign_address_are_limited():
    async with open_server(RecordingReceiver(), most_per_address=2) as server:
        first, second = await connect(server), await connect(server)
        assert (await first.read_reply())[:3] + (await second.read_reply())[:3] == "220220"

        assert (await (await connect(server)).read_to_end()).startswith(b"421 4.7.0")

        await first.send_command("QUIT")
        await first.read_to_end()
        third = await connect(server)
        assert (await third.read_reply()).startswith("220")
        for client in (first, second, third):
            await client.disconnect()


@pytest.mark.parametrize(
    ("line", "address"),
    [
        (b"PROXY TCP4 192.0.2.7 203.0.113.25 4000 25\r\n", "192.0.2.7"),
        (b"PROXY TCP6 2001:db8::7 2001:db8::25 4000 25\r\n", "2001:db8::7"),
        (b"PROXY UNKNOWN\r\n", "127.0.0.1"),
        (v2("192.0.2.7"), "192.0.2.7"),
        (v2("192.0.2.7", command=0x20), "127.0.0.1"),
    ],
)
async def test_the_proxy_header_of_a_load_balancer_names_the_client(line, address):
    receiver = RecordingReceiver()
    async with open_server(receiver, proxies=HERE) as server:
        client = await connect(server)
        client.writer.write(line)
        assert (await client.read_reply()).startswith("220")
        await client.begin_mail(JOIN)
        await client.send_command(MAIL + b".")
        await client.disconnect()

    assert receiver.messages[0].client == address


async def test_clients_behind_a_load_balancer_are_counted_by_their_own_address():
    async with open_server(RecordingReceiver(), proxies=HERE, most_per_address=1) as server:
        reply = []
        clients = [await connect(server) for _ in range(3)]
        for client, last in zip(clients, (7, 8, 7), strict=True):
            client.writer.write(v2(f"192.0.2.{last}"))
            reply.append((await client.read_reply())[:3])
        for client in clients:
            await client.disconnect()

    assert reply == ["220", "220", "421"]


@pytest.mark.parametrize(
    "line",
    [b"EHLO home.example.org\r\n", b"PROXY TCP4 nowhere\r\n", b"PROXY " + b"x" * 200 + b"\r\n", V2 + b"\x99" * 20],
)
async def test_a_load_balancer_without_a_proxy_header_is_disconnected(line):
    async with open_server(RecordingReceiver(), proxies=HERE) as server:
        client = await connect(server)
        client.writer.write(line)

        assert await client.read_to_end() == b""
        await client.disconnect()


@pytest.mark.parametrize(
    "line",
    [
        b"PROXY TCP4 192.0.2.7 203.0.113.25 4000 25\r\n",
        v2("192.0.2.7"),
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        *(verb + b" / HTTP/1.1\r\n" for verb in (b"GET", b"POST", b"PUT", b"HEAD", b"OPTIONS", b"CONNECT", b"delete")),
    ],
)
async def test_clients_of_other_protocols_are_disconnected_at_once(line):
    receiver = RecordingReceiver()
    mail = f"\r\nEHLO x\r\nMAIL FROM:<>\r\nRCPT TO:<{JOIN}>\r\nDATA\r\n".encode() + MAIL + b".\r\nQUIT\r\n"
    async with connected_client(receiver) as client:
        client.writer.write(line + (mail if line.endswith(b"\n") else b""))

        assert b"250" not in await client.read_to_end()
    assert receiver.received == []


@pytest.mark.parametrize("loop", [asyncio.new_event_loop, uvloop.new_event_loop])
@pytest.mark.parametrize("in_mail", [True, False])
def test_a_client_that_sends_single_octets_is_cut_off(loop, in_mail):
    async def story() -> bytes:
        async with connected_client(RecordingReceiver(), timeout_s=0.05) as client:
            if in_mail:
                await client.begin_mail(JOIN)
            dripping = asyncio.create_task(drip(client))
            try:
                return await client.read_to_end()
            finally:
                dripping.cancel()

    with asyncio.Runner(loop_factory=loop) as runner:
        # The last words are lost where an octet that nobody read was on its way.
        assert runner.run(story()) in {b"", b"421 4.4.2 Timeout\r\n"}


async def drip(client: SmtpClient) -> None:
    while not client.writer.is_closing():
        client.writer.write(b"x")
        await asyncio.sleep(0.02)


async def test_a_session_is_limited_in_time_except_for_our_own_mail_servers():
    for own, stays in (((), False), (HERE, True)):
        async with open_server(RecordingReceiver(), session_s=0.1, own_servers=own) as server:
            client = await connect(server)
            await client.read_reply()
            answers = [await chat(client) for _ in range(20)]
            await client.disconnect()
        assert (answers[-1] == "250 OK") == stays


async def chat(client: SmtpClient) -> str:
    """A word, and a while later the next: its answer, nothing where nobody is there any more."""
    await asyncio.sleep(0.01)
    try:
        return await client.send_command("NOOP")
    except (ConnectionError, IndexError):
        return ""
