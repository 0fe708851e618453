"""Replies of other mail systems, quoted in a letter."""

from __future__ import annotations

import pytest

from mailer.mail.compose.sanitize_reply import MOST_CHARACTERS, sanitize_reply


@pytest.mark.parametrize(
    ("reply", "quoted"),
    [
        ("550 5.1.1\r\n no such user", "550 5.1.1 no such user"),
        ("<rosa@example.com>: unknown", "<…>: unknown"),
        ("see https://example.net/why", "see https: //example.net/why"),
    ],
)
def test_a_reply_is_one_line_without_addresses_and_links(reply, quoted):
    assert sanitize_reply(reply) == quoted


def test_a_long_reply_is_cut():
    quoted = sanitize_reply("word " * 10_000)

    assert len(quoted) == MOST_CHARACTERS
    assert quoted.endswith("…")
