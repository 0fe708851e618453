"""The addresses in From, To and Cc."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailer.mail.inbound.parse_mail import parse_inbound_mail
from mailer.mail.message.address_fields import find_sole_author, parse_header_recipients
from mailer.mail.message.header_section import parse_header_section
from mailer.mail.message.parsed_message import ParsedMessage

LEAVE = "appeals-leave@lists.example.org"
SCRAPS = st.sampled_from(
    ['"', "\\", "(", ")", "<", ">", ",", ":", ";", "@", " ", "\r\n ", "=?utf-8?q?", "?=", "a", ".", "[", "é", LEAVE]
)


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
def test_a_single_plain_address_is_the_author(value):
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
def test_a_malformed_field_has_no_author(value):
    assert author(f"From: {value}") is None


def test_two_from_fields_have_no_author():
    assert author("From: rosa@example.org", "Subject: x", "FROM : mallory@example.com") is None
    assert author("Subject: x") is None


@given(st.text(st.sampled_from('ab@.<>()"\\,;: é'), max_size=40) | st.text(max_size=40))
def test_the_sole_author_is_the_sender_that_the_service_replies_to(text):
    mail = b"From: rosa" + text.encode(errors="replace") + b"@example.org>\r\n\r\n"
    for octets in (mail, mail.replace(b"From: rosa", b"From: ")):
        if (found := find_sole_author(parse_header_section(octets))) is not None:
            assert parse_inbound_mail(ParsedMessage(octets), "").sender == found


def recipients(*fields: str) -> frozenset[str]:
    return parse_header_recipients(parse_header_section("\r\n".join([*fields, "", ""]).encode()))


@pytest.mark.parametrize(
    ("field", "found"),
    [
        (f"To: {LEAVE}", {LEAVE}),
        (f"CC: <{LEAVE.upper()}>", {LEAVE}),
        (f"To: all: {LEAVE}, a@example.org;, b@example.org", {LEAVE, "a@example.org", "b@example.org"}),
        (f"To: Open Appeals e.V. <{LEAVE}> (please)", {LEAVE}),
        (f'To: "x, y@example.org" <{LEAVE}>,\r\n\tJörg <j@example.org>', {LEAVE, "j@example.org"}),
        (f"To: {LEAVE}.evil.example", {f"{LEAVE}.evil.example"}),
        (f'To: "{LEAVE}" <x@evil.example>', {"x@evil.example"}),
        (f'To: "{LEAVE}"@evil.example', {f'"{LEAVE}"@evil.example'}),
        (f"To: x@evil.example ({LEAVE})", {"x@evil.example"}),
        (f"To: {LEAVE} <x@evil.example>", set()),
        (f"To: x@evil.example {LEAVE}", set()),
        ("To: =?utf-8?q?appeals-leave?=@lists.example.org", set()),
        (f"Resent-To: {LEAVE}", set()),
        ("To: undisclosed-recipients:;", set()),
        ("To: " + ", ".join([LEAVE] * 200), set()),
    ],
)
def test_only_whole_addresses_in_to_and_cc_are_recipients(field, found):
    assert recipients(field) == found


@given(st.lists(SCRAPS | st.text(max_size=4), max_size=60).map("".join))
@settings(max_examples=150)
def test_no_recipient_field_raises(text):
    assert all("@" in address or address for address in recipients(f"To: {text}"))
