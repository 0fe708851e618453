"""The header section of a mail."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailer.mail.message.header_section import MAX_HEADER_OCTETS, parse_header_section


def test_the_header_section_ends_at_the_first_empty_line():
    section = parse_header_section(b"A: 1\r\nb: 2\r\n 3\r\na: 4\r\n\r\nA: 5\r\n")

    assert section.fields == (("a", "1"), ("b", "2 3"), ("a", "4"))
    assert (section.values("a"), section.is_complete, section.body_start) == (["1", "4"], True, 24)


@pytest.mark.parametrize("octets", [b"", b"\r\n", b"\n\nHello", b"\r\nA: 1"])
def test_a_header_section_may_be_empty(octets):
    section = parse_header_section(octets)

    assert (section.fields, section.octets, section.is_complete) == ((), b"", True)


def test_a_header_section_without_end_is_cut():
    section = parse_header_section(b"A: " + b"1" * MAX_HEADER_OCTETS)

    assert (len(section.octets), section.is_complete) == (MAX_HEADER_OCTETS, False)


def test_the_digest_is_that_of_the_header_section_alone():
    digest = parse_header_section(b"From: rosa@example.org\r\n\r\nHello\r\n").digest

    assert digest == hashlib.sha256(b"From: rosa@example.org").hexdigest()
    assert digest == parse_header_section(b"From: rosa@example.org\r\n\r\nGoodbye\r\n").digest
    assert digest != parse_header_section(b"From: emma@example.org\r\n\r\nHello\r\n").digest


@given(st.binary(max_size=200))
def test_no_octets_raise(octets):
    section = parse_header_section(octets)

    assert octets.startswith(section.octets)
    assert len(parse_header_section(octets).digest) == 64
