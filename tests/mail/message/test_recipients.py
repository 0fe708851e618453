"""To whom a mail says it is, and of when: whatever stands in its fields."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailer.mail.message.freshness import find_date_problem, parse_date
from mailer.mail.message.header_section import parse_header_section
from mailer.mail.message.recipients import parse_header_recipients

LEAVE = "appeals-leave@lists.example.org"
NOW = datetime(2027, 3, 1, 8, tzinfo=UTC)
SCRAPS = st.sampled_from(
    ['"', "\\", "(", ")", "<", ">", ",", ":", ";", "@", " ", "\r\n ", "=?utf-8?q?", "?=", "a", ".", "[", "é", LEAVE]
)


def named(*fields: str) -> frozenset[str]:
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
def test_whole_addresses_are_named_and_nothing_else(field, found):
    assert named(field) == found


@given(st.lists(SCRAPS | st.text(max_size=4), max_size=60).map("".join))
@settings(max_examples=150)
def test_no_field_breaks_it(text):
    assert all("@" in address or address for address in named(f"To: {text}"))


@given(st.timedeltas(min_value=timedelta(days=-30), max_value=timedelta(days=30)))
def test_three_days_back_and_one_ahead_are_of_now(ago):
    at = parse_date(format_datetime((NOW - ago).replace(microsecond=0)))

    assert at is not None
    assert (find_date_problem(at, NOW) is None) == (-timedelta(days=1) <= NOW - at <= timedelta(days=3))


@given(st.text(max_size=60) | st.lists(st.sampled_from("0123456789:+- MonJanGMT,"), max_size=40).map("".join))
def test_what_is_no_date_is_none(text):
    at = parse_date(text)

    assert at is None or at.tzinfo is not None
