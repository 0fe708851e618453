"""A mail that is parsed once."""

from __future__ import annotations

import pytest

from mailer.mail.message.parsed_message import ParsedMessage


@pytest.mark.parametrize("end", ["\r\n", "\n", "\r"])
def test_the_root_is_read_whatever_the_line_ends_are(end):
    message = ParsedMessage(end.join(["Subject: harvest", "To: a@example.org", "", "Hello"]).encode())

    assert message.root.fields == {"subject": "harvest", "to": "a@example.org"}
    assert message.root.body == b"Hello"


def test_a_repeated_field_is_in_the_header_each_time_and_in_the_root_once():
    message = ParsedMessage(b"Received: one\r\nReceived: two\r\n\r\n")

    assert message.header.values("received") == ["one", "two"]
    assert message.root.fields["received"] == "one"


def test_a_body_after_a_header_that_is_too_long_is_read():
    message = ParsedMessage(b"Subject: x\r\n" + b"X: y\r\n" * 20_000 + b"\r\nHello")

    assert (message.header.is_complete, message.root.body) == (False, b"Hello")


def test_each_view_is_made_once():
    message = ParsedMessage(b"Subject: x\r\n\r\n")

    assert message.root is message.root
    assert message.header is message.header
