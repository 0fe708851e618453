"""The `[[provider]]` tables of settings.toml: providers that call us with bounce and complaint events."""

from __future__ import annotations

import re
from pathlib import Path

from pydantic import Field, field_validator, model_validator

from mailer.settings.toml_tables import Table

PROVIDERS = ("ses", "mailgun", "postmark", "sendgrid", "brevo", "mailjet")
_TOPIC_ARN = re.compile(
    r"arn:aws(?:-cn|-us-gov)?:sns:[a-z]{2}(?:-[a-z]{1,20}){1,3}-\d{1,2}:\d{12}:[A-Za-z0-9_-]{1,256}"
)
_CREDENTIAL_KEYS = {"ses": "topics", "sendgrid": "public_keys"}
_DEFAULT_CREDENTIAL_KEY = "secret_file"


class ProviderSettings(Table):
    """A provider that reports bounces and complaints by calling URL/hooks/PROVIDER. Repeat the table for each."""

    provider: str = Field(
        "", validate_default=True, description='"ses", "mailgun", "postmark", "sendgrid", "brevo" or "mailjet".'
    )
    secret_file: Path | None = Field(
        None,
        description="Of Mailgun the HTTP webhook signing key; of Postmark, Brevo and Mailjet the user:password you put "
        "into the URL. A second line is accepted as well, while you change it.",
    )
    public_keys: tuple[str, ...] = Field(
        (), description="Of SendGrid: the verification keys of the signed event webhook, in base64 as it shows them."
    )
    topics: tuple[str, ...] = Field(
        (), description="Of Amazon SES: the SNS topics it writes to: arn:aws:sns:eu-west-1:123456789012:returns."
    )

    @field_validator("provider")
    @classmethod
    def _check_provider(cls, provider: str) -> str:
        if provider not in PROVIDERS:
            raise ValueError(f"must be one of {', '.join(PROVIDERS)}")
        return provider

    @field_validator("topics")
    @classmethod
    def _check_topics(cls, topics: tuple[str, ...]) -> tuple[str, ...]:
        for topic in topics:
            if not _TOPIC_ARN.fullmatch(topic):
                raise ValueError(f"{topic!r} does not look like arn:aws:sns:eu-west-1:123456789012:returns")
        return topics

    @model_validator(mode="after")
    def _check_credentials(self) -> ProviderSettings:
        needed = _CREDENTIAL_KEYS.get(self.provider, _DEFAULT_CREDENTIAL_KEY)
        for key in (*_CREDENTIAL_KEYS.values(), _DEFAULT_CREDENTIAL_KEY):
            given = bool(getattr(self, key))
            if given != (key == needed):
                raise ValueError(f"{key} is {'of no use' if given else 'needed'} with provider = {self.provider!r}")
        return self


def check_unique_providers(tables: tuple[ProviderSettings, ...]) -> tuple[ProviderSettings, ...]:
    """The tables unchanged; raises ValueError where two are of one provider."""
    names = [table.provider for table in tables]
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise ValueError(f"{twice!r} stands twice: put all its keys into one table")
    return tables
