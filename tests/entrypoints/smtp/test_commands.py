"""The SMTP and LMTP commands: what the server accepts, refuses and replies."""

from __future__ import annotations

import asyncio

import aiosmtplib
import pytest
import uvloop

from tests.support.smtp_client import (
    DOMAIN,
    JOIN,
    LEAVE,
    MAIL,
    RecordingReceiver,
    connect,
    connected_client,
    open_server,
)


async def mailed_through_the_door(**changed: object) -> RecordingReceiver:
    receiver = RecordingReceiver()
    async with open_server(receiver, **changed) as server:
        await aiosmtplib.send(
            MAIL, sender="rosa@example.org", recipients=[JOIN], hostname="127.0.0.1", port=server.port, start_tls=False
        )
    return receiver


@pytest.mark.parametrize("loop", [asyncio.new_event_loop, uvloop.new_event_loop])
def test_a_mail_to_a_list_is_received_under_either_event_loop(loop):
    with asyncio.Runner(loop_factory=loop) as runner:
        receiver = runner.run(mailed_through_the_door())

    assert receiver.received == [("rosa@example.org", (JOIN,), MAIL)]


@pytest.mark.parametrize("loop", [asyncio.new_event_loop, uvloop.new_event_loop])
def test_a_client_that_hangs_up_right_after_its_final_dot_has_its_mail_received(loop):
    async def story() -> RecordingReceiver:
        receiver = RecordingReceiver()
        async with connected_client(receiver) as client:
            await client.begin_mail(JOIN)
            client.writer.write(MAIL + b".\r\n")
            client.writer.close()
            await asyncio.wait_for(receiver.receive_finished.wait(), 5)
        return receiver

    with asyncio.Runner(loop_factory=loop) as runner:
        receiver = runner.run(story())

    assert [raw for _, _, raw in receiver.received] == [MAIL]


async def test_a_client_that_sends_a_large_mail_in_one_go_and_hangs_up_has_it_received_whole():
    receiver, large = RecordingReceiver(), MAIL + b"row of beans\r\n" * 100_000
    async with connected_client(receiver) as client:
        await client.begin_mail(JOIN)

        client.writer.write(large + b".\r\n")
        client.writer.write_eof()

        await asyncio.wait_for(receiver.receive_finished.wait(), 5)
    assert receiver.received[0][2] == large


async def test_a_message_is_received_when_its_client_hangs_up_while_it_is_stored():
    receiver = RecordingReceiver()
    receiver.may_finish.clear()
    async with connected_client(receiver) as client:
        await client.begin_mail(JOIN)
        client.writer.write(MAIL + b".\r\n")
        await asyncio.wait_for(receiver.receive_started.wait(), 5)

        client.writer.transport.abort()
        receiver.may_finish.set()

        await asyncio.wait_for(receiver.receive_finished.wait(), 5)
    assert len(receiver.received) == 1


async def test_a_client_that_hangs_up_within_its_message_leaves_nothing_behind():
    receiver = RecordingReceiver()
    async with open_server(receiver) as server:
        rude, next_one = await connect(server), await connect(server)
        await rude.read_reply()
        await rude.begin_mail(JOIN)
        rude.writer.write(MAIL)
        await rude.disconnect()

        await next_one.read_reply()
        await next_one.begin_mail(LEAVE)
        answer = await next_one.send_command(MAIL + b".")

        await next_one.disconnect()
    assert answer == "250 2.0.0 OK"
    assert [recipients for _, recipients, _ in receiver.received] == [(LEAVE,)]


async def test_the_greeting_names_the_host_and_no_software_version():
    async with open_server(RecordingReceiver()) as server:
        client = await connect(server)

        greeting, hello = await client.read_reply(), await client.send_command("EHLO home.example.org")

        await client.disconnect()
    assert greeting == "220 mx.example.org mailer"
    assert {"250-SIZE 10485760", "250-8BITMIME"} <= set(hello.split("\n"))


