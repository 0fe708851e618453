"""Checks of the secret, the keys, the database and the relays that settings name."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from mailer.actions.maintenance.check_service import check_service
from mailer.domain.health_check import HealthCheck
from mailer.domain.keyring import Keyring, write_keyring
from mailer.settings.load import check_settings
from tests.support.fake_relay import FakeRelay

KEYRING = write_keyring(Keyring(b"p" * 32, ((1, b"k" * 32),)))


def write_key(file: Path, bits: int = 2048) -> None:
    pem = generate_private_key(65537, bits).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    file.write_bytes(pem)
    file.chmod(0o600)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A secret and a key, kept well; no database yet."""
    (tmp_path / "secret").write_text(KEYRING)
    (tmp_path / "secret").chmod(0o600)
    write_key(tmp_path / "dkim.pem")
    return tmp_path


async def found(
    folder: Path, relay: FakeRelay, service: dict[str, str] | None = None, **relay_settings: Any
) -> dict[str, HealthCheck]:
    tables = {
        "service": service or {},
        "relay": ({"port": relay.port} | relay_settings,),
        "dkim": ({"selector": "mailer"},),
    }
    findings, _ = await check_service(check_settings(tables, folder / "settings.toml"))
    return {check.check.partition(" ")[0]: check for check in findings}


async def test_a_service_in_order_passes_and_nothing_is_changed(folder, relay):
    health = {name: check.status.value for name, check in (await found(folder, relay)).items()}

    assert health == {"service": "warn", "secret": "ok", "key": "ok", "database": "ok", "relay": "ok"}
    assert not (folder / "mailer.db").exists()
    assert relay.letters == []
    assert not any(line.upper().startswith("MAIL") for _, line in relay.commands)


async def test_sample_settings_are_a_warning_with_a_local_relay_and_fail_with_another(folder, relay):
    own = {"name": "Harvest Circle", "domain": "lists.harvest-circle.org", "owner": "ada@harvest-circle.org"}

    here = (await found(folder, relay))["service"]
    elsewhere = (await found(folder, relay, host="relay.invalid", tls="starttls"))["service"]
    mended = (await found(folder, relay, service=own | {"url": "https://lists.harvest-circle.org"}))["service"]
    half = (await found(folder, relay, service=own))["service"]

    assert (here.status, elsewhere.status, mended.status, half.status) == ("warn", "fail", "ok", "warn")
    assert here.message == elsewhere.message
    assert half.message == "url http://127.0.0.1:8080 is this machine alone"


async def test_a_migrated_database_passes_and_an_unknown_one_fails(folder, relay, sqlite_template):
    (folder / "mailer.db").write_bytes(sqlite_template.read_bytes())
    good = (await found(folder, relay))["database"]
    with sqlite3.connect(folder / "mailer.db") as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.close()

    newer = (await found(folder, relay))["database"]

    assert (good.status, good.message) == ("ok", "its schema is this version's")
    assert (newer.status, "9999" in newer.message) == ("fail", True)


async def test_a_file_that_is_no_database_fails(folder, relay):
    (folder / "mailer.db").write_text("not a database, but long enough to be taken for one" * 100)

    database = (await found(folder, relay))["database"]

    assert (database.status, "not a database" in database.message) == ("fail", True)


async def test_secrets_that_others_can_read_are_a_warning(folder, relay):
    for name in ("secret", "dkim.pem"):
        (folder / name).chmod(0o644)

    findings = await found(folder, relay)

    assert [(findings[name].status, "chmod 600" in findings[name].remedy) for name in ("secret", "key")] == [
        ("warn", True),
        ("warn", True),
    ]


async def test_a_missing_secret_and_key_do_not_keep_the_rest_from_being_checked(folder, relay):
    (folder / "secret").unlink()
    (folder / "dkim.pem").write_text("no key")

    findings = await found(folder, relay)

    assert {name: check.status.value for name, check in findings.items()} == {
        "service": "warn",
        "secret": "fail",
        "key": "fail",
        "database": "ok",
        "relay": "ok",
    }
    assert "dkim.pem: it is not a private key" in findings["key"].message


async def test_a_short_key_is_a_warning(folder, relay):
    write_key(folder / "dkim.pem", 1024)

    key = (await found(folder, relay))["key"]

    assert (key.status, "1024 bits" in key.message) == ("warn", True)


async def test_a_relay_that_refuses_the_login_or_is_down_fails(folder):
    (folder / "password").write_text("wrong")
    async with FakeRelay(login=("ada", "right")) as relay:
        refused = (await found(folder, relay, username="ada", password_file="password"))["relay"]
        (folder / "password").write_text("right")
        friend = (await found(folder, relay, username="ada", password_file="password"))["relay"]
        (folder / "password").unlink()
        forgetful = (await found(folder, relay, username="ada", password_file="password"))["relay"]
        relay.stop_listening()
        down = (await found(folder, relay))["relay"]

    assert (refused.status, "did not accept our user name and password" in refused.message) == ("fail", True)
    assert (friend.status, "takes the login of ada" in friend.message) == ("ok", True)
    assert (forgetful.status, "password" in forgetful.message) == ("fail", True)
    assert (down.status, "cannot be reached" in down.message) == ("fail", True)
