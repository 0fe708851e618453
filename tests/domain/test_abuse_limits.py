"""Abuse limits as arithmetic."""

from __future__ import annotations

import ipaddress
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailer.domain.abuse_limits import (
    DAY,
    HOUR,
    CounterKind,
    has_collapsed,
    letter_limits,
    response_window,
    source_network,
)
from mailer.domain.address import Address
from mailer.settings.intake_tables import ShieldSettings
from tests.support.counter_model import count_in_window

NOW = datetime(2027, 3, 1, 8, 0, tzinfo=UTC)
SHIELD = ShieldSettings()
words = st.text("abcdefghijklmnopqrstuvwxyz0123456789.-", min_size=1, max_size=12)
waits = st.lists(st.integers(0, 40), max_size=40)


@given(waits)
@settings(max_examples=60)
def test_a_window_begins_with_the_first_event_and_counts_all_events_in_it(minutes: list[int]) -> None:
    moments = [NOW + timedelta(minutes=sum(minutes[:number])) for number in range(len(minutes) + 1)]
    since, count, begins = None, 0, []

    for moment in moments:
        since, count = count_in_window(since, count, moment, HOUR)
        begins += [since] if count == 1 else []

    assert all(later - earlier >= HOUR for earlier, later in pairwise(begins))
    assert all(any(begin <= moment < begin + HOUR for begin in begins) for moment in moments)


@given(st.integers(0, 2**128 - 1), st.integers(0, 2**64 - 1), st.integers(0, 2**32 - 1))
@settings(max_examples=60)
def test_a_source_is_counted_by_its_ipv4_address_or_its_ipv6_64(six: int, host: int, four: int) -> None:
    one, neighbour = ipaddress.IPv6Address(six), ipaddress.IPv6Address(six >> 64 << 64 | host)
    old = ipaddress.IPv4Address(four)

    if one.ipv4_mapped is None and neighbour.ipv4_mapped is None:
        assert source_network(str(one)) == source_network(str(neighbour)) or one.is_loopback or neighbour.is_loopback
        assert one.is_loopback or one in ipaddress.ip_network(source_network(str(one)) or "")
    assert source_network(str(old)) == source_network(f"::ffff:{old}") == (None if old.is_loopback else str(old))


@pytest.mark.parametrize(
    ("text", "counted_by"),
    [("unknown", "unknown"), ("fe80::1%eth0", "fe80::/64"), ("300.1.1.1", "300.1.1.1")],
)
def test_a_source_that_is_no_ip_address_is_counted_as_it_is(text: str, counted_by: str) -> None:
    assert source_network(text) == counted_by


@pytest.mark.parametrize("text", [None, "", "127.0.0.1", "::1", "::ffff:127.0.0.1"])
def test_loopback_and_unknown_sources_are_not_counted(text: str | None) -> None:
    assert source_network(text) is None


@given(words, words, st.booleans())
@settings(max_examples=60)
def test_plus_tags_and_dots_at_gmail_do_not_make_another_mailbox(name: str, tag: str, dotted: bool) -> None:
    plain = name.replace(".", "")
    if not plain:
        return
    spelled = ".".join(plain) if dotted else plain

    assert Address(f"{plain}+{tag}@example.org").mailbox_key == Address(f"{plain}@example.org").mailbox_key
    assert Address(f"{spelled}+{tag}@gmail.com").mailbox_key == Address(f"{plain}@gmail.com").mailbox_key


@pytest.mark.parametrize("list_name", ["appeals", None])
def test_limits_of_an_unauthenticated_request_are_mailbox_domain_and_list_and_of_an_authenticated_one_sender_and_domain(
    list_name: str | None,
) -> None:
    def kinds(**more: bool) -> list[CounterKind]:
        given = {"mailbox": "m", "domain": "example.org", "list_name": list_name, "authenticated": False} | more
        return [limit.kind for limit in letter_limits(SHIELD, **given)]  # type: ignore[arg-type]

    of_list = [CounterKind.LIST] if list_name else []
    assert kinds() == [CounterKind.MAILBOX, CounterKind.DOMAIN, *of_list]
    assert kinds(resend=True) == [CounterKind.DOMAIN, *of_list]
    assert kinds(authenticated=True) == [CounterKind.AUTHENTICATED, CounterKind.AUTHENTICATED_DOMAIN]
    first = letter_limits(SHIELD, mailbox="m", domain="example.org", list_name=None, authenticated=False)[0]
    assert (first.maximum, first.window) == (1, DAY)


@given(st.integers(0, 500), st.integers(0, 500))
@settings(max_examples=100)
def test_confirmations_collapse_below_the_ratio_and_only_after_enough_requests(asked: int, confirmed: int) -> None:
    collapsed = has_collapsed(SHIELD, asked=asked, confirmed=confirmed)

    assert not (collapsed and asked < SHIELD.collapse_after)
    assert not (collapsed and confirmed >= asked * SHIELD.collapse_ratio)
    assert collapsed or asked < SHIELD.collapse_after or confirmed >= asked * SHIELD.collapse_ratio
    assert not (not collapsed and asked >= SHIELD.collapse_after) or not has_collapsed(
        SHIELD, asked=asked, confirmed=confirmed + 1
    )


def test_the_response_window_leaves_out_the_last_hour_and_what_was_before_the_last_throttling() -> None:
    quiet = NOW - timedelta(hours=3)

    assert response_window(None, NOW) == (NOW - timedelta(days=7), NOW - HOUR)
    assert response_window(quiet, NOW) == (quiet, NOW - HOUR)
    assert response_window(NOW - timedelta(days=30), NOW) == (NOW - timedelta(days=7), NOW - HOUR)
