"""Suppressions of an import are its own as long as nobody else causes them, too."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import Connection, Engine, select

from mailer.domain.suppression import EVERY_LIST, SuppressionReason
from mailer.store import suppressions
from mailer.store.imports.import_suppressions import ImportedSuppression, add_imported
from mailer.store.people_tables import suppression
from tests.support.queue_helpers import NOW

LEFT, PAUSED = SuppressionReason.LEFT, SuppressionReason.PAUSED
DAY = timedelta(days=1)


def imported(key: str, reason: SuppressionReason = LEFT, **values: object) -> ImportedSuppression:
    return ImportedSuppression(
        suppression_key=key,
        mailing_list_id=EVERY_LIST,
        reason=reason,
        created_at=NOW - DAY,
        **values,  # type: ignore[arg-type]
    )


def owners(tx: Connection) -> dict[str, int | None]:
    found = tx.execute(select(suppression.c.suppression_key, suppression.c.import_run_id))
    return {row.suppression_key: row.import_run_id for row in found}


def test_who_causes_a_suppression_of_an_import_too_makes_it_stay(engine: Engine) -> None:
    with engine.begin() as tx:
        suppressions.add(tx, "here before", EVERY_LIST, LEFT, NOW)

        new = add_imported(tx, 1, [imported(one) for one in ("here before", "here later", "twice", "once")])
        again = add_imported(tx, 1, [imported("once")])
        add_imported(tx, 2, [imported("twice")])
        answers = [suppressions.add(tx, one, EVERY_LIST, LEFT, NOW) for one in ("here later", "here later")]
        found = owners(tx)

    assert (new, again) == ({"here later", "twice", "once"}, set())
    assert answers == [True, False]
    assert found == {"here before": None, "here later": None, "twice": None, "once": 1}


def test_of_two_pauses_the_longer_one_stands(engine: Engine) -> None:
    untils = {"longer": NOW + DAY, "shorter": NOW + DAY, "open": None, "opened": NOW + DAY}
    seconds = {"longer": NOW + 2 * DAY, "shorter": NOW, "open": NOW, "opened": None}
    with engine.begin() as tx:
        for number, run in enumerate((untils, seconds)):
            add_imported(tx, number, [imported(key, PAUSED, until=until) for key, until in run.items()])

        found = {row.suppression_key: row.until for row in tx.execute(select(suppression))}

    assert found == {"longer": NOW + 2 * DAY, "shorter": NOW + DAY, "open": None, "opened": None}
