"""settings.toml and MAILER_ variables as typed values; a key we do not know is refused by name."""

from __future__ import annotations

import os
import tomllib
from pathlib import Path
from typing import Any, ClassVar

from pydantic import Field, ValidationError, field_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from mailer.errors import SettingsRefused
from mailer.settings.governor_table import GovernorSettings
from mailer.settings.intake_tables import HearingSettings, IntakeSettings, ShieldSettings
from mailer.settings.mailbox_tables import MailboxSettings
from mailer.settings.provider_tables import ProviderSettings, check_unique_providers
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
    """All settings, checked."""

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
    provider: tuple[ProviderSettings, ...] = ()

    tables: ClassVar[dict[str, type[Table]]] = {
        "service": Service,
        "database": DatabaseSettings,
        "intake": IntakeSettings,
        "mailbox": MailboxSettings,
        "hearing": HearingSettings,
        "shield": ShieldSettings,
        "web": WebSettings,
        "sending": SendingSettings,
        "governor": GovernorSettings,
        "relay": RelaySettings,
        "domain": DomainSettings,
        "dns": DnsSettings,
        "dkim": DkimSettings,
        "provider": ProviderSettings,
    }

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
        """The environment goes before the file (which comes in as init arguments)."""
        return env_settings, init_settings


class _SettingsWithoutEnvironment(Settings):
    """Settings that no environment changes."""

    @classmethod
    def settings_customise_sources(
        cls, settings_cls: type[BaseSettings], init_settings: PydanticBaseSettingsSource, *_: Any, **__: Any
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """What was given."""
        return (init_settings,)


def load_settings(path: Path | None = None) -> Settings:
    """Read `path`, or MAILER_SETTINGS, or settings.toml here; relative paths in it are beside it.

    SettingsRefused names the file, the key and what is wrong with it.
    """
    path = path or settings_file()
    try:
        with path.open("rb") as file:
            given = tomllib.load(file)
    except FileNotFoundError:
        raise SettingsRefused(f"{path}: no such file; `mailer init` writes one") from None
    except OSError as trouble:
        raise SettingsRefused(f"{path}: {trouble.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as trouble:
        raise SettingsRefused(f"{path}: not TOML: {trouble}") from None
    return check_settings(given, path)


def settings_file() -> Path:
    """Where the settings are: MAILER_SETTINGS, or settings.toml here."""
    return Path(os.environ.get("MAILER_SETTINGS", DEFAULT_FILE))


def check_settings(given: dict[str, Any], path: Path, *, ignore_environment: bool = False) -> Settings:
    """Typed settings of the tables `given`, as if read from `path`; `alone` where the environment changes nothing."""
    variables = set() if ignore_environment else {name.upper() for name in os.environ}
    for old, new in _RENAMED_TABLES.items():
        if old in given or f"MAILER_{old.upper()}" in variables:
            raise SettingsRefused(f"{path}: {old}: this table is called {new} now: write [[{new}]] for [[{old}]]")
    try:
        settings = _SettingsWithoutEnvironment(**given) if ignore_environment else Settings(**given)
    except ValidationError as refusal:
        raise SettingsRefused(f"{path}: {_describe_errors(refusal)}") from None
    return _resolve_paths(settings, path.parent)


def _describe_errors(refusal: ValidationError) -> str:
    told = []
    for error in refusal.errors(include_url=False):
        key = ".".join(str(part) for part in error["loc"])
        reason = error["msg"].removeprefix("Value error, ")
        told.append(f"{key}: {'there is no such key' if error['type'] == 'extra_forbidden' else reason}")
    return "; ".join(told)


def _resolve_paths(settings: Settings, folder: Path) -> Settings:
    """Relative files taken as beside settings.toml, so that commands work from anywhere."""
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
    """The settings.toml that `mailer init` writes: each key with its default and why."""
    lines = ["# Settings of this mailer. Every key stands here with its default; the environment goes before the file:"]
    lines += ["# MAILER_DATABASE__URL, MAILER_SERVICE__DOMAIN, ...; MAILER_SETTINGS names another file.", ""]
    for name, table in Settings.tables.items():
        repeated = isinstance(Settings.model_fields[name].default, tuple)
        optional = Settings.model_fields[name].default == ()
        lines += [f"# {table.__doc__}"] if optional else []
        entries = [f"[[{name}]]" if repeated else f"[{name}]"]
        for key, field in table.model_fields.items():
            default = field.default
            entries.append(f"# {field.description}")
            entries.append(f"{'# ' if default is None else ''}{key} = {_toml_value(default)}")
        lines += [f"# {line}" for line in entries] if optional else entries
        lines.append("")
    return "\n".join(lines)


def _toml_value(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return str(value)
    if isinstance(value, tuple):
        return f"[{', '.join(map(_toml_value, value))}]"
    return f'"{value or ""}"'
