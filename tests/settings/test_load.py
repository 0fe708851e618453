"""Loading settings.toml: defaults, paths, unknown keys, the environment."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from mailer.errors import SettingsRefused
from mailer.settings.load import Settings, check_settings, default_settings_toml, load_settings


def test_the_default_file_has_every_table_and_loads_as_the_defaults(tmp_path: Path) -> None:
    path = tmp_path / "settings.toml"
    path.write_text(default_settings_toml())

    assert load_settings(path) == check_settings({}, path)
    assert all(f"[{name}]" in path.read_text() for name in Settings.model_fields)


def test_every_default_value_is_the_models(tmp_path: Path) -> None:
    tables = tomllib.loads(default_settings_toml())

    for name, table in tables.items():
        default = Settings.model_fields[name].default
        model = default[0] if isinstance(table, list) else default
        first = table[0] if isinstance(table, list) else table
        assert {key: getattr(model, key) for key in first} == model.model_validate(first).model_dump(include=set(first))


def test_relative_paths_are_in_the_folder_of_the_settings() -> None:
    settings = check_settings({}, Path("/etc/mailer/settings.toml"))

    assert settings.service.secret_file == Path("/etc/mailer/secret")
    assert settings.database.url == "sqlite:////etc/mailer/mailer.db"
    assert settings.intake.spool == Path("/etc/mailer/spool")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[service]\ndomian = 'x'", "service.domian: there is no such key"),
        ("[servise]", "servise: there is no such key"),
        ("[service", "not TOML"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_with_its_path(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "settings.toml"
    path.write_text(text)

    with pytest.raises(SettingsRefused, match=f"{path}: {message}"):
        load_settings(path)


def test_the_environment_wins_over_the_file_unless_it_is_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAILER_SERVICE__NAME", "From the environment")
    path = Path("/etc/mailer/settings.toml")

    assert check_settings({}, path).service.name == "From the environment"
    assert check_settings({}, path, ignore_environment=True).service.name == "Open Letters"
