"""A letter in SMTP: dots are doubled, one command a line, and no address or content can be read as a command."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailer.domain.delivery import Concern, RelayOutcome, Verdict
from mailer.mail.message.letter import Letter
from mailer.relay.smtp_transaction import Step, dot_stuff, envelope_commands
from tests.support.fake_relay import FakeRelay
from tests.support.relay_helpers import CONTENT, EMMA, ROSA, SENDER, connected, letter_to

LINES = st.lists(st.text(st.sampled_from("..\t aZ=-"), max_size=6), max_size=8)


def unstuffed(octets: bytes) -> bytes:
    """The receiver's half of RFC 5321 section 4.5.2, line by line."""
    lines = octets.split(b"\r\n")
    assert lines[-2:] == [b".", b""]
    assert b"." not in lines[:-2]
    return b"".join(line.removeprefix(b".") + b"\r\n" for line in lines[:-2])


@given(LINES)
def test_content_with_any_dots_is_received_unchanged(lines):
    content = b"".join(line.encode() + b"\r\n" for line in lines)

    assert unstuffed(dot_stuff(content)) == (content or b"\r\n")


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


def is_plain(content: bytes) -> bool:
    """ASCII, and each CR and LF belongs to a CRLF: octet by octet."""
    without = content.split(b"\r\n")
    return content.isascii() and not any(octet in piece for piece in without for octet in b"\r\n")


@given(st.lists(st.sampled_from([b"\r", b"\n", b"\r\n", b".", b"a", b"\x00", b"\x0b", b"\x0c", b"\x1c", b"\x85"])))
def test_no_content_with_bare_line_ends_or_8_bit_octets_is_let_through_and_no_other_held_up(pieces):
    content = b"".join(pieces)

    try:
        travels = unstuffed(dot_stuff(content))
    except ValueError:
        assert not is_plain(content)
    else:
        assert is_plain(content)
        assert travels.removesuffix(b"\r\n") == content.removesuffix(b"\r\n")


def test_a_last_line_without_an_end_is_given_one():
    assert dot_stuff(b"Subject: apples") == b"Subject: apples\r\n.\r\n"


@pytest.mark.parametrize(
    "content", [b"a\n.\r\nMAIL FROM:<>\r\n", b"a\r.\r\n", b"a\n\rb\r\n", b"\r\r\n\n", "Äpfel\r\n".encode()]
)
async def test_a_content_that_could_be_read_as_two_is_never_written(fake, connection, content):
    with pytest.raises(ValueError, match="ASCII"):
        await connection.send(letter_to(ROSA, content))

    assert connection.usable
    assert not any(line.startswith("MAIL") for _, line in fake.commands)


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


@pytest.mark.parametrize(
    ("size", "taken"), [("SIZE 1000", False), ("SIZE 0", True), ("SIZE", True), ("SIZE many", True)]
)
async def test_a_letter_longer_than_the_relay_takes_is_not_offered(size, taken):
    async with FakeRelay(offers=(size,)) as fake, connected(fake) as connection:
        outcome = await connection.send(letter_to(ROSA, CONTENT * 20))
        small = await connection.send(letter_to(ROSA))

    assert (outcome.verdict is Verdict.ACCEPTED) is taken
    if not taken:
        said = "the letter has 1,440 octets; the relay takes 1,000 at most"
        assert outcome == RelayOutcome(Verdict.REFUSED, None, said)
    assert small.verdict is Verdict.ACCEPTED
    assert [line for _, line in fake.commands].count("DATA") == 1 + taken


async def test_the_size_is_not_declared_without_the_extension():
    async with FakeRelay(offers=()) as fake, connected(fake) as connection:
        await connection.send(letter_to(ROSA))

    assert f"MAIL FROM:<{SENDER}>" in [line for _, line in fake.commands]


async def test_an_address_beyond_ascii_is_mailed_where_the_relay_can():
    async with FakeRelay(offers=("SMTPUTF8", "8BITMIME")) as fake, connected(fake) as connection:
        outcomes = [await connection.send(letter_to(address)) for address in ("jürgen@example.org", ROSA)]

    assert [outcome.verdict for outcome in outcomes] == [Verdict.ACCEPTED] * 2
    assert [letter.recipient for letter in fake.letters] == ["jürgen@example.org", ROSA]
    assert [line for _, line in fake.commands if line.startswith("MAIL")] == [
        f"MAIL FROM:<{SENDER}> SMTPUTF8",
        f"MAIL FROM:<{SENDER}>",
    ]


async def test_an_address_beyond_ascii_is_refused_in_words_where_the_relay_cannot(fake, connection):
    outcome = await connection.send(letter_to("jürgen@example.org"))

    assert outcome == RelayOutcome(
        Verdict.REFUSED, None, "the address is not ASCII, and the relay does not offer SMTPUTF8 (RFC 6531)"
    )
    assert (await connection.send(letter_to(ROSA))).verdict is Verdict.ACCEPTED
    assert [letter.recipient for letter in fake.letters] == [ROSA]


async def test_a_relay_that_offers_smtputf8_and_refuses_it_speaks_of_the_letter():
    async with FakeRelay(offers=("SMTPUTF8",)) as fake, connected(fake) as connection:
        fake.answers("mail", "550 5.6.7 non-ASCII addresses not permitted")

        outcome = await connection.send(letter_to("jürgen@example.org"))

    assert (outcome.verdict, outcome.concern) == (Verdict.REFUSED, Concern.LETTER)


async def test_the_envelope_goes_out_in_one_write_only_where_pipelining_is_offered(fake, connection):
    outcome = await connection.send(letter_to(ROSA))

    assert outcome.verdict is Verdict.ACCEPTED
    assert [line[:4] for line in fake.pipelined] == (["RCPT", "DATA"] if fake.pipelining else [])
