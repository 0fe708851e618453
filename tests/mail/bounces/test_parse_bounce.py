"""Bounces of many mail systems are parsed: kind, recipients, reason and severity."""

from __future__ import annotations

import re
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailer.domain.bounce import FeedbackKind, ParsedBounce, Severity
from mailer.mail.bounces.parse_bounce import parse_bounce

OWN = {"lists.example.org"}
SAMPLES = {file.stem: file.read_bytes() for file in sorted((Path(__file__).parent / "samples").glob("*.eml"))}
"""A short mail for each mail system and custom; its first field says what is to be read in it."""
REFUSAL_NOTICE = """From: MAILER-DAEMON@mail.example.net
Subject: Undelivered Mail Returned to Sender
Content-Type: multipart/report; report-type=delivery-status; boundary="b"

--b
Content-Type: message/delivery-status

Final-Recipient: rfc822; rosa@example.net
Action: failed
Status: {status}
Diagnostic-Code: smtp; {reply}

--b--
"""
SENDER_SIDE_PHRASES = [
    ("5.7.1", "554 5.7.1 Service unavailable; Client host [192.0.2.7] blocked using zen.spamhaus.org", "blocked"),
    ("5.7.26", "550-5.7.26 This mail is unauthenticated, which poses a security risk", "authentication"),
    ("5.7.1", "550 5.7.1 <rosa@example.net>: Relay access denied", "relay_denied"),
    ("5.7.0", "554 5.7.0 Message rejected by policy", "policy"),
    ("4.7.28", "421-4.7.28 Our system has detected an unusual rate of unsolicited mail", "rate"),
    ("5.1.8", "553 5.1.8 <ada@lists.example.org>... Domain of sender address does not exist", "sender"),
    ("5.6.0", "554 5.6.0 Message contains a virus", "content"),
    ("5.7.133", "550 5.7.133 RESOLVER.RST.SenderNotAuthenticatedForGroup", "restricted"),
    ("5.0.0", "550 rate limit exceeded, slow down", "rate"),
    ("5.0.0", "550 user unknown (in reply to MAIL FROM command)", "sender"),
    ("5.1.1", "550 5.7.1 your IP address is blacklisted by the recipient", "blocked"),
]
FRAGMENTS = [
    b"\r\n",
    b"\n\n",
    b"--b",
    b"--b--",
    b"@",
    b"<",
    b">>> DATA\n<<< 550 ",
    b"Final-Recipient: ",
    b"Status: 9.9.9\n",
]
FRAGMENTS += [
    b"\x00",
    b"\xff",
    b"message/rfc822",
    b'boundary="',
    b"base64",
    b"=\n",
    b"{",
    b"-" * 200,
    b"a" * 2000,
    b" " * 500,
]


def _describe(bounce: ParsedBounce) -> str:
    """As in the samples' first fields."""
    kind = f"{bounce.kind} {bounce.complaint or ''}".strip()
    return "; ".join((kind, *(f"{each.address} {each.severity} {each.reason}" for each in bounce.recipients)))


def _expected_result(raw: bytes) -> str:
    found = re.match(rb"X-Expected: (.*)\n", raw)
    assert found
    return found[1].decode()


@pytest.mark.parametrize("name", SAMPLES)
def test_each_sample_is_parsed_as_its_first_field_says(name: str) -> None:
    assert _describe(parse_bounce(SAMPLES[name], OWN)) == _expected_result(SAMPLES[name])


@pytest.mark.parametrize(("status", "reply", "reason"), SENDER_SIDE_PHRASES)
def test_a_refusal_of_the_sender_is_sender_side(status: str, reply: str, reason: str) -> None:
    bounce = parse_bounce(REFUSAL_NOTICE.format(status=status, reply=reply).encode(), OWN)

    assert _describe(bounce) == f"bounce; rosa@example.net sender-side {reason}"


@pytest.mark.parametrize("line_end", [b"\r\n", b"\r"])
def test_line_ends_change_nothing(line_end: bytes) -> None:
    for raw in SAMPLES.values():
        assert parse_bounce(raw.replace(b"\n", line_end), OWN) == parse_bounce(raw, OWN)


def test_our_own_addresses_are_never_recipients() -> None:
    for raw in SAMPLES.values():
        assert parse_bounce(raw, {"example.net", "example.com", "lists.example.org"}).recipients == ()


def test_a_notice_without_a_recipient_has_a_reason() -> None:
    raw = b"From: MAILER-DAEMON@example.net\nSubject: failure notice\n\nSorry, no mailbox here by that name. (#5.1.1)\n"

    bounce = parse_bounce(raw, OWN)

    assert (bounce.kind, bounce.recipients) == (FeedbackKind.BOUNCE, ())
    assert bounce.unnamed is not None
    assert bounce.unnamed.severity is Severity.HARD


TEN_TIMES = 10
"""What is meant takes a tenth of what decides: a busy machine must not, only what grows without bounds."""


@settings(max_examples=100, deadline=None)
@given(
    st.sampled_from(sorted(SAMPLES)),
    st.lists(st.tuples(st.floats(0, 1), st.integers(0, 40), st.sampled_from(FRAGMENTS)), max_size=8),
)
def test_no_damage_stops_or_slows_the_parser(name: str, damages: list[tuple[float, int, bytes]]) -> None:
    raw = SAMPLES[name]
    for where, length, scrap in damages:
        at = int(where * len(raw))
        raw = raw[:at] + scrap + raw[at + length :]
    began = time.thread_time()

    bounce = parse_bounce(raw, OWN)

    assert time.thread_time() - began < TEN_TIMES * 0.1
    assert all("@" in each.address and len(each.diagnostic) <= 1000 for each in bounce.recipients)


@pytest.mark.parametrize(
    "scrap", [*FRAGMENTS, b"<a@b", b"a@", b"550 ", b"\n>", b"|-", b"\n--b\n", b"is not ", b"user "]
)
def test_a_megabyte_of_anything_is_parsed_in_time(scrap: bytes) -> None:
    raw = SAMPLES["qmail"] + scrap * (2**20 // len(scrap))
    began = time.thread_time()

    parse_bounce(raw, OWN)

    assert time.thread_time() - began < TEN_TIMES * 0.5


@given(st.binary(max_size=2000))
def test_any_octets_are_parsed(raw: bytes) -> None:
    assert parse_bounce(raw).kind in FeedbackKind
