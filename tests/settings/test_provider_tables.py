"""Which providers may call us, as settings.toml says it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from mailer.errors import SecretUnreadable, SettingsRefused
from mailer.network.load_provider import load_provider
from mailer.settings.load import Settings, check_settings, default_settings_toml

TOPIC = "arn:aws:sns:eu-west-1:123456789012:returns"


def read(*webhooks: Any, folder: str = "/etc/mailer") -> Settings:
    return check_settings({"webhook": list(webhooks)}, Path(folder) / "settings.toml")


def test_nobody_calls_unless_told():
    assert check_settings({}, Path("settings.toml")).webhook == ()
    assert "# [[webhook]]" in default_settings_toml()


def test_a_secret_is_beside_the_settings_unless_told():
    settings = read(
        {"provider": "mailgun", "secret_file": "mailgun.key"},
        {"provider": "brevo", "secret_file": "/run/brevo"},
        {"provider": "ses", "topics": [TOPIC]},
    )

    assert [str(one.secret_file) for one in settings.webhook] == ["/etc/mailer/mailgun.key", "/run/brevo", "None"]


@pytest.mark.parametrize(
    ("table", "told"),
    [
        ({}, r"webhook\.0\.provider: must be one of ses, mailgun"),
        ({"provider": "pigeon"}, r"webhook\.0\.provider: must be one of ses, mailgun"),
        ({"provider": "mailgun"}, r"webhook\.0: secret_file is needed with provider = 'mailgun'"),
        ({"provider": "ses"}, r"webhook\.0: topics is needed"),
        ({"provider": "sendgrid"}, r"webhook\.0: public_keys is needed"),
        ({"provider": "ses", "topics": [TOPIC], "secret_file": "x"}, r"webhook\.0: secret_file is of no use"),
        ({"provider": "ses", "topics": ["returns"]}, r"webhook\.0\.topics: 'returns' does not look like arn:aws:sns"),
        ({"provider": "ses", "topics": [f"{TOPIC}/x"]}, r"webhook\.0\.topics"),
        ({"provider": "ses", "topics": [TOPIC.replace("eu-west-1", "x.example.org/")]}, r"webhook\.0\.topics"),
        ({"provider": "mailgun", "secret": "x"}, r"webhook\.0\.secret: there is no such key"),
    ],
)
def test_a_table_that_proves_nothing_is_refused_by_name(table, told):
    with pytest.raises(SettingsRefused, match=told):
        read(table)


def test_a_provider_stands_once():
    with pytest.raises(SettingsRefused, match=r"webhook: 'mailgun' stands twice"):
        read(*[{"provider": "mailgun", "secret_file": name} for name in "ab"])


@pytest.mark.parametrize(
    ("content", "told"), [(None, r"mailgun\.key cannot be read"), (b"short", "16 or more"), (b"\xff" * 20, "not text")]
)
def test_a_secret_that_cannot_be_had_is_told_with_its_provider(tmp_path, content, told):
    if content is not None:
        (tmp_path / "mailgun.key").write_bytes(content)
    settings = read({"provider": "mailgun", "secret_file": "mailgun.key"}, folder=str(tmp_path))

    with pytest.raises(SecretUnreadable, match=f"webhook mailgun: .*{told}"):
        load_provider(settings.webhook[0])


def test_a_key_that_is_none_is_told_with_its_provider():
    settings = read({"provider": "sendgrid", "public_keys": ["AAAA"]})

    with pytest.raises(SecretUnreadable, match="webhook sendgrid: public_keys: 'AAAA'"):
        load_provider(settings.webhook[0])
