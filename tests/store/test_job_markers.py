"""A job marker is the number that its job wrote last."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import Engine

from mailer.store.job_markers import JobMarker, get_marker, set_marker

NOW = datetime(2027, 3, 1, 8, 0, tzinfo=UTC)


def test_a_marker_is_0_until_its_job_sets_it_and_no_other_job_changes_it(engine: Engine) -> None:
    with engine.begin() as tx:
        before = get_marker(tx, JobMarker.WEEKLY_REPORT)
        set_marker(tx, JobMarker.WEEKLY_REPORT, 202708, NOW)
        set_marker(tx, JobMarker.WEEKLY_REPORT, 202709, NOW)
        set_marker(tx, JobMarker.EVIDENCE_ERASED, 7, NOW)
        after = get_marker(tx, JobMarker.WEEKLY_REPORT)

    assert (before, after) == (0, 202709)
