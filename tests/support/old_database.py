"""A SQLite ledger as version 0.1.0 left it when it was killed in mid-blast: schema 0001, which never changes again."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from mailer.domain.keyring import parse_keyring
from mailer.store.database import open_engine
from mailer.store.migration import upgrade
from tests.support.crash_harness import LETTER, ROOT

_AN_HOUR_AGO = (datetime.now(UTC) - timedelta(hours=1)).strftime("%Y-%m-%d %H:%M:%S.%f")
CAMPAIGN = 1


def write_old_database(folder: Path, people: Sequence[str], states: Sequence[str]) -> None:
    """Write `folder`/mailer.db: one list, one campaign being sent, the n-th letter in the n-th state."""
    engine = open_engine(f"sqlite:///{folder / 'mailer.db'}", foreign_keys=False)
    with engine.begin() as connection:
        upgrade(connection, ROOT / "migrations", "0001")
    engine.dispose()
    keyring = parse_keyring((folder / "secret").read_text())
    with sqlite3.connect(folder / "mailer.db") as ledger:
        _write_list_and_campaign(ledger, len(people))
        for number, (address, state) in enumerate(zip(people, states, strict=True), 1):
            key = keyring.suppression_key(address)
            values = (number, address, address, address, key, "Friend", "en", None, _AN_HOUR_AGO)
            ledger.execute("INSERT INTO subscriber VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", values)
            ledger.execute(
                "INSERT INTO subscription (id, mailing_list_id, subscriber_id, state, attributes, created_at,"
                " changed_at) VALUES (?, 1, ?, 'confirmed', '{}', ?, ?)",
                (number, number, _AN_HOUR_AGO, _AN_HOUR_AGO),
            )
            _write_delivery(ledger, number, address, key, state)
    ledger.close()


def _write_list_and_campaign(ledger: sqlite3.Connection, audience: int) -> None:
    ledger.execute(
        "INSERT INTO mailing_list VALUES (1, 'appeals', 'Open Appeals', '', 'en', 'ada@example.net', ?)",
        (_AN_HOUR_AGO,),
    )
    ledger.execute("INSERT INTO worker VALUES (1, 'campaigns', ?)", (_AN_HOUR_AGO,))
    ledger.execute(
        "INSERT INTO campaign (id, mailing_list_id, state, subject, local_time, zone, scheduled_at, launched_at,"
        " launch_cursor, launch_ceiling, audience, created_at)"
        " VALUES (?, 1, 'sending', 'Seeds are in', '2026-03-01T08:00:00', 'UTC', ?, ?, ?, ?, ?, ?)",
        (CAMPAIGN, _AN_HOUR_AGO, _AN_HOUR_AGO, audience, audience, audience, _AN_HOUR_AGO),
    )
    ledger.execute("INSERT INTO edition VALUES (1, ?, 'en', 1)", (CAMPAIGN,))
    ledger.execute("INSERT INTO revision VALUES (1, 1, ?, ?)", (LETTER, _AN_HOUR_AGO))


def _write_delivery(ledger: sqlite3.Connection, number: int, address: str, key: str, state: str) -> None:
    tried = state in {"accepted", "failed", "deferred", "handed"}
    answered = state in {"accepted", "failed", "deferred"}
    code = {"accepted": 250, "failed": 550, "deferred": 451}.get(state)
    ledger.execute(
        "INSERT INTO delivery (id, campaign_id, kind, mailing_list_id, subscriber_id, subscription_id, revision_id,"
        ' address, suppression_key, name, language, "values", state, due_at, queued_at, attempts, worker_id, dated_at,'
        " answered_at, code, reply) VALUES (?, ?, 'campaign', 1, ?, ?, 1, ?, ?, 'Friend', 'en', '{}', ?, ?, ?, ?, ?, ?,"
        " ?, ?, ?)",
        (
            *(number, CAMPAIGN, number, number, address, key, state, _AN_HOUR_AGO, _AN_HOUR_AGO, int(tried)),
            1 if state in {"claimed", "handed"} else None,
            _AN_HOUR_AGO if tried and state != "deferred" else None,
            _AN_HOUR_AGO if answered else None,
            *(code, "as it was" if answered else None),
        ),
    )
