"""Tables of settings.toml about incoming mail: the SMTP server, sender authentication, abuse limits."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field, field_validator, model_validator

from mailer.settings.toml_tables import Port, Table, check_networks


class IntakeSettings(Table):
    """The SMTP server for incoming mail."""

    host: str = Field("127.0.0.1", description="Where mail to our domain comes in.")
    port: Port = Field(8025, description="Let the mail server (Postfix, ...) carry mail for the domain here.")
    protocol: Literal["smtp", "lmtp"] = Field("smtp", description='"smtp" or "lmtp", as the mail server speaks to us.')
    tls_certificate: Path | None = Field(
        None, description="A certificate chain (PEM): offers STARTTLS. It is read anew when the file changes."
    )
    tls_key: Path | None = Field(None, description="Its private key (PEM), where it is in a file of its own.")
    mail_servers: tuple[str, ...] = Field(
        ("127.0.0.1", "::1"),
        description="Our own mail servers, which hand in the mail of others: addresses or networks. The first Received "
        "line of theirs says who came.",
    )
    authserv_ids: tuple[str, ...] = Field(
        (),
        description="By which names those servers sign their Authentication-Results; others are not believed. Only "
        "where they remove fields of their name from mail that comes in.",
    )
    proxy_from: tuple[str, ...] = Field(
        (), description="Load balancers that begin each connection with a PROXY line: addresses or networks."
    )
    spool: Path = Field(Path("spool"), description="A folder for mails of more than 64 kB that came in.")
    most_megabytes: float = Field(10, gt=0, le=1024, description="Of one mail, as it travels.")
    most_connections: int = Field(200, ge=2, description="At once; then whoever has been idle longest must go.")
    most_per_address: int = Field(20, ge=1, description="Of these from one address, our own mail servers excepted.")
    most_waiting: int = Field(
        100_000, ge=1, description="Mails that wait to be acted on; then others are asked to wait."
    )
    keep_free_megabytes: int = Field(200, ge=0, description="Room on the disk below which no mail is taken.")

    _check_networks = field_validator("mail_servers", "proxy_from")(check_networks)

    @model_validator(mode="after")
    def _check_tls_key(self) -> IntakeSettings:
        if self.tls_key is not None and self.tls_certificate is None:
            raise ValueError("tls_certificate is needed with a tls_key")
        return self


class HearingSettings(Table):
    """How senders of incoming mail are authenticated, and what is kept of it."""

    check_senders: bool = Field(
        True, description="Whether SPF, DKIM and DMARC authenticate senders; otherwise nobody is authenticated."
    )
    keep_evidence_days: int = Field(
        1095,
        ge=1,
        description="How long the consent record keeps who wrote, and how that was authenticated (no text).",
    )
    keep_client_address: bool = Field(
        False, description="Whether the IP address a request came from stands in the consent record, as long as that."
    )


class ShieldSettings(Table):
    """Abuse limits: how many letters unauthenticated requests may cause."""

    per_source: int = Field(20, ge=1, description="Requests an hour from one source (an IPv4 address, an IPv6 /64).")
    per_domain: int = Field(500, ge=1, description="Letters an hour to one domain for unauthenticated requests.")
    per_list: int = Field(1000, ge=1, description="Letters an hour about one list for unauthenticated requests.")
    collapse_ratio: float = Field(
        0.05, ge=0, le=1, description="A list with a smaller share of confirmed requests defers all for a day."
    )
    collapse_after: int = Field(
        50, ge=1, description="Of so many requests at least, made between a week and an hour ago."
    )
