"""A backup holds everything at one instant, is whole or refused, and comes back on either database, at rest."""

from __future__ import annotations

import json
import shutil
import stat
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import psycopg
import pytest
from house import ROOT
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, func, insert, select

from mailer.errors import AlreadyThere, BackupFailed, BackupRefused, DatabaseOwned, SchemaUnknown
from mailer.store.backup import Belongings, back_up
from mailer.store.columns import metadata
from mailer.store.database import is_sqlite, open_engine
from mailer.store.migration import schema_is_current
from mailer.store.restore import restore
from mailer.store.workers import owning

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
