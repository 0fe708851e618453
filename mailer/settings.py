"""settings.toml and MAILER_ variables as typed values; a key we do not know is refused by name."""

from __future__ import annotations

import os
import tomllib
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from mailer.errors import SettingsRefused

DEFAULT_FILE = Path("settings.toml")
_LOOPBACK = {"localhost", "127.0.0.1", "::1"}

Port = Annotated[int, Field(ge=0, le=65535)]


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Service(_Table):
    """Who we are."""

    name: str = Field("Open Letters", description="What the pages and notices call this service.")
    domain: str = Field("lists.example.org", description="The domain of all our addresses: appeals@lists.example.org.")
    url: str = Field(
        "http://127.0.0.1:8080",
        description="Where people reach the pages; it stands in every letter, so use https (http is for loopback).",
    )
    secret_file: Path = Field(
        Path("secret"), description="Signs every link; readable by the service alone. Beside this file if relative."
    )
    owner: str = Field("owner@example.org", description="Who gets mail to postmaster@ and abuse@.")
    serve_migrates: bool = Field(
        True, description="Whether `mailer serve` brings the database up to date itself (a copy is made first)."
    )

    @field_validator("url")
    @classmethod
    def _https_but_on_loopback(cls, url: str) -> str:
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.fragment:
            raise ValueError("must look like https://lists.example.org")
        if parts.scheme == "http" and parts.hostname not in _LOOPBACK:
            raise ValueError("must be https: http is accepted only on loopback")
        return url.rstrip("/")

    @field_validator("domain")
    @classmethod
    def _a_domain(cls, domain: str) -> str:
        if "." not in domain or "@" in domain or not domain.isascii() or domain != domain.strip().lower():
            raise ValueError("must be a lower-case domain name like lists.example.org (A-labels)")
        return domain

    @model_validator(mode="after")
    def _owner_is_elsewhere(self) -> Service:
        if self.owner.rpartition("@")[2].lower() in {self.domain, ""} or "@" not in self.owner:
            raise ValueError("owner must be an address outside our own domain, or mail to it would come back to us")
        return self


class DatabaseSettings(_Table):
    """Where the ledger is."""

    url: str = Field(
        "sqlite:///mailer.db",
        description='"sqlite:///mailer.db" (beside this file; "sqlite:////var/lib/..." is absolute) or '
        '"postgresql://user:password@host/name".',
    )

    @field_validator("url")
    @classmethod
    def _known_kind(cls, url: str) -> str:
        if not url.startswith(("sqlite:///", "postgresql://")) or url == "sqlite:///":
            raise ValueError('must begin with "sqlite:///" and a file, or with "postgresql://"')
        return url


class IntakeSettings(_Table):
    """The door for mail that comes in."""

    host: str = Field("127.0.0.1", description="Where mail to our domain comes in.")
    port: Port = Field(8025, description="Let the mail server (Postfix, ...) carry mail for the domain here.")
    protocol: Literal["smtp", "lmtp"] = Field("smtp", description='"smtp" or "lmtp", as the mail server speaks to us.')


class WebSettings(_Table):
    """The door for browsers."""

    host: str = Field("127.0.0.1", description="Where the pages are served; put a TLS proxy in front.")
    port: Port = Field(8080, description="The port of the pages.")


class RelaySettings(_Table):
    """An SMTP server that carries our mail out. Repeat the table for more than one."""

    host: str = Field("127.0.0.1", description="The server that carries our mail out.")
    port: Port = Field(25, description="25 to a server of your own, 587 (starttls) or 465 (tls) to a provider.")
    tls: Literal["none", "starttls", "tls"] = Field("none", description='"none" is accepted only on loopback.')
    username: str = Field("", description="For servers that ask who we are; empty for none.")
    password_file: Path | None = Field(None, description="A file that holds the password, readable by the service.")
    connections: int = Field(50, ge=2, le=500, description="Most connections at once; a few are kept for notices.")
    per_second: float = Field(0, ge=0, description="Most letters a second; 0 is as fast as the server takes them.")

    @model_validator(mode="after")
    def _tls_but_on_loopback(self) -> RelaySettings:
        if self.tls == "none" and self.host not in _LOOPBACK:
            raise ValueError('tls = "none" is accepted only on loopback; use "starttls" or "tls"')
        if self.username and self.password_file is None:
            raise ValueError("password_file is needed with a username")
        return self


class Settings(BaseSettings):
    """All settings, checked."""

    model_config = SettingsConfigDict(
        extra="forbid", frozen=True, env_prefix="MAILER_", env_nested_delimiter="__", hide_input_in_errors=True
    )

    service: Service = Service()
    database: DatabaseSettings = DatabaseSettings()
    intake: IntakeSettings = IntakeSettings()
    web: WebSettings = WebSettings()
    relay: tuple[RelaySettings, ...] = Field((RelaySettings(),), min_length=1)

    tables: ClassVar[dict[str, type[_Table]]] = {
        "service": Service,
        "database": DatabaseSettings,
        "intake": IntakeSettings,
        "web": WebSettings,
        "relay": RelaySettings,
    }

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


def load_settings(path: Path | None = None) -> Settings:
    """Read `path`, or MAILER_SETTINGS, or settings.toml here; relative paths in it are beside it.

    SettingsRefused names the file, the key and what is wrong with it.
    """
    path = path or Path(os.environ.get("MAILER_SETTINGS", DEFAULT_FILE))
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


def check_settings(given: dict[str, Any], path: Path) -> Settings:
    """Typed settings of the tables `given`, as if read from `path`."""
    try:
        settings = Settings(**given)
    except ValidationError as refusal:
        raise SettingsRefused(f"{path}: {_told(refusal)}") from None
    return _beside(settings, path.parent)


def _told(refusal: ValidationError) -> str:
    told = []
    for error in refusal.errors(include_url=False):
        key = ".".join(str(part) for part in error["loc"])
        reason = error["msg"].removeprefix("Value error, ")
        told.append(f"{key}: {'there is no such key' if error['type'] == 'extra_forbidden' else reason}")
    return "; ".join(told)


def _beside(settings: Settings, folder: Path) -> Settings:
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
    return settings.model_copy(update={"service": service, "database": database, "relay": relay})


def settings_text() -> str:
    """The settings.toml that `mailer init` writes: each key with its default and why."""
    lines = ["# Settings of this mailer. Every key stands here with its default; the environment goes before the file:"]
    lines += ["# MAILER_DATABASE__URL, MAILER_SERVICE__DOMAIN, ...; MAILER_SETTINGS names another file.", ""]
    for name, table in Settings.tables.items():
        lines.append(f"[[{name}]]" if name == "relay" else f"[{name}]")
        for key, field in table.model_fields.items():
            default = field.default
            lines.append(f"# {field.description}")
            lines.append(f"{'# ' if default is None else ''}{key} = {_toml(default)}")
        lines.append("")
    return "\n".join(lines)


def _toml(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return str(value)
    return f'"{value or ""}"'
