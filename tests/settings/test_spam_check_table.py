"""[spam_check]: where spam filters listen, refused by name where that can be no such place."""

from __future__ import annotations

from pathlib import Path

import pytest

from mailer.errors import SettingsRefused
from mailer.settings.load import check_settings
from mailer.settings.spam_check_table import SpamCheckSettings


def load(**table: str) -> SpamCheckSettings:
    return check_settings({"spam_check": table}, Path("settings.toml"), ignore_environment=True).spam_check


def test_none_is_asked_unless_it_is_named() -> None:
    assert (load().spamassassin, load().rspamd) == ("", "")


@pytest.mark.parametrize("where", ["127.0.0.1:783", "[::1]:783", "spamd.example.org:783"])
def test_spamd_is_a_host_and_a_port(where: str) -> None:
    assert load(spamassassin=where).spamassassin == where


def test_rspamd_is_a_url() -> None:
    assert load(rspamd="http://127.0.0.1:11333/").rspamd == "http://127.0.0.1:11333"
    assert load(rspamd="https://rspamd.example.org").rspamd == "https://rspamd.example.org"


@pytest.mark.parametrize(
    "table",
    [
        {"spamassassin": "127.0.0.1"},
        {"spamassassin": "127.0.0.1:99999"},
        {"spamassassin": "a b:783"},
        {"rspamd": "127.0.0.1:11333"},
        {"rspamd": "ftp://127.0.0.1"},
        {"rspamd": "http://127.0.0.1:99999"},
        {"rspamd": "http://127.0.0.1/?x"},
    ],
)
def test_anything_else_is_refused_by_name(table: dict[str, str]) -> None:
    [key] = table
    with pytest.raises(SettingsRefused, match=rf"spam_check\.{key}: must be"):
        load(**table)
