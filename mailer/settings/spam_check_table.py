"""The table of settings.toml about spam filters that look at a letter before it is sent."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from pydantic import Field, field_validator

from mailer.settings.toml_tables import Table

_HOST_PORT = re.compile(r"(?:\[[0-9a-fA-F:.]+\]|[A-Za-z0-9.-]+):(\d{1,5})")


class SpamCheckSettings(Table):
    """Spam filters that are shown a campaign's letters before they are sent; an empty one is not asked."""

    spamassassin: str = Field(
        "",
        description='Where SpamAssassin\'s spamd listens: "127.0.0.1:783". Its score is like that of many receivers.',
    )
    rspamd: str = Field(
        "",
        description='The URL of rspamd\'s worker: "http://127.0.0.1:11333". Letters are shown to it, none is sent.',
    )

    @field_validator("spamassassin")
    @classmethod
    def _check_host_port(cls, where: str) -> str:
        match = _HOST_PORT.fullmatch(where)
        if where and not (match and 0 < int(match[1]) < 65_536):
            raise ValueError('must be a host and a port, like "127.0.0.1:783"')
        return where

    @field_validator("rspamd")
    @classmethod
    def _check_url(cls, url: str) -> str:
        try:
            parts = urlsplit(url)
            valid = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0 and not parts.query
        except ValueError:
            valid = False
        if url and not valid:
            raise ValueError('must be a URL without a query, like "http://127.0.0.1:11333"')
        return url.rstrip("/")
