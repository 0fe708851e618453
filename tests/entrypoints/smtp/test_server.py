"""The SMTP server: where it listens, and how it closes."""

from __future__ import annotations

import asyncio

import pytest
import uvloop

from mailer.errors import ListenAddressTaken, SettingsRefused
from tests.support.smtp_client import JOIN, MAIL, RecordingReceiver, connect, open_server


@pytest.mark.parametrize("loop", [asyncio.new_event_loop, uvloop.new_event_loop])
def test_closing_puts_idle_clients_down_with_a_word(loop):
    async def story() -> list[bytes]:
        async with open_server(RecordingReceiver()) as intake:
            visitors = [await connect(intake) for _ in range(2)]
            for visitor in visitors:
                await visitor.read_reply()
            await visitors[1].begin_mail(JOIN)

            await asyncio.wait_for(intake.close(), 5)

            said = [await visitor.read_to_end() for visitor in visitors]
            for visitor in visitors:
                await visitor.disconnect()
            assert not intake.limits.sessions
        return said

    with asyncio.Runner(loop_factory=loop) as runner:
        said = runner.run(story())

    assert said == [b"421 4.3.2 Closing for now, try again later\r\n"] * 2


@pytest.mark.parametrize("loop", [asyncio.new_event_loop, uvloop.new_event_loop])
def test_a_mail_that_is_just_written_down_is_answered_before_the_door_closes(loop):
    async def story() -> tuple[bytes, RecordingReceiver]:
        desk = RecordingReceiver()
        desk.may_finish.clear()
        async with open_server(desk) as intake:
            visitor = await connect(intake)
            await visitor.read_reply()
            await visitor.begin_mail(JOIN)
            visitor.writer.write(MAIL + b".\r\n")
            await desk.receive_started.wait()

            closing = asyncio.create_task(intake.close())
            await asyncio.sleep(0)
            assert not closing.done()
            desk.may_finish.set()
            await asyncio.wait_for(closing, 5)

            said = await visitor.read_to_end()
            await visitor.disconnect()
        return said, desk

    with asyncio.Runner(loop_factory=loop) as runner:
        said, desk = runner.run(story())

    assert said.startswith(b"250 2.0.0 OK\r\n")
    assert len(desk.received) == 1


async def test_a_mail_that_is_just_coming_in_is_put_down_with_the_door():
    desk = RecordingReceiver()
    async with open_server(desk) as intake:
        visitor = await connect(intake)
        await visitor.read_reply()
        await visitor.begin_mail(JOIN)
        visitor.writer.write(MAIL)

        await asyncio.wait_for(intake.close(), 5)

        assert b"250" not in await visitor.read_to_end()
        await visitor.disconnect()
    assert desk.received == []


async def test_a_mail_whose_client_has_gone_is_written_down_before_the_door_is_closed():
    desk = RecordingReceiver()
    desk.may_finish.clear()
    async with open_server(desk) as intake:
        visitor = await connect(intake)
        await visitor.read_reply()
        await visitor.begin_mail(JOIN)
        visitor.writer.write(MAIL + b".\r\n")
        await desk.receive_started.wait()
        (session,) = intake.limits.sessions
        session.abort()
        await asyncio.wait_for(session.closed, 5)
        await visitor.disconnect()

        asyncio.get_running_loop().call_soon(desk.may_finish.set)
        await asyncio.wait_for(intake.close(), 5)

        assert len(desk.received) == 1


async def test_a_client_that_never_reads_does_not_hold_the_door_open():
    async with open_server(RecordingReceiver()) as intake:
        visitor = await connect(intake)
        await visitor.read_reply()
        (session,) = intake.limits.sessions
        session.transport.write(b"250-not read\r\n" * 2**20)

        await asyncio.wait_for(intake.close(), 5)

        assert session.closed.done()
        await visitor.disconnect()


async def test_a_closed_door_takes_no_new_client_and_its_port_is_free_again():
    async with open_server(RecordingReceiver()) as intake:
        port = intake.port
        await intake.close()

        with pytest.raises(ConnectionRefusedError):
            await connect(intake)
        async with open_server(RecordingReceiver(), port=port) as again:
            assert again.port == port


async def test_a_taken_port_is_told_with_host_and_port():
    async with open_server(RecordingReceiver()) as intake:
        with pytest.raises(ListenAddressTaken, match=rf"127\.0\.0\.1 port {intake.port}\b"):
            async with open_server(RecordingReceiver(), port=intake.port):
                pass


async def test_a_host_that_is_not_this_machine_is_told():
    with pytest.raises(SettingsRefused, match=r"192\.0\.2\.1 port 0"):
        async with open_server(RecordingReceiver(), host="192.0.2.1"):
            pass


async def test_a_door_for_everybody_takes_clients_over_ipv6_and_ipv4():
    desk = RecordingReceiver()
    async with open_server(desk, host="::") as intake:
        for host in ("::1", "127.0.0.1"):
            visitor = await connect(intake, host)
            await visitor.read_reply()
            await visitor.begin_mail(JOIN)
            await visitor.send_command(MAIL + b".")
            await visitor.disconnect()

    assert [one.client for one in desk.arrivals] == ["::1", "127.0.0.1"]


async def test_the_door_opens_on_ipv6_too():
    desk = RecordingReceiver()
    async with open_server(desk, host="::1") as intake:
        visitor = await connect(intake, "::1")
        await visitor.read_reply()
        await visitor.begin_mail(JOIN)

        assert (await visitor.send_command(MAIL + b".")).startswith("250")

        await visitor.disconnect()