@pytest.mark.parametrize(
    ("recipient", "answer"),
    [
        (JOIN, "250"),
        (f"Appeals-Join@{DOMAIN.upper()}", "550 5.1.1"),
        (f"appeals-join@{DOMAIN.upper()}", "250"),
        ('"appeals-join"@' + DOMAIN, "250"),
        (f"@relay.example.net:{JOIN}", "550 5.7.1"),
        (f"@{DOMAIN}:emma@example.net", "550 5.7.1"),
        (f"emma%example.net@{DOMAIN}", "550 5.7.1"),
        (f"example.net!emma@{DOMAIN}", "550 5.7.1"),
        (f"emma@example.net@{DOMAIN}", "550 5.7.1"),
        (f'"emma@example.net"@{DOMAIN}', "550 5.7.1"),
        (f'"emma\\@example.net"@{DOMAIN}', "550 5.7.1"),
        (f'"emma example.net"@{DOMAIN}', "550 5.7.1"),
        ("postmaster", "250"),
        ("POSTMASTER", "250"),
        (f"nobody@{DOMAIN}", "550 5.1.1"),
        ("emma@example.net", "550 5.7.1"),
        (f"emma%example.net@sub.{DOMAIN}", "550 5.7.1"),
        ("appeals-join", "550 5.7.1"),
        ("", "550 5.7.1"),
        ("appeals-join@[", "550 5.7.1"),
        ('"', "553"),
    ],
)
async def test_only_known_addresses_of_our_domain_are_recipients(recipient, answer):
    async with connected_client(RecordingReceiver()) as client:
        await client.send_command("EHLO home.example.org")
        await client.send_command("MAIL FROM:<rosa@example.org>")

        assert (await client.send_command(f"RCPT TO:<{recipient}>")).startswith(answer)


async def test_bare_postmaster_is_received_as_the_postmaster_of_our_domain():
    receiver = RecordingReceiver()
    async with connected_client(receiver) as client:
        await client.begin_mail("Postmaster", sender="")
        await client.send_command(MAIL + b".")

    assert receiver.received == [("", (f"postmaster@{DOMAIN}",), MAIL)]


async def test_a_mail_without_an_accepted_recipient_is_refused_before_its_text():
    async with connected_client(RecordingReceiver()) as client:
        await client.send_command("EHLO home.example.org")
        await client.send_command("MAIL FROM:<rosa@example.org>")
        await client.send_command(f"RCPT TO:<nobody@{DOMAIN}>")

        assert (await client.send_command("DATA")).startswith("503")


@pytest.mark.parametrize("line", ["VRFY appeals-join", "VRFY <rosa@example.org>", "EXPN appeals", "HELP", "HELP DATA"])
async def test_vrfy_and_similar_commands_reveal_no_addresses(line):
    receiver = RecordingReceiver()
    async with connected_client(receiver) as client:
        await client.send_command("EHLO home.example.org")

        answer = await client.send_command(line)

        assert answer[:3] in {"250", "252", "502", "553"}
        assert (await client.send_command("NOOP")).startswith("250")
    assert receiver.checked_addresses == []


@pytest.mark.parametrize(
    "smuggled",
    [
        b"\n.\n",
        b"\n.\r\n",
        b"\r\n.\n",
        b"\r.\r",
        b"\r.\r\n",
        b"\n.\r",
        b"\r.\n",
        b"\r\n.\r",
        b"\r\n\x00.\r\n",
        b"\r\n.\x00\r\n",
        b"\r\n. \r\n",
    ],
)
async def test_a_dot_between_bare_line_ends_does_not_end_the_mail(smuggled):
    receiver = RecordingReceiver()
    second = b"MAIL FROM:<mallory@example.net>\r\nRCPT TO:<" + LEAVE.encode() + b">\r\nDATA\r\nforged\r\n"
    async with connected_client(receiver) as client:
        await client.begin_mail(JOIN)

        answer = await client.send_command(MAIL + b"line" + smuggled + second + b".")

        assert answer == "250 2.0.0 OK"
        assert (await client.send_command("NOOP")).startswith("250")
    assert [(sender, recipients) for sender, recipients, _ in receiver.received] == [("rosa@example.org", (JOIN,))]
    assert receiver.received[0][2].endswith(b"forged\r\n")


