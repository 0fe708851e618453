"""The mail door over LMTP: one reply for each recipient (RFC 2033)."""

from __future__ import annotations

from tests.support.smtp_client import DOMAIN, JOIN, LEAVE, MAIL, RecordingReceiver, connected_client


async def test_each_accepted_recipient_gets_its_own_reply():
    desk = RecordingReceiver()
    async with connected_client(desk, protocol="lmtp") as visitor:
        await visitor.send_command("LHLO home.example.org")
        await visitor.send_command("MAIL FROM:<>")
        for to in (JOIN, f"nobody@{DOMAIN}", LEAVE):
            await visitor.send_command(f"RCPT TO:<{to}>")
        await visitor.send_command("DATA")

        replies = [
            await visitor.send_command(MAIL + b"."),
            await visitor.read_reply(),
            await visitor.send_command("NOOP"),
        ]

    assert replies == ["250 2.0.0 OK", "250 2.0.0 OK", "250 OK"]
    assert desk.received == [("", (JOIN, LEAVE), MAIL)]


async def test_trouble_and_refusals_after_the_dot_are_told_once_for_each_recipient_too():
    desk = RecordingReceiver(error=RuntimeError("the disk is full"))
    async with connected_client(desk, protocol="lmtp", most_octets=1000) as visitor:
        await visitor.begin_mail(JOIN, LEAVE, greeting="LHLO")
        trouble = [await visitor.send_command(MAIL + b"."), await visitor.read_reply()]
        await visitor.begin_mail(JOIN, LEAVE, greeting="LHLO")
        too_much = [await visitor.send_command(MAIL + b"x" * 2000 + b"\r\n."), await visitor.read_reply()]

    assert [reply[:3] for reply in trouble + too_much] == ["451", "451", "552", "552"]


async def test_no_recipient_no_text():
    async with connected_client(RecordingReceiver(), protocol="lmtp") as visitor:
        await visitor.send_command("LHLO home.example.org")
        await visitor.send_command("MAIL FROM:<rosa@example.org>")

        assert (await visitor.send_command("DATA")).startswith("503")
        assert (await visitor.send_command("NOOP")).startswith("250")


async def test_lmtp_is_not_spoken_with_a_client_of_smtp():
    async with connected_client(RecordingReceiver(), protocol="lmtp") as visitor:
        assert (await visitor.send_command("EHLO home.example.org")).startswith("500")
