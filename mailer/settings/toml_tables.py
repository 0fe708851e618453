"""Tables of settings.toml: service, database, web, relays, sending, domains, DKIM, DNS."""

from __future__ import annotations

import ipaddress
import re
from datetime import date
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import quote, unquote, urlsplit

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

LOOPBACK = {"localhost", "127.0.0.1", "::1"}
_HOST = re.compile(r"(?:\[[0-9A-Fa-f:.]+\]|[0-9A-Za-z._-]+)(?::\d{1,5})?")
_PATH_SAFE = "/-._~!$&'()*+,;=:@"
"""Characters that a URL path may hold as they are (RFC 3986 section 3.3); others are percent-encoded."""
_DNS_LABELS = re.compile(r"(?!.*-(\.|$))[a-z0-9][a-z0-9-]{0,62}(\.[a-z0-9][a-z0-9-]{0,62})*")

Port = Annotated[int, Field(ge=0, le=65535)]


def check_networks(networks: tuple[str, ...]) -> tuple[str, ...]:
    """Return the values where each is an IP address or network; ValueError otherwise."""
    for network in networks:
        ipaddress.ip_network(network)
    return networks


class Table(BaseModel):
    """A table of settings.toml; unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Service(Table):
    """Who we are."""

    name: str = Field("Open Letters", description="What the pages and notices call this service.")
    domain: str = Field("lists.example.org", description="The domain of all our addresses: appeals@lists.example.org.")
    url: str = Field(
        "http://127.0.0.1:8080",
        description="Where people reach the pages; it stands in every letter, so use https (http is for loopback). "
        "A path is fine: https://example.org/lists.",
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
    def _check_url(cls, url: str) -> str:
        parts = urlsplit(url)
        path = quote(unquote(parts.path), safe=_PATH_SAFE).rstrip("/")
        if parts.scheme not in {"http", "https"} or not _HOST.fullmatch(parts.netloc) or not parts.hostname:
            raise ValueError("must look like https://lists.example.org or https://example.org/lists (A-labels)")
        if (
            re.search(r"[?#\s\\]", url)
            or {"", ".", ".."} & set(path.split("/")[1:])
            or not 0 < (parts.port or 1) < 65536
        ):
            raise ValueError("must be a scheme, a host and, if you like, a path: https://example.org/lists")
        if parts.scheme == "http" and parts.hostname not in LOOPBACK:
            raise ValueError("must be https: http is accepted only on loopback")
        return f"{parts.scheme}://{parts.netloc.lower()}{path}"

    @field_validator("domain")
    @classmethod
    def _check_domain(cls, domain: str) -> str:
        if "." not in domain or "@" in domain or not domain.isascii() or domain != domain.strip().lower():
            raise ValueError("must be a lower-case domain name like lists.example.org (A-labels)")
        return domain

    @model_validator(mode="after")
    def _check_owner(self) -> Service:
        if self.owner.rpartition("@")[2].lower() in {self.domain, ""} or "@" not in self.owner:
            raise ValueError("owner must be an address outside our own domain, or mail to it would come back to us")
        return self


class DatabaseSettings(Table):
    """The database."""

    url: str = Field(
        "sqlite:///mailer.db",
        description='"sqlite:///mailer.db" (beside this file; "sqlite:////var/lib/..." is absolute) or '
        '"postgresql://user:password@host/name".',
    )

    @field_validator("url")
    @classmethod
    def _check_url(cls, url: str) -> str:
        if not url.startswith(("sqlite:///", "postgresql://")) or url == "sqlite:///":
            raise ValueError('must begin with "sqlite:///" and a file, or with "postgresql://"')
        return url


class WebSettings(Table):
    """The web server."""

    host: str = Field("127.0.0.1", description="Where the pages are served; put a TLS proxy in front.")
    port: Port = Field(8080, description="The port of the pages.")
    trusted_proxies: tuple[str, ...] = Field(
        ("127.0.0.1", "::1"),
        description="Proxies in front of the pages (a CDN, a container's bridge), whose X-Forwarded-For is believed: "
        "addresses or networks. Where any is named, those on this machine are believed, too; [] believes nobody.",
    )

    _check_networks = field_validator("trusted_proxies")(check_networks)


class RelaySettings(Table):
    """An SMTP server that carries our mail out. Repeat the table for more than one."""

    host: str = Field("127.0.0.1", description="The server that carries our mail out.")
    port: Port = Field(25, description="25 to a server of your own, 587 (starttls) or 465 (tls) to a provider.")
    tls: Literal["none", "starttls", "tls"] = Field("none", description='"none" is accepted only on loopback.')
    username: str = Field("", description="For servers that ask who we are; empty for none.")
    password_file: Path | None = Field(None, description="A file that holds the password, readable by the service.")
    connections: int = Field(50, ge=2, le=500, description="Most connections at once; a few are kept for notices.")
    letters_per_connection: int = Field(
        0, ge=0, description="Hang up and come again after so many; 0 learns what the relay bears."
    )
    weight: float = Field(1, gt=0, description="Its share of the letters beside other relays.")
    per_second: float = Field(0, ge=0, description="Most letters a second, over all nodes; 0 is no limit.")
    per_hour: int = Field(0, ge=0, description="Most letters an hour (of UTC), over all nodes; 0 is no limit.")
    per_day: int = Field(0, ge=0, description="Most letters a day (of UTC), over all nodes; 0 is no limit.")
    warm_up_from: date | None = Field(
        None, description="A new sender's first day, like 2026-12-01: from then on the day's limit grows."
    )
    warm_up_letters: int = Field(500, ge=1, description="Letters on that first day.")
    warm_up_growth: float = Field(2, gt=1, description="So many times as many on each day after it.")

    @model_validator(mode="after")
    def _check_tls_and_login(self) -> RelaySettings:
        if self.tls == "none" and self.host not in LOOPBACK:
            raise ValueError('tls = "none" is accepted only on loopback; use "starttls" or "tls"')
        if self.username and self.password_file is None:
            raise ValueError("password_file is needed with a username")
        return self


class SendingSettings(Table):
    """The send workers."""

    workers: Literal["auto"] | Annotated[int, Field(ge=1, le=64)] = Field(
        "auto",
        description='Processes that send, on PostgreSQL: "auto" is one for each core. On SQLite it is always one.',
    )
    lease_s: float = Field(
        60, ge=1, description="Seconds without renewal after which other workers take what a worker had claimed."
    )


class DomainSettings(Table):
    """Limits for mail to one recipient domain. Repeat the table for more than one."""

    name: str = Field("example.net", description="The domain of the recipients' addresses.")
    connections: int = Field(0, ge=0, description="Most letters at once; 0 is no limit.")
    per_second: float = Field(0, ge=0, description="Most letters a second, over all nodes; 0 is no limit.")
    per_hour: int = Field(0, ge=0, description="Most letters an hour (of UTC), over all nodes; 0 is no limit.")
    per_day: int = Field(0, ge=0, description="Most letters a day (of UTC), over all nodes; 0 is no limit.")


class DkimSettings(Table):
    """Signs our letters with DKIM; `mailer dkim new` makes the key. Repeat the table for more domains or selectors."""

    domain: str = Field("", description="The domain that signs, and that a From address must be of; empty: our own.")
    selector: str = Field(
        "mailer", description="The key is published at SELECTOR._domainkey.DOMAIN; of one domain's the first signs."
    )
    key_file: Path = Field(
        Path("dkim.pem"), description="The RSA key, readable by the service alone. Beside this file if relative."
    )

    @field_validator("domain", "selector")
    @classmethod
    def _check_labels(cls, name: str) -> str:
        if name and not _DNS_LABELS.fullmatch(name):
            raise ValueError("must be a lower-case name as it stands in the DNS (A-labels)")
        return name

    @field_validator("selector")
    @classmethod
    def _check_not_empty(cls, selector: str) -> str:
        if not selector:
            raise ValueError("must not be empty")
        return selector


class DnsSettings(Table):
    """The DNS servers that `mailer doctor` asks, and the service when it authenticates senders."""

    servers: tuple[str, ...] = Field(
        (), description='DNS servers to ask: "192.0.2.53", "[2001:db8::53]:5353"; none: those this machine asks.'
    )

    @field_validator("servers")
    @classmethod
    def _check_servers(cls, servers: tuple[str, ...]) -> tuple[str, ...]:
        for server in servers:
            parse_host_port(server)
        return servers


def parse_host_port(server: str) -> tuple[str, int]:
    """Parse the address and port (53 by default) of a DNS server: `192.0.2.53`, `[2001:db8::53]:5353`. ValueError."""
    match = re.fullmatch(r"\[([0-9a-f:.]+)\](?::(\d{1,5}))?|([0-9.]+)(?::(\d{1,5}))?|([0-9a-f:.]+)", server)
    if not match:
        raise ValueError(f"{server!r} is not an address like 192.0.2.53 or [2001:db8::53]:5353")
    address = ipaddress.ip_address(match[1] or match[3] or match[5])
    return str(address), int(match[2] or match[4] or 53)
