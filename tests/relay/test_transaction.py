"""A letter as it travels: dots doubled, one command a line, and nothing that could be read as another."""

from __future__ import annotations

import asyncio

import pytest
from fake_relay import FakeRelay
from hypothesis import given, settings
from hypothesis import strategies as st
from relay_room import CONTENT, EMMA, ROSA, SENDER, connected, letter_to

from mailer.domain.delivery import Verdict
from mailer.mail.letter import Letter
from mailer.relay.transaction import Step, envelope_commands, stuffed

LINES = st.lists(st.text(st.sampled_from("..\t aZ=-"), max_size=6), max_size=8)


def unstuffed(octets: bytes) -> bytes:
    """The receiver's half of RFC 5321 section 4.5.2, line by line."""
    lines = octets.split(b"\r\n")
    assert lines[-2:] == [b".", b""]
    assert b"." not in lines[:-2]
    return b"".join(line.removeprefix(b".") + b"\r\n" for line in lines[:-2])


@given(LINES)
def test_whatever_its_dots_a_content_comes_out_as_it_went_in(lines):
    content = b"".join(line.encode() + b"\r\n" for line in lines)

    assert unstuffed(stuffed(content)) == (content or b"\r\n")


@given(st.lists(LINES, min_size=1, max_size=5))
@settings(max_examples=30, deadline=None)
def test_letters_arrive_as_they_were_whatever_their_dots(letters):
    contents = [b"Subject: .\r\n\r\n" + b"".join(line.encode() + b"\r\n" for line in lines) for lines in letters]

    async def send():
        async with FakeRelay() as fake, connected(fake) as connection:
            for content in contents:
                await connection.send(letter_to(ROSA, content))
            return fake.letters

    assert [letter.content for letter in asyncio.run(send())] == contents


def test_a_last_line_without_an_end_is_given_one():
    assert stuffed(b"Subject: apples") == b"Subject: apples\r\n.\r\n"


@pytest.mark.parametrize(
    "content", [b"a\n.\r\nMAIL FROM:<>\r\n", b"a\r.\r\n", b"a\n\rb\r\n", b"\r\r\n\n", "Äpfel\r\n".encode()]
)
async def test_a_content_that_could_be_read_as_two_is_never_written(fake, connection, content):
    with pytest.raises(ValueError, match="ASCII"):
        await connection.send(letter_to(ROSA, content))

    assert connection.usable
    assert not any(line.startswith("MAIL") for _, line in fake.heard)


@pytest.mark.parametrize(
    "address",
    [
        "",
        "a@example.org>\r\nRCPT TO:<b@example.org",
        "a@example.org\n",
        "a a@example.org",
        "ä ä@example.org",
        "ä\u2028@example.org",
        "ä\x85@example.org",
        "<a",
        "a>",
        "a\0",
    ],
)
async def test_an_address_that_could_be_read_as_a_command_is_never_written(fake, connection, address):
    with pytest.raises(ValueError, match="SMTP command"):
        await connection.send(letter_to(address))

    assert (await connection.send(letter_to(EMMA))).verdict is Verdict.ACCEPTED
    assert [letter.recipient for letter in fake.letters] == [EMMA]


def test_a_forged_return_path_is_never_written():
    with pytest.raises(ValueError, match="SMTP command"):
        envelope_commands(Letter("a@example.org> SIZE=1", ROSA, CONTENT), size=False, reset=False)


def test_the_envelope_is_what_the_relay_offers_to_understand():
    commands = envelope_commands(letter_to(ROSA), size=False, reset=False)

    assert list(commands.values()) == [
        f"MAIL FROM:<{SENDER}>\r\n".encode(),
        f"RCPT TO:<{ROSA}>\r\n".encode(),
        b"DATA\r\n",
    ]


def test_a_letter_may_come_from_nobody():
    commands = envelope_commands(Letter("", ROSA, CONTENT), size=True, reset=True)

    assert commands[Step.RESET] == b"RSET\r\n"
    assert commands[Step.SENDER] == f"MAIL FROM:<> SIZE={len(CONTENT)}\r\n".encode()


async def test_the_envelope_goes_out_in_one_write_only_where_pipelining_is_offered(fake, connection):
    outcome = await connection.send(letter_to(ROSA))

    assert outcome.verdict is Verdict.ACCEPTED
    assert [line[:4] for line in fake.pipelined] == (["RCPT", "DATA"] if fake.pipelining else [])
