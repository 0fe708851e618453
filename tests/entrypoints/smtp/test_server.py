"""The SMTP server: where it listens, and how it closes."""

from __future__ import annotations

import asyncio

import pytest
import uvloop

from mailer.errors import ListenAddressTaken, SettingsRefused
from tests.support.smtp_client import JOIN, MAIL, RecordingReceiver, connect, open_server


@pytest.mark.parametrize("loop", [asyncio.new_event_loop, uvloop.new_event_loop])
def test_closing_ends_idle_sessions_with_421(loop):
    async def story() -> list[bytes]:
        async with open_server(RecordingReceiver()) as server:
            clients = [await connect(server) for _ in range(2)]
            for client in clients:
                await client.read_reply()
            await clients[1].begin_mail(JOIN)

            await asyncio.wait_for(server.close(), 5)

            replies = [await client.read_to_end() for client in clients]
            for client in clients:
                await client.disconnect()
            assert not server.limits.sessions
        return replies

    with asyncio.Runner(loop_factory=loop) as runner:
        replies = runner.run(story())

    assert replies == [b"421 4.3.2 Closing for now, try again later\r\n"] * 2


@pytest.mark.parametrize("loop", [asyncio.new_event_loop, uvloop.new_event_loop])
def test_a_message_that_is_being_stored_is_answered_before_the_server_closes(loop):
    async def story() -> tuple[bytes, RecordingReceiver]:
        receiver = RecordingReceiver()
        async with open_server(receiver) as server:
            client = await connect(server)
            await client.send_mail_to_store(receiver)

            closing = asyncio.create_task(server.close())
            await asyncio.sleep(0)
            assert not closing.done()
            receiver.may_finish.set()
            await asyncio.wait_for(closing, 5)

            replies = await client.read_to_end()
            await client.disconnect()
        return replies, receiver

    with asyncio.Runner(loop_factory=loop) as runner:
        replies, receiver = runner.run(story())

    assert replies.startswith(b"250 2.0.0 OK\r\n")
    assert len(receiver.received) == 1


async def test_a_message_that_is_still_coming_in_is_dropped_when_the_server_closes():
    receiver = RecordingReceiver()
    async with open_server(receiver) as server:
        client = await connect(server)
        await client.read_reply()
        await client.begin_mail(JOIN)
        client.writer.write(MAIL)

        await asyncio.wait_for(server.close(), 5)

        assert b"250" not in await client.read_to_end()
        await client.disconnect()
    assert receiver.received == []


async def test_a_message_whose_client_has_gone_is_stored_before_the_server_closes():
    receiver = RecordingReceiver()
    async with open_server(receiver) as server:
        client = await connect(server)
        await client.send_mail_to_store(receiver)
        (session,) = server.limits.sessions
        session.abort()
        await asyncio.wait_for(session.closed, 5)
        await client.disconnect()

        asyncio.get_running_loop().call_soon(receiver.may_finish.set)
        await asyncio.wait_for(server.close(), 5)

        assert len(receiver.received) == 1


async def test_a_client_that_never_reads_does_not_keep_the_server_open():
    async with open_server(RecordingReceiver()) as server:
        client = await connect(server)
        await client.read_reply()
        (session,) = server.limits.sessions
        session.transport.write(b"250-not read\r\n" * 2**20)

        await asyncio.wait_for(server.close(), 5)

        assert session.closed.done()
        await client.disconnect()


async def test_a_closed_server_accepts_no_client_and_frees_its_port():
    async with open_server(RecordingReceiver()) as server:
        port = server.port
        await server.close()

        with pytest.raises(ConnectionRefusedError):
            await connect(server)
        async with open_server(RecordingReceiver(), port=port) as again:
            assert again.port == port


async def test_the_error_for_a_taken_port_names_host_and_port():
    async with open_server(RecordingReceiver()) as server:
        with pytest.raises(ListenAddressTaken, match=rf"127\.0\.0\.1 port {server.port}\b"):
            async with open_server(RecordingReceiver(), port=server.port):
                pass


async def test_the_error_for_a_foreign_host_names_it():
    with pytest.raises(SettingsRefused, match=r"192\.0\.2\.1 port 0"):
        async with open_server(RecordingReceiver(), host="192.0.2.1"):
            pass


async def test_the_wildcard_address_accepts_ipv6_and_ipv4():
    receiver = RecordingReceiver()
    async with open_server(receiver, host="::") as server:
        for host in ("::1", "127.0.0.1"):
            client = await connect(server, host)
            await client.read_reply()
            await client.begin_mail(JOIN)
            await client.send_command(MAIL + b".")
            await client.disconnect()

    assert [one.client for one in receiver.messages] == ["::1", "127.0.0.1"]


async def test_the_server_listens_on_ipv6():
    receiver = RecordingReceiver()
    async with open_server(receiver, host="::1") as server:
        client = await connect(server, "::1")
        await client.read_reply()
        await client.begin_mail(JOIN)

        assert (await client.send_command(MAIL + b".")).startswith("250")

        await client.disconnect()
