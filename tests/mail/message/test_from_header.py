"""Whom a mail names as its author, and the header section it is read from."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailer.mail.inbound.parse_mail import parse_inbound_mail
from mailer.mail.message.from_header import find_sole_author
from mailer.mail.message.header_section import MAX_HEADER_OCTETS, parse_header_section
from mailer.mail.message.parsed_message import ParsedMessage


def author(*fields: str) -> str | None:
    found = find_sole_author(parse_header_section("\r\n".join([*fields, "", "Hello"]).encode()))
    return found and found.addr_spec


@pytest.mark.parametrize(
    "value",
    [
        "rosa@example.org",
        "<rosa@example.org>",
        "Rosa <rosa@Example.org>",
        '"Rosa, of the <harvest>" <rosa@example.org>',
        "=?utf-8?q?R=C3=B6sa?= <rosa@example.org>",
        "Rösa <rosa@example.org>",
        "rosa@example.org (Rosa)",
        "Rosa\r\n <rosa@example.org>",
        "mallory@example.com <rosa@example.org>",
    ],
)
def test_one_plain_address_is_the_authors(value):
    assert author(f"From: {value}") == "rosa@example.org"


@pytest.mark.parametrize(
    "value",
    [
        "rosa@example.org, mallory@example.com",
        "Rosa <rosa@example.org>, Mallory <mallory@example.com>",
        "<mallory@example.com> <rosa@example.org>",
        "friends: rosa@example.org;",
        "Rosa, Emma <rosa@example.org>",
        "rosa@example.org mallory@example.com",
        "(<mallory@example.com>) <rosa@example.org>",
        "rosa@example.org (mallory@example.com)",
        "Rosa",
        "rosa@org",
        "",
        "x" * 1000 + "<rosa@example.org>",
    ],
)
def test_whatever_is_odd_is_nobodys(value):
    assert author(f"From: {value}") is None


def test_two_from_fields_are_one_too_many():
    assert author("From: rosa@example.org", "Subject: x", "FROM : mallory@example.com") is None
    assert author("Subject: x") is None


@given(st.text(st.sampled_from('ab@.<>()"\\,;: é'), max_size=40) | st.text(max_size=40))
def test_whom_it_names_is_whom_the_service_answers(text):
    mail = b"From: rosa" + text.encode(errors="replace") + b"@example.org>\r\n\r\n"
    for octets in (mail, mail.replace(b"From: rosa", b"From: ")):
        if (found := find_sole_author(parse_header_section(octets))) is not None:
            assert parse_inbound_mail(ParsedMessage(octets), "").sender == found


def test_the_header_section_ends_at_the_first_empty_line():
    section = parse_header_section(b"A: 1\r\nb: 2\r\n 3\r\na: 4\r\n\r\nA: 5\r\n")

    assert section.fields == (("a", "1"), ("b", "2 3"), ("a", "4"))
    assert (section.values("a"), section.is_complete, section.body_start) == (["1", "4"], True, 24)


@pytest.mark.parametrize("octets", [b"", b"\r\n", b"\n\nHello", b"\r\nA: 1"])
def test_a_mail_may_have_none(octets):
    section = parse_header_section(octets)

    assert (section.fields, section.octets, section.is_complete) == ((), b"", True)


def test_one_without_end_is_cut():
    section = parse_header_section(b"A: " + b"1" * MAX_HEADER_OCTETS)

    assert (len(section.octets), section.is_complete) == (MAX_HEADER_OCTETS, False)


def test_the_digest_is_that_of_the_header_section_alone():
    digest = parse_header_section(b"From: rosa@example.org\r\n\r\nHello\r\n").digest

    assert digest == hashlib.sha256(b"From: rosa@example.org").hexdigest()
    assert digest == parse_header_section(b"From: rosa@example.org\r\n\r\nGoodbye\r\n").digest
    assert digest != parse_header_section(b"From: emma@example.org\r\n\r\nHello\r\n").digest


@given(st.binary(max_size=200))
def test_no_octets_break_it(octets):
    section = parse_header_section(octets)

    assert octets.startswith(section.octets)
    assert len(parse_header_section(octets).digest) == 64
