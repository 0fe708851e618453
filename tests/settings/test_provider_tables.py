"""The [[provider]] tables of settings.toml: which providers may call us, and their credentials."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from mailer.errors import SecretUnreadable, SettingsRefused
from mailer.network.load_provider import load_provider
from mailer.settings.load import Settings, check_settings, default_settings_toml

TOPIC = "arn:aws:sns:eu-west-1:123456789012:returns"


def read(*tables: Any, folder: str = "/etc/mailer") -> Settings:
    return check_settings({"provider": list(tables)}, Path(folder) / "settings.toml")


def test_by_default_no_provider_may_call():
    assert check_settings({}, Path("settings.toml")).provider == ()
    assert "# [[provider]]" in default_settings_toml()


def test_a_relative_secret_file_is_beside_the_settings_file():
    settings = read(
        {"provider": "mailgun", "secret_file": "mailgun.key"},
        {"provider": "brevo", "secret_file": "/run/brevo"},
        {"provider": "ses", "topics": [TOPIC]},
    )

    assert [str(one.secret_file) for one in settings.provider] == ["/etc/mailer/mailgun.key", "/run/brevo", "None"]


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({}, r"provider\.0\.provider: must be one of ses, mailgun"),
        ({"provider": "pigeon"}, r"provider\.0\.provider: must be one of ses, mailgun"),
        ({"provider": "mailgun"}, r"provider\.0: secret_file is needed with provider = 'mailgun'"),
        ({"provider": "ses"}, r"provider\.0: topics is needed"),
        ({"provider": "sendgrid"}, r"provider\.0: public_keys is needed"),
        ({"provider": "ses", "topics": [TOPIC], "secret_file": "x"}, r"provider\.0: secret_file is of no use"),
        ({"provider": "ses", "topics": ["returns"]}, r"provider\.0\.topics: 'returns' does not look like arn:aws:sns"),
        ({"provider": "ses", "topics": [f"{TOPIC}/x"]}, r"provider\.0\.topics"),
        ({"provider": "ses", "topics": [TOPIC.replace("eu-west-1", "x.example.org/")]}, r"provider\.0\.topics"),
        ({"provider": "mailgun", "secret": "x"}, r"provider\.0\.secret: there is no such key"),
    ],
)
def test_a_table_without_valid_credentials_is_refused_by_its_key(table, message):
    with pytest.raises(SettingsRefused, match=message):
        read(table)


def test_a_provider_has_one_table():
    with pytest.raises(SettingsRefused, match=r"provider: 'mailgun' stands twice"):
        read(*[{"provider": "mailgun", "secret_file": name} for name in "ab"])


@pytest.mark.parametrize(
    ("content", "message"),
    [(None, r"mailgun\.key cannot be read"), (b"short", "16 or more"), (b"\xff" * 20, "not text")],
)
def test_an_unreadable_secret_is_refused_with_its_providers_name(tmp_path, content, message):
    if content is not None:
        (tmp_path / "mailgun.key").write_bytes(content)
    settings = read({"provider": "mailgun", "secret_file": "mailgun.key"}, folder=str(tmp_path))

    with pytest.raises(SecretUnreadable, match=f"provider mailgun: .*{message}"):
        load_provider(settings.provider[0])


def test_an_invalid_key_is_refused_with_its_providers_name():
    settings = read({"provider": "sendgrid", "public_keys": ["AAAA"]})

    with pytest.raises(SecretUnreadable, match="provider sendgrid: public_keys: 'AAAA'"):
        load_provider(settings.provider[0])


def test_the_tables_old_name_is_refused_with_the_new_one(monkeypatch):
    with pytest.raises(SettingsRefused, match=r"webhook: this table is called provider now: write \[\[provider\]\]"):
        check_settings({"webhook": [{"provider": "mailgun", "secret_file": "x"}]}, Path("settings.toml"))

    monkeypatch.setenv("MAILER_WEBHOOK", "[]")
    with pytest.raises(SettingsRefused, match="this table is called provider now"):
        check_settings({}, Path("settings.toml"))
