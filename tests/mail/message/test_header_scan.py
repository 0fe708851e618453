"""Scanning a header while it is received."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailer.mail.message.header_scan import count_received, find_header_end, find_trace_end, has_list_id_of

LINES = st.lists(
    st.sampled_from([b"Received: from a", b" by b", b"received:", b"To: x", b"List-Id: <a.b>", b"\r", b""])
)
NEWLINES = st.sampled_from([b"\r\n", b"\n", b"\r"])


@pytest.mark.parametrize(
    ("octets", "end"),
    [
        (b"A: b\r\n\r\ntext", 8),
        (b"A: b\n\ntext", 6),
        (b"A: b\n\r\ntext", 7),
        (b"A: b\r\rtext", 6),
        (b"\r\ntext", 2),
        (b"\n", 1),
        (b"A: b\r\n", None),
        (b"", None),
        (b"A: b\r\nC: d\r\n", None),
    ],
)
def test_a_header_ends_at_its_first_empty_line(octets, end):
    assert find_header_end(octets) == end


@settings(max_examples=60)
@given(st.binary(max_size=60).map(lambda some: some.translate(bytes(b"\r\nAB"[one % 4] for one in range(256)))))
def test_a_header_that_arrives_in_pieces_ends_at_the_same_place(octets):
    found = next(
        (end for size in range(len(octets) + 1) if (end := find_header_end(octets[:size], size - 1)) is not None), None
    )
    whole = find_header_end(octets)

    # A bare CR at the end of a piece may be half of a CRLF: then the end is known an octet too soon.
    assert found == whole or (found is not None and whole is not None and octets[found - 1 : found + 1] == b"\r\n")


@settings(max_examples=60)
@given(LINES, NEWLINES)
def test_no_header_raises(lines, newline):
    header = newline.join(lines)

    assert 0 <= find_trace_end(header) <= len(header)
    assert count_received(header) <= len(lines)
    assert has_list_id_of("b", header) in {True, False}


def test_only_the_leading_fields_are_trace_fields():
    way = b"Return-Path: <a@example.org>\r\nReceived: from a\r\n\tby b\r\nX-Original-To: c@example.org\r\n"

    assert find_trace_end(way + b"From: a\r\nReceived: from c\r\n\r\n") == len(way)
    assert find_trace_end(b"From: a\r\n" + way) == 0
    assert count_received(way + b"X-Received: 1\r\nRECEIVED : from c\r\n") == 2


@pytest.mark.parametrize(
    ("field", "ours"),
    [
        (b"List-Id: <seeds.lists.example.org>", True),
        (b"List-Id: seeds.lists.example.org", True),
        (b'List-Id: "<a.example.net>" <seeds.Lists.Example.Org>', True),
        (b"List-Id: <lists.example.org>", True),
        (b"List-Id: <seeds.lists.example.org.example.net>", False),
        (b"X-List-Id: <seeds.lists.example.org>", False),
        (b"Subject: List-Id: <seeds.lists.example.org>", False),
    ],
)
def test_a_letter_of_ours_is_recognised_by_its_list_id(field, ours):
    assert has_list_id_of("lists.example.org", b"From: a\r\n" + field + b"\r\n\r\n") is ours
