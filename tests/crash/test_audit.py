"""The comparison itself finds what is wrong: else the crash tests would prove nothing."""

from __future__ import annotations

from tests.support.crash_audit import AcceptedLetter, audit_letters
from tests.support.crash_harness import ReportRow

ROSA, EMMA, BEA = (f"{name}@example.org" for name in ("rosa", "emma", "bea"))


def row(address: str, state: str = "accepted", attempts: int = 1) -> ReportRow:
    return ReportRow(address=address, state=state, attempts=attempts, code="250", reply="ok")


def taken(address: str, connection: int = 1, digest: str = "d") -> AcceptedLetter:
    return AcceptedLetter(address, digest, connection, 0.0)


def test_all_is_well_where_everybody_has_one_letter() -> None:
    found = audit_letters([ROSA, EMMA], [row(ROSA), row(EMMA)], [taken(ROSA), taken(EMMA)])

    assert found.broken_promises(most_repeats=0) == {}


def test_who_is_accepted_without_a_letter_or_missing_from_the_report_is_lost() -> None:
    found = audit_letters([ROSA, EMMA, BEA], [row(ROSA), row(EMMA)], [taken(ROSA)])

    assert found.lost == [EMMA, BEA]
    assert found.contradicting == [EMMA]


def test_who_still_waits_or_failed_is_accounted_for() -> None:
    found = audit_letters([ROSA, EMMA], [row(ROSA, "deferred"), row(EMMA, "failed")], [])

    assert found.broken_promises(most_repeats=0) == {}


def test_a_copy_is_a_repeat_and_may_be_the_last_letter_of_its_connection_alone() -> None:
    at_a_kill = [taken(ROSA, 1), taken(EMMA, 1), taken(EMMA, 2)]
    in_midstream = [taken(ROSA, 1), taken(EMMA, 1), taken(ROSA, 2)]
    report = [row(ROSA, attempts=2), row(EMMA, attempts=2)]

    assert audit_letters([ROSA, EMMA], report, at_a_kill).broken_promises(most_repeats=1) == {}
    assert audit_letters([ROSA, EMMA], report, at_a_kill).broken_promises(most_repeats=0).keys() == {
        "more repeats than connections and kills"
    }
    assert audit_letters([ROSA, EMMA], report, in_midstream).repeated_before_last == [ROSA]


def test_copies_that_differ_or_that_the_report_does_not_admit_are_found() -> None:
    found = audit_letters([ROSA], [row(ROSA)], [taken(ROSA, 1), taken(ROSA, 2, "other")])

    assert (found.altered, found.uncounted) == ([ROSA], [ROSA])


def test_a_letter_that_the_ledger_is_not_sure_of_may_have_come_and_one_it_calls_waiting_may_not() -> None:
    found = audit_letters([ROSA, EMMA], [row(ROSA, "uncertain"), row(EMMA, "deferred")], [taken(ROSA), taken(EMMA)])

    assert found.contradicting == [EMMA]


def test_a_letter_to_a_stranger_and_a_person_reported_twice_are_found() -> None:
    found = audit_letters([ROSA], [row(ROSA), row(ROSA)], [taken(ROSA), taken(EMMA)])

    assert found.unexpected == [EMMA, ROSA]
