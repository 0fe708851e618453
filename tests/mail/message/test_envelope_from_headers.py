"""The envelope of a mail in a mailbox, reconstructed from its header."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailer.mail.message.envelope_from_headers import parse_delivered_envelope

OURS = "lists.example.org"
JOIN = f"appeals-join@{OURS}"


def read(*fields: str) -> tuple[str, tuple[str, ...]]:
    found = parse_delivered_envelope(("\r\n".join([*fields, "", "To: appeals-leave@lists.example.org"])).encode(), OURS)
    return found.sender, found.recipients


@pytest.mark.parametrize(
    ("fields", "sender"),
    [
        (["Return-Path: <rosa@example.org>"], "rosa@example.org"),
        (["Return-Path: rosa@example.org", "Return-Path: <mallory@example.org>"], "rosa@example.org"),
        (["Return-Path: <>", "From: rosa@example.org"], ""),
        (["From: Rosa <rosa@example.org>"], "rosa@example.org"),
        (["Return-Path: whatever", "From: rosa@example.org"], "rosa@example.org"),
        (["From: rosa@example.org, emma@example.org"], ""),
        ([], ""),
    ],
)
def test_the_sender_is_the_return_path_or_else_the_sole_author(fields, sender):
    assert read(*fields)[0] == sender


@pytest.mark.parametrize("name", ["Delivered-To", "X-Original-To", "Envelope-To", "X-Envelope-To", "To", "Cc"])
def test_recipients_are_read_from_every_field_that_names_one(name):
    assert read(f"{name}: Rosa <rosa@example.org>, <Appeals+Join@Lists.Example.Org>") == ("", (f"appeals+join@{OURS}",))


def test_each_recipient_is_listed_once_with_its_detail():
    fields = [f"Delivered-To: {JOIN}", f"To: Ada <ADA@example.org>,\r\n Appeals <{JOIN}>", f"Cc: bounce+2a@{OURS}"]

    assert read(*fields)[1] == (JOIN, f"bounce+2a@{OURS}")


@pytest.mark.parametrize(
    "value",
    [
        f'"{JOIN}" <ada@example.org>',
        f"Ada ({JOIN}) <ada@example.org>",
        f"{JOIN}.net",
        f"{JOIN}@example.net",
        f"@example.net@{JOIN}",
        "appeals-join@elsewhere.lists.example.org",
        f"{'a' * 65}@{OURS}",
    ],
)
def test_a_display_name_that_looks_like_an_address_is_no_recipient(value):
    assert read(f"To: {value}")[1] == ()


@settings(max_examples=60)
@given(st.binary(max_size=300))
def test_no_octets_raise(octets):
    assert len(parse_delivered_envelope(b"To: " + octets, OURS).recipients) <= 100


@pytest.mark.parametrize("piece", ['"', "(", "a", "a@", f"{JOIN},", "<", '\\"'])
def test_a_header_full_of_one_thing_is_read_quickly(piece):
    assert len(read("To: " + piece * (60_000 // len(piece)))[1]) <= 1
