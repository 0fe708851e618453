"""MessageStream: what is stored of a message, and where."""

from __future__ import annotations

import asyncio
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from mailer.domain.incoming_message import MAX_INLINE_OCTETS
from mailer.entrypoints.smtp import data_reader
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

HEAD = b"From: Rosa <rosa@example.org>\r\nSubject: pictures of the harvest\r\n"
LARGE = HEAD + b"\r\n" + b"a row of beans, and one of peas\r\n" * 10_000
RECEIVED = b"Received: from home.example.org by mx.example.org;\r\n Mon, 1 Mar 2027 09:00:00 +0100\r\n"


def files(folder: Path) -> list[Path]:
    return list(folder.iterdir()) if folder.exists() else []


async def sent(
    receiver: RecordingReceiver, *mails: bytes, sender: str = "rosa@example.org", to: str = JOIN, **door: object
) -> list[str]:
    """The answers after the dots."""
    async with connected_client(receiver, **door) as client:
        answers = []
        for mail in mails:
            await client.begin_mail(to, sender=sender)
            answers.append(await client.send_command(mail + b"."))
    return answers


async def test_only_a_large_message_is_stored_in_a_spool_file():
    receiver = RecordingReceiver()
    assert [answer[:3] for answer in await sent(receiver, MAIL, LARGE)] == ["250", "250"]

    small, large = receiver.messages
    assert (small.raw, small.spool_name) == (MAIL, None)
    assert large.raw == b""
    assert large.spool_name is not None
    assert [raw for _, _, raw in receiver.received] == [MAIL, LARGE]


@pytest.mark.parametrize("octets", [MAX_INLINE_OCTETS, MAX_INLINE_OCTETS + 1])
async def test_messages_around_the_inline_limit_come_whole(octets):
    receiver, mail = RecordingReceiver(), MAIL.ljust(octets - 2, b"x") + b"\r\n"

    await sent(receiver, mail)

    assert receiver.received[0][2] == mail
    assert (receiver.messages[0].spool_name is None) == (octets == MAX_INLINE_OCTETS)


@pytest.mark.parametrize("cut", ["hangs up", "too large", "header of too many octets", "the disk is full"])
async def test_the_file_of_a_refused_message_is_deleted(cut, monkeypatch):
    receiver = RecordingReceiver()
    async with open_server(receiver, most_octets=2**20) as server:
        client = await connect(server)
        await client.read_reply()
        await client.begin_mail(JOIN)
        if cut == "hangs up":
            client.writer.write(LARGE)
            await client.writer.drain()
            client.writer.write_eof()
            await client.read_to_end()
        elif cut == "too large":
            assert (await client.send_command(LARGE * 5 + b".")).startswith("552")
        elif cut == "the disk is full":
            (receiver.spool.parent / "spool").write_text("no folder")
            assert (await client.send_command(LARGE + b".")).startswith("452 4.3.1")
            receiver.spool.unlink()
        else:
            assert (await client.send_command(b"X-Beans: " + b"b" * 2**17 + b"\r\n" + LARGE + b".")).startswith("552")
        await client.disconnect()
        await server.close()
        await asyncio.get_running_loop().shutdown_default_executor()

        assert files(receiver.spool) == []
    assert receiver.received == []


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of its own, of 128 kB."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ("mount", "-t", "tmpfs", "-o", "size=128k", "spool", disk)
    if os.geteuid() != 0 or subprocess.run(mount, check=False).returncode != 0:
        pytest.skip("mounting a small disk needs root, and a kernel that lets it")
    yield disk
    subprocess.run(["umount", "--lazy", disk], check=True)


async def test_a_full_disk_is_a_452_and_leaves_no_file(small_disk):
    receiver = RecordingReceiver()

    answers = await sent(receiver, LARGE, MAIL, LARGE[: 2**16 + 100] + b"\r\n", spool=small_disk)

    assert [answer[:9] for answer in answers] == ["452 4.3.1", "250 2.0.0", "250 2.0.0"]


async def test_a_message_that_other_servers_repeat_has_the_same_digest():
    receiver = RecordingReceiver()
    again = b"Return-Path: <rosa@example.org>\r\nDelivered-To: x@example.org\r\n" + RECEIVED
    await sent(
        receiver, MAIL, RECEIVED + MAIL, again + RECEIVED + MAIL, MAIL + b"P.S. with cake\r\n", LARGE, RECEIVED + LARGE
    )
    await sent(receiver, MAIL, to=LEAVE)
    await sent(receiver, MAIL, sender="emma@example.org")

    first, second, third, other, large, large_again, left, emmas = (one.digest for one in receiver.messages)
    assert first == second == third
    assert large == large_again
    assert len({first, other, large, left, emmas}) == 5


async def test_the_message_names_client_and_helo():
    receiver = RecordingReceiver()
    await sent(receiver, MAIL)

    assert (receiver.messages[0].client, receiver.messages[0].helo) == ("127.0.0.1", "home.example.org")


@pytest.mark.parametrize(
    ("header", "answer"),
    [
        (RECEIVED * 30, "250"),
        (RECEIVED * 31, "554 5.4.6"),
        (b"list-id: Open Appeals\r\n\t<appeals.LISTS.example.org>\r\n", "554 5.4.6"),
        (b"X: 1\r\nList-ID:<appeals.lists.example.org >\r\n", "554 5.4.6"),
        (b"List-Id: <appeals.lists.example.org.example.net>\r\n", "250"),
        (b"List-Id: <appeals.otherlists.example.org>\r\n", "250"),
        (b"X-Long: " + b"x" * 2**16 + b"\r\n", "552 5.3.4"),
    ],
)
async def test_a_looping_message_and_an_endless_header_are_refused(header, answer):
    receiver = RecordingReceiver()
    answers = await sent(receiver, header + MAIL, header + LARGE, MAIL)

    assert [one[: len(answer)] for one in answers[:2]] == [answer] * 2
    assert answers[2].startswith("250")
    assert len(receiver.received) == (3 if answer == "250" else 1)


@pytest.mark.parametrize(("sender", "to", "accepted"), [("", "bounce+abc", True), ("", "appeals-join", False)])
async def test_a_bounce_is_accepted_though_it_quotes_a_list_id(sender, to, accepted, monkeypatch):
    receiver = RecordingReceiver()
    monkeypatch.setattr(receiver, "is_known_recipient", lambda _: asyncio.sleep(0, True))
    quoted = b"List-Id: <appeals.lists.example.org>\r\n"

    (answer,) = await sent(receiver, quoted + MAIL, sender=sender, to=f"{to}@{DOMAIN}")

    assert answer.startswith("250" if accepted else "554")


async def test_two_hundred_megabytes_without_a_line_end_are_cut_off(monkeypatch):
    monkeypatch.setattr(data_reader, "_OVERRUN_OCTETS", 2**17)
    receiver = RecordingReceiver()
    async with connected_client(receiver, most_octets=2**17) as client:
        await client.begin_mail(JOIN)
        for _ in range(200):
            if client.writer.is_closing():
                break
            client.writer.write(b"x" * 2**20)
            try:
                await client.writer.drain()
            except ConnectionError:
                break
        await client.read_to_end()
        assert files(receiver.spool) == []
    assert receiver.received == []
