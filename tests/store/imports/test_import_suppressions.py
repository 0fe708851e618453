"""Suppressions of an import are its own as long as nobody else causes them, too; the longer pause stands."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Connection, Engine, insert, select

from mailer.domain.suppression import EVERY_LIST, SuppressionReason
from mailer.store import suppressions
from mailer.store.imports.import_suppressions import extend_pauses
from mailer.store.people_tables import suppression
from tests.support.queue_helpers import NOW

LEFT, PAUSED = SuppressionReason.LEFT, SuppressionReason.PAUSED
DAY = timedelta(days=1)


def add_imported(tx: Connection, key: str, reason: SuppressionReason = LEFT, until: datetime | None = None) -> None:
    values = {"suppression_key": key, "mailing_list_id": EVERY_LIST, "reason": reason, "until": until}
    tx.execute(insert(suppression).values(created_at=NOW - DAY, import_run_id=1, **values))


def test_who_causes_a_suppression_of_an_import_too_makes_it_stay(engine: Engine) -> None:
    with engine.begin() as tx:
        suppressions.add(tx, "here before", EVERY_LIST, LEFT, NOW)
        add_imported(tx, "here later")
        add_imported(tx, "once")

        answers = [suppressions.add(tx, one, EVERY_LIST, LEFT, NOW) for one in ("here later", "here later")]
        found = tx.execute(select(suppression.c.suppression_key, suppression.c.import_run_id))

        assert answers == [True, False]
        assert {row.suppression_key: row.import_run_id for row in found} == {
            "here before": None,
            "here later": None,
            "once": 1,
        }


def test_of_two_pauses_the_longer_one_stands(engine: Engine) -> None:
    untils = {"longer": NOW + DAY, "shorter": NOW + DAY, "open": None, "opened": NOW + DAY}
    seconds = {"longer": NOW + 2 * DAY, "shorter": NOW, "open": NOW, "opened": None, "unknown": None}
    with engine.begin() as tx:
        for key, until in untils.items():
            add_imported(tx, key, PAUSED, until)

        extend_pauses(tx, [(key, EVERY_LIST, until) for key, until in seconds.items()])
        extend_pauses(tx, [("longer", 7, None)])

        found = {row.suppression_key: row.until for row in tx.execute(select(suppression))}

    assert found == {"longer": NOW + 2 * DAY, "shorter": NOW + DAY, "open": None, "opened": None}
