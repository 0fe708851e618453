"""`mailer dkim` and `mailer doctor` on the command line."""

from __future__ import annotations

import asyncio
import json
import stat
from pathlib import Path

import pytest

from tests.cli.test_main import Terminal, settings_with
from tests.support.dns_zone import Zone
from tests.support.fake_relay import FakeRelay

KEY_FILE = "dkim-lists.example.org-mailer.pem"
TABLE = f'\n[[dkim]]\ndomain = "lists.example.org"\nselector = "mailer"\nkey_file = "{KEY_FILE}"\n'


@pytest.fixture
def initialised(tmp_path: Path) -> Terminal:
    """After `mailer init`."""
    terminal = Terminal(tmp_path)
    terminal("init")
    return terminal


def use_key(initialised: Terminal, domain: str = "lists.example.org") -> None:
    with (initialised.folder / "settings.toml").open("a") as file:
        file.write(TABLE.replace("lists.example.org", domain))


async def run_in_thread(initialised: Terminal, *words: str, code: int = 0) -> str:
    """Typed while the test's own servers go on."""
    return await asyncio.to_thread(initialised, *words, code=code)


def test_a_new_key_is_private_and_its_record_is_printed(initialised: Terminal) -> None:
    record = initialised("dkim", "new")
    said = initialised.said
    pem = (initialised.folder / KEY_FILE).read_text()
    initialised("dkim", "new", code=1)

    assert record.startswith('mailer._domainkey.lists.example.org. IN TXT ( "v=DKIM1; k=rsa; p=MII')
    assert record.count('"') == 4
    assert TABLE in said
    assert stat.S_IMODE((initialised.folder / KEY_FILE).stat().st_mode) == 0o600
    assert "already there" in initialised.said
    assert (initialised.folder / KEY_FILE).read_text() == pem


def test_a_key_may_be_for_another_domain_and_printed_as_json(tmp_path: Path) -> None:
    bare = Terminal(tmp_path)

    made = json.loads(bare("dkim", "new", "--domain", "example.org", "--selector", "y2027", "--bits", "3072", "--json"))

    assert (made["name"], made["type"]) == ("y2027._domainkey.example.org", "TXT")
    assert made["value"].startswith("v=DKIM1; k=rsa; p=")
    assert Path(tmp_path / made["key_file"]).exists()


def test_a_name_that_cannot_stand_in_the_dns_is_refused(tmp_path: Path) -> None:
    bare = Terminal(tmp_path)

    bare("dkim", "new", "--domain", "example.org", "--selector", "../x", code=2)

    assert "../x._domainkey.example.org is no lower-case DNS name" in bare.said
    assert list(tmp_path.iterdir()) == []


def test_a_key_that_cannot_sign_stops_the_service_at_start(initialised: Terminal) -> None:
    use_key(initialised)
    initialised("serve", code=2)
    missing = initialised.said
    (initialised.folder / KEY_FILE).write_text("no key")
    initialised("serve", code=2)

    assert f"DKIM key {KEY_FILE}: cannot be read (No such file or directory)" in missing
    assert f"DKIM key {KEY_FILE}: it is not a private key" in initialised.said


async def test_check_says_whether_the_dns_has_our_key(initialised: Terminal) -> None:
    initialised("dkim", "check", code=2)
    assert "`mailer dkim new`" in initialised.said
    record = json.loads(initialised("dkim", "new", "--json"))["value"]
    use_key(initialised)
    async with Zone({}) as zone:
        settings_with(initialised, "servers = []", f'servers = ["{zone.server}"]')

        missing = await run_in_thread(initialised, "dkim", "check", code=1)
        zone.records["mailer._domainkey.lists.example.org. txt"] = [f'"{record[:200]}" "{record[200:]}"']
        there = await run_in_thread(initialised, "dkim", "check")

    assert missing.startswith("fail  dkim mailer._domainkey.lists.example.org: there is no TXT record\n      Publish: ")
    assert there == "ok    dkim mailer._domainkey.lists.example.org: the key matches (2048 bits)\n"


FINISHED = {
    'name = "Open Letters"': 'name = "Harvest letters"',
    '"lists.example.org"': '"lists.harvestforum.net"',
    '"http://127.0.0.1:8080"': '"https://lists.harvestforum.net"',
    '"owner@example.org"': '"ada@harvestforum.net"',
}
"""What a initialised makes of the samples in [service]."""


async def test_the_doctor_finds_a_healthy_service_healthy(initialised: Terminal) -> None:
    for old, new in FINISHED.items():
        settings_with(initialised, old, new)
    record = json.loads(initialised("dkim", "new", "--json"))["value"]
    use_key(initialised, "lists.harvestforum.net")
    records = {
        "mailer._domainkey.lists.harvestforum.net. TXT": [f'"{record[:200]}" "{record[200:]}"'],
        "lists.harvestforum.net. TXT": ['"v=spf1 mx -all"'],
        "lists.harvestforum.net. MX": ["10 mail.harvestforum.net."],
        "mail.harvestforum.net. A": ["192.0.2.25"],
        "25.2.0.192.in-addr.arpa. PTR": ["mail.harvestforum.net."],
        "_dmarc.lists.harvestforum.net. TXT": ['"v=DMARC1; p=none"'],
    }
    async with Zone(records) as zone, FakeRelay() as relay:
        settings_with(initialised, "servers = []", f'servers = ["{zone.server}"]')
        settings_with(initialised, "port = 25\n", f"port = {relay.port}\n")

        shown = await run_in_thread(initialised, "doctor", "--dns", "--address", "192.0.2.25")
        results = json.loads(await run_in_thread(initialised, "doctor", "--dns", "--address", "192.0.2.25", "--json"))

    own = ("settings", "folder", "files", "service", "secret", "key", "database", "relay")
    checks = (*own, "spf", "dmarc", "alignment", "mx", "spf", "ptr", "dkim")
    assert [line.replace(":", "").split()[:2] for line in shown.splitlines()] == [["ok", name] for name in checks]
    assert {one["health"] for one in results} == {"ok"}
    assert set(results[0]) == {"check", "health", "told", "mend"}


async def test_the_doctor_without_dns_asks_nobody_but_the_relay(initialised: Terminal) -> None:
    async with Zone({}) as zone, FakeRelay() as relay:
        settings_with(initialised, "servers = []", f'servers = ["{zone.server}"]')
        settings_with(initialised, "port = 25\n", f"port = {relay.port}\n")

        await run_in_thread(initialised, "doctor")

        assert (zone.queries, relay.connections) == ([], 1)


def test_the_doctor_reports_unreadable_settings_as_a_failed_check(initialised: Terminal) -> None:
    settings_with(initialised, "[web]", "[web")

    shown = initialised("doctor", code=1)
    initialised("doctor", "--dns", "--address", "here", code=2)

    assert shown.startswith("fail  settings: settings.toml: not TOML")
    assert "--address" in initialised.said