@pytest.mark.parametrize(
    ("sent", "received"),
    [
        (b"", b""),
        (b"..\r\n", b".\r\n"),
        (b"...a\r\n..\r\nb.\r\n", b"..a\r\n.\r\nb.\r\n"),
        (b"a.\r\nb\r\n", b"a.\r\nb\r\n"),
        (b"\r\n" + b"a" * 300_000 + b".\r\n", b"\r\n" + b"a" * 300_000 + b".\r\n"),
        (b"\r\n" + b"..\r\n" * 50_000, b"\r\n" + b".\r\n" * 50_000),
        (b"\r\nx" + b"..\r\n" * 50_000, b"\r\nx" + b"..\r\n" + b".\r\n" * 49_999),
        (b"\x00\xff bare \r and \n\r\n", b"\x00\xff bare \r and \n\r\n"),
    ],
)
async def test_a_mail_is_received_octet_by_octet_with_its_doubled_dots_made_single(sent, received):
    receiver = RecordingReceiver()
    async with connected_client(receiver) as client:
        await client.begin_mail(JOIN)

        assert (await client.send_command(sent + b".")).startswith("250")

    assert receiver.received[0][2] == received


async def test_an_internal_error_is_a_451_that_reveals_nothing():
    receiver = RecordingReceiver(error=RuntimeError("secret database password"))
    async with connected_client(receiver) as client:
        await client.begin_mail(JOIN)

        refused = await client.send_command(MAIL + b".")
        receiver.error = None
        await client.begin_mail(JOIN)
        accepted = await client.send_command(MAIL + b".")

    assert refused == "451 4.3.0 Try again later"
    assert accepted == "250 2.0.0 OK"
    assert len(receiver.received) == 1


@pytest.mark.parametrize(
    "line", [b"MAIL FROM:<rosa\x00@example.org>", b'MAIL FROM:<"a\x00b"@example.org>', b"EHLO a\x00b"]
)
async def test_a_command_with_a_control_character_is_refused(line):
    async with connected_client(RecordingReceiver()) as client:
        await client.send_command("EHLO home.example.org")

        assert (await client.send_command(line))[:1] == "5"


async def test_each_accepted_recipient_gets_its_own_reply():
    receiver = RecordingReceiver()
    async with connected_client(receiver, protocol="lmtp") as client:
        await client.send_command("LHLO home.example.org")
        await client.send_command("MAIL FROM:<>")
        for to in (JOIN, f"nobody@{DOMAIN}", LEAVE):
            await client.send_command(f"RCPT TO:<{to}>")
        await client.send_command("DATA")

        replies = [
            await client.send_command(MAIL + b"."),
            await client.read_reply(),
            await client.send_command("NOOP"),
        ]

    assert replies == ["250 2.0.0 OK", "250 2.0.0 OK", "250 OK"]
    assert receiver.received == [("", (JOIN, LEAVE), MAIL)]


async def test_errors_after_the_final_dot_are_replied_once_for_each_recipient():
    receiver = RecordingReceiver(error=RuntimeError("the disk is full"))
    async with connected_client(receiver, protocol="lmtp", most_octets=1000) as client:
        await client.begin_mail(JOIN, LEAVE, greeting="LHLO")
        error = [await client.send_command(MAIL + b"."), await client.read_reply()]
        await client.begin_mail(JOIN, LEAVE, greeting="LHLO")
        too_much = [await client.send_command(MAIL + b"x" * 2000 + b"\r\n."), await client.read_reply()]

    assert [reply[:3] for reply in error + too_much] == ["451", "451", "552", "552"]


async def test_data_without_a_recipient_is_refused():
    async with connected_client(RecordingReceiver(), protocol="lmtp") as client:
        await client.send_command("LHLO home.example.org")
        await client.send_command("MAIL FROM:<rosa@example.org>")

        assert (await client.send_command("DATA")).startswith("503")
        assert (await client.send_command("NOOP")).startswith("250")


async def test_an_lmtp_server_refuses_ehlo_and_helo():
    async with connected_client(RecordingReceiver(), protocol="lmtp") as client:
        assert (await client.send_command("EHLO home.example.org")).startswith("500")
