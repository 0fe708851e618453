"""A backup holds everything at one instant, is whole or refused, and comes back on either database, at rest."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from house import ROOT

from mailer.store.backup import Belongings, back_up
from mailer.store.restore import restore

MIGRATIONS = ROOT / "migrations"
NOW = datetime(2027, 3, 1, 8, 0, tzinfo=UTC)


@pytest.fixture
def belongings(tmp_path: Path) -> Belongings:
    found = Belongings(spool=tmp_path / "spool", secret_file=tmp_path / "secret")
    found.spool.mkdir()
    found.secret_file.write_text("pepper:...")
    return found


def test_try(database_url: str, belongings: Belongings, tmp_path: Path) -> None:
    print(back_up(database_url, belongings, MIGRATIONS, tmp_path / "b.zip", NOW))
    print(restore(database_url, belongings, MIGRATIONS, tmp_path / "b.zip", NOW))
