"""Checks of who can read the service's files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from mailer.actions.maintenance.check_file_permissions import check_files
from mailer.domain.health_check import HealthCheck
from mailer.settings.load import check_settings


def found(folder: Path, **tables: Any) -> dict[str, HealthCheck]:
    settings = check_settings({"relay": ({"password_file": "relay-password"},)} | tables, folder / "settings.toml")
    return {one.check: one for one in check_files(settings, folder / "settings.toml")}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "spool").mkdir(mode=0o700)
    for name in ("mailer.db", "mailer.db-wal", "spool/a.mail", "relay-password", "settings.toml"):
        (tmp_path / name).touch(mode=0o600)
    tmp_path.chmod(0o700)
    return tmp_path


def test_private_files_pass_and_the_mode_of_the_folder_is_shown(folder):
    checks = found(folder)

    assert {one.status.value for one in checks.values()} == {"ok"}
    assert "0700" in checks["folder"].message


@pytest.mark.parametrize("name", ["mailer.db", "mailer.db-wal", "spool", "spool/a.mail", "relay-password"])
def test_a_file_that_others_can_read_is_named_with_the_remedy(folder, name):
    (folder / name).chmod(0o755 if name == "spool" else 0o644)

    checks = found(folder)["files"]

    assert checks.status.value == "warn"
    assert str(folder / name) in checks.message
    assert checks.remedy == f"chmod go= {folder / name}"


@pytest.mark.parametrize(("mode", "health"), [(0o755, "ok"), (0o750, "ok"), (0o775, "warn"), (0o757, "warn")])
def test_a_folder_that_others_can_write_into_is_reported(folder, mode, health):
    folder.chmod(mode)

    checks = found(folder)["folder"]

    assert checks.status.value == health
    assert f"{mode:04o}" in checks.message


def test_settings_with_a_database_password_must_be_private(folder):
    (folder / "settings.toml").chmod(0o644)

    with_password = found(folder, database={"url": "postgresql://mailer:hush@db.example.org/mailer"})["files"]

    assert str(folder / "settings.toml") in with_password.message
    assert found(folder)["files"].status.value == "ok"
