"""Load settings.toml and MAILER_ variables as typed values; unknown keys are refused by name."""

from __future__ import annotations

import os
import tomllib
from pathlib import Path
from typing import Any, cast, get_args

from pydantic import Field, ValidationError, field_validator
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from mailer.errors import SettingsRefused
from mailer.settings.archive_table import ArchiveSettings
from mailer.settings.governor_table import GovernorSettings
from mailer.settings.intake_tables import HearingSettings, IntakeSettings, ShieldSettings
from mailer.settings.legacy_table import LegacySettings
from mailer.settings.mailbox_tables import MailboxSettings
from mailer.settings.provider_tables import ProviderSettings, check_unique_providers
from mailer.settings.spam_check_table import SpamCheckSettings
from mailer.settings.toml_tables import (
    DatabaseSettings,
    DkimSettings,
    DnsSettings,
    DomainSettings,
    RelaySettings,
    SendingSettings,
    Service,
    Table,
    WebSettings,
)

DEFAULT_FILE = Path("settings.toml")
_RENAMED_TABLES = {"webhook": "provider"}
"""Tables of earlier versions -> their names of today."""


class Settings(BaseSettings):
    """All settings, validated: one field for each table of settings.toml."""

    model_config = SettingsConfigDict(
        extra="forbid", frozen=True, env_prefix="MAILER_", env_nested_delimiter="__", hide_input_in_errors=True
    )

    service: Service = Service()
    database: DatabaseSettings = DatabaseSettings()
    intake: IntakeSettings = IntakeSettings()
    mailbox: tuple[MailboxSettings, ...] = ()
    hearing: HearingSettings = HearingSettings()
    shield: ShieldSettings = ShieldSettings()
    web: WebSettings = WebSettings()
    sending: SendingSettings = SendingSettings()
    governor: GovernorSettings = GovernorSettings()
    relay: tuple[RelaySettings, ...] = Field((RelaySettings(),), min_length=1)
    domain: tuple[DomainSettings, ...] = ()
    dns: DnsSettings = DnsSettings()
    dkim: tuple[DkimSettings, ...] = ()
    spam_check: SpamCheckSettings = SpamCheckSettings()
    archive: ArchiveSettings = ArchiveSettings()
    provider: tuple[ProviderSettings, ...] = ()
    legacy: tuple[LegacySettings, ...] = ()

    _unique_providers = field_validator("provider")(check_unique_providers)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The environment wins over the file, whose content comes as init arguments."""
        return env_settings, init_settings


class _SettingsWithoutEnvironment(Settings):
    """Settings that ignore environment variables."""

    @classmethod
    def settings_customise_sources(
        cls, settings_cls: type[BaseSettings], init_settings: PydanticBaseSettingsSource, *_: Any, **__: Any
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Only init arguments."""
        return (init_settings,)


def load_settings(path: Path | None = None) -> Settings:
    """Load settings from `path`, else from `settings_file()`; relative paths in it are relative to its folder.

    SettingsRefused names the file, the key and what is wrong with it.
    """
    path = path or settings_file()
    try:
        with path.open("rb") as file:
            tables = tomllib.load(file)
    except FileNotFoundError:
        raise SettingsRefused(
            f"{path}: no such file; `mailer init` writes one, or name another with MAILER_SETTINGS"
        ) from None
    except OSError as error:
        raise SettingsRefused(f"{path}: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsRefused(f"{path}: not TOML: {error}") from None
    return check_settings(tables, path)


def settings_file() -> Path:
    """The path of the settings: MAILER_SETTINGS, else settings.toml in the working directory."""
    return Path(os.environ.get("MAILER_SETTINGS", DEFAULT_FILE))


def check_settings(tables: dict[str, Any], path: Path, *, ignore_environment: bool = False) -> Settings:
    """Validate tables as if they were read from `path`, with or without MAILER_ variables. Raises SettingsRefused."""
    variables = set() if ignore_environment else {name.upper() for name in os.environ}
    for old, new in _RENAMED_TABLES.items():
        if old in tables or f"MAILER_{old.upper()}" in variables:
            raise SettingsRefused(f"{path}: {old}: this table is called {new} now: write [[{new}]] for [[{old}]]")
    try:
        settings = _SettingsWithoutEnvironment(**tables) if ignore_environment else Settings(**tables)
    except ValidationError as error:
        raise SettingsRefused(f"{path}: {_describe_errors(error)}") from None
    return _resolve_paths(settings, path.parent)


def _describe_errors(validation: ValidationError) -> str:
    problems = []
    for error in validation.errors(include_url=False):
        key = ".".join(str(part) for part in error["loc"])
        reason = error["msg"].removeprefix("Value error, ")
        problems.append(f"{key}: {'there is no such key' if error['type'] == 'extra_forbidden' else reason}")
    return "; ".join(problems)


def _resolve_paths(settings: Settings, folder: Path) -> Settings:
    """Make relative paths relative to the folder of settings.toml, so that commands work in any directory."""
    service, database = settings.service, settings.database
    service = service.model_copy(update={"secret_file": folder / service.secret_file})
    if database.url.startswith("sqlite:///"):
        file = folder / database.url.removeprefix("sqlite:///")
        database = database.model_copy(update={"url": f"sqlite:///{file}"})
    relay = tuple(
        one.model_copy(update={"password_file": folder / one.password_file}) if one.password_file else one
        for one in settings.relay
    )
    dkim = tuple(
        one.model_copy(update={"key_file": folder / one.key_file, "domain": one.domain or service.domain})
        for one in settings.dkim
    )
    mailbox = tuple(one.model_copy(update={"password_file": folder / one.password_file}) for one in settings.mailbox)
    provider = tuple(
        one.model_copy(update={"secret_file": folder / one.secret_file}) if one.secret_file else one
        for one in settings.provider
    )
    tls_files = {
        key: folder / file for key in ("tls_certificate", "tls_key") if (file := getattr(settings.intake, key))
    }
    intake = settings.intake.model_copy(update={"spool": folder / settings.intake.spool} | tls_files)
    changed = {"service": service, "database": database, "intake": intake, "relay": relay}
    return settings.model_copy(update=changed | {"dkim": dkim, "mailbox": mailbox, "provider": provider})


def default_settings_toml() -> str:
    """The settings.toml that `mailer init` writes: each key with its default and description."""
    lines = ["# Settings of this mailer. Every key stands here with its default; the environment goes before the file:"]
    lines += ["# MAILER_DATABASE__URL, MAILER_SERVICE__DOMAIN, ...; MAILER_SETTINGS names another file.", ""]
    for name, field in Settings.model_fields.items():
        table, is_array, is_optional = _table_of(field), isinstance(field.default, tuple), field.default == ()
        lines += [f"# {table.__doc__}"] if is_optional else []
        entries = [f"[[{name}]]" if is_array else f"[{name}]"]
        for key, setting in table.model_fields.items():
            entries.append(f"# {setting.description}")
            entries.append(f"{'# ' if setting.default is None else ''}{key} = {_toml_value(setting.default)}")
        lines += [f"# {line}" for line in entries] if is_optional else entries
        lines.append("")
    return "\n".join(lines)


def _table_of(field: FieldInfo) -> type[Table]:
    """The model of one table: of a field `relay: tuple[RelaySettings, ...]` RelaySettings."""
    return cast("type[Table]", next(iter(get_args(field.annotation)), field.annotation))


def _toml_value(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return str(value)
    if isinstance(value, tuple):
        return f"[{', '.join(map(_toml_value, value))}]"
    return f'"{value or ""}"'
