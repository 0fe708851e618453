"""What the checks found last: one report of all groups, and since when something fails."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from mailer.domain.health_check import CheckGroup, HealthReports, fail, ok, warn

NINE = datetime(2027, 3, 1, 9, tzinfo=UTC)
TEN = NINE + timedelta(hours=1)


def test_nothing_is_known_until_every_group_was_checked() -> None:
    reports = HealthReports()
    reports.record(CheckGroup.DATABASE, [ok("notices", "fine")], NINE)

    assert reports.latest().checked_at is None
    assert [check.check for check in reports.latest().checks] == ["notices"]


def test_a_report_is_as_old_as_its_oldest_group() -> None:
    reports = HealthReports()
    reports.record(CheckGroup.SENDING, [ok("relay", "answers")], NINE)
    reports.record(CheckGroup.DATABASE, [ok("notices", "fine")], TEN)

    assert reports.latest().checked_at == NINE
    assert reports.latest().failing == ()


def test_a_check_fails_since_it_was_first_seen_failing() -> None:
    reports = HealthReports()
    reports.record(CheckGroup.SENDING, [fail("relay", "is silent")], NINE)
    reports.record(CheckGroup.SENDING, [fail("relay", "refuses the login")], TEN)

    assert reports.latest().failing_since == {"relay": NINE}
    assert [check.message for check in reports.latest().failing] == ["refuses the login"]


def test_a_check_that_passed_in_between_fails_since_the_last_time() -> None:
    reports = HealthReports()
    reports.record(CheckGroup.SENDING, [fail("relay", "is silent")], NINE)
    reports.record(CheckGroup.SENDING, [warn("relay", "is slow")], NINE)
    reports.record(CheckGroup.SENDING, [fail("relay", "is silent")], TEN)

    assert reports.latest().failing_since == {"relay": TEN}


def test_another_group_does_not_forget_what_fails() -> None:
    reports = HealthReports()
    reports.record(CheckGroup.SENDING, [fail("relay", "is silent")], NINE)
    reports.record(CheckGroup.DATABASE, [fail("notices", "wait")], TEN)

    assert reports.latest().failing_since == {"relay": NINE, "notices": TEN}
