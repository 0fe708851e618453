"""The mail door over LMTP: one reply for each recipient (RFC 2033)."""

from __future__ import annotations

from tests.support.smtp_client import DOMAIN, JOIN, LEAVE, MAIL, Desk, visiting


async def test_each_accepted_recipient_gets_its_own_reply():
    desk = Desk()
    async with visiting(desk, protocol="lmtp") as visitor:
        await visitor.say("LHLO home.example.org")
        await visitor.say("MAIL FROM:<>")
        for to in (JOIN, f"nobody@{DOMAIN}", LEAVE):
            await visitor.say(f"RCPT TO:<{to}>")
        await visitor.say("DATA")

        replies = [await visitor.say(MAIL + b"."), await visitor.reply(), await visitor.say("NOOP")]

    assert replies == ["250 2.0.0 OK", "250 2.0.0 OK", "250 OK"]
    assert desk.received == [("", (JOIN, LEAVE), MAIL)]


async def test_trouble_and_refusals_after_the_dot_are_told_once_for_each_recipient_too():
    desk = Desk(trouble=RuntimeError("the disk is full"))
    async with visiting(desk, protocol="lmtp", most_octets=1000) as visitor:
        await visitor.begin_mail(JOIN, LEAVE, hello="LHLO")
        trouble = [await visitor.say(MAIL + b"."), await visitor.reply()]
        await visitor.begin_mail(JOIN, LEAVE, hello="LHLO")
        too_much = [await visitor.say(MAIL + b"x" * 2000 + b"\r\n."), await visitor.reply()]

    assert [reply[:3] for reply in trouble + too_much] == ["451", "451", "552", "552"]


async def test_no_recipient_no_text():
    async with visiting(Desk(), protocol="lmtp") as visitor:
        await visitor.say("LHLO home.example.org")
        await visitor.say("MAIL FROM:<rosa@example.org>")

        assert (await visitor.say("DATA")).startswith("503")
        assert (await visitor.say("NOOP")).startswith("250")


async def test_lmtp_is_not_spoken_with_a_client_of_smtp():
    async with visiting(Desk(), protocol="lmtp") as visitor:
        assert (await visitor.say("EHLO home.example.org")).startswith("500")
