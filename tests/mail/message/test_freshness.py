"""Whether a mail was written recently."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

from hypothesis import given
from hypothesis import strategies as st

from mailer.mail.message.freshness import find_date_problem, parse_date

NOW = datetime(2027, 3, 1, 8, tzinfo=UTC)


@given(st.timedeltas(min_value=timedelta(days=-30), max_value=timedelta(days=30)))
def test_a_mail_may_be_three_days_old_or_a_day_ahead(ago):
    at = parse_date(format_datetime((NOW - ago).replace(microsecond=0)))

    assert at is not None
    assert (find_date_problem(at, NOW) is None) == (-timedelta(days=1) <= NOW - at <= timedelta(days=3))


@given(st.text(max_size=60) | st.lists(st.sampled_from("0123456789:+- MonJanGMT,"), max_size=40).map("".join))
def test_a_malformed_date_is_none(text):
    at = parse_date(text)

    assert at is None or at.tzinfo is not None
