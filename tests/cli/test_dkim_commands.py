"""`mailer dkim` and `mailer doctor`, as the keeper of a machine types them."""

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
def keeper(tmp_path: Path) -> Terminal:
    """After `mailer init`."""
    terminal = Terminal(tmp_path)
    terminal("init")
    return terminal


def use_key(keeper: Terminal, domain: str = "lists.example.org") -> None:
    with (keeper.folder / "settings.toml").open("a") as file:
        file.write(TABLE.replace("lists.example.org", domain))


async def typed(keeper: Terminal, *words: str, code: int = 0) -> str:
    """Typed while the test's own servers go on."""
    return await asyncio.to_thread(keeper, *words, code=code)


def test_a_new_key_is_kept_well_and_its_record_printed_once(keeper: Terminal) -> None:
    record = keeper("dkim", "new")
    said = keeper.said
    pem = (keeper.folder / KEY_FILE).read_text()
    keeper("dkim", "new", code=1)

    assert record.startswith('mailer._domainkey.lists.example.org. IN TXT ( "v=DKIM1; k=rsa; p=MII')
    assert record.count('"') == 4
    assert TABLE in said
    assert stat.S_IMODE((keeper.folder / KEY_FILE).stat().st_mode) == 0o600
    assert "already there" in keeper.said
    assert (keeper.folder / KEY_FILE).read_text() == pem


def test_a_key_may_be_for_another_domain_and_told_to_programs(tmp_path: Path) -> None:
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


def test_a_key_that_cannot_sign_stops_the_service_at_start(keeper: Terminal) -> None:
    use_key(keeper)
    keeper("serve", code=2)
    missing = keeper.said
    (keeper.folder / KEY_FILE).write_text("no key")
    keeper("serve", code=2)

    assert f"DKIM key {KEY_FILE}: cannot be read (No such file or directory)" in missing
    assert f"DKIM key {KEY_FILE}: it is not a private key" in keeper.said


async def test_check_says_whether_the_dns_has_our_key(keeper: Terminal) -> None:
    keeper("dkim", "check", code=2)
    assert "`mailer dkim new`" in keeper.said
    record = json.loads(keeper("dkim", "new", "--json"))["value"]
    use_key(keeper)
    async with Zone({}) as zone:
        settings_with(keeper, "servers = []", f'servers = ["{zone.server}"]')

        missing = await typed(keeper, "dkim", "check", code=1)
        zone.records["mailer._domainkey.lists.example.org. txt"] = [f'"{record[:200]}" "{record[200:]}"']
        there = await typed(keeper, "dkim", "check")

    assert missing.startswith("fail  dkim mailer._domainkey.lists.example.org: there is no TXT record\n      Publish: ")
    assert there == "ok    dkim mailer._domainkey.lists.example.org: the key matches (2048 bits)\n"


FINISHED = {
    'name = "Open Letters"': 'name = "Harvest letters"',
    '"lists.example.org"': '"lists.harvestforum.net"',
    '"http://127.0.0.1:8080"': '"https://lists.harvestforum.net"',
    '"owner@example.org"': '"ada@harvestforum.net"',
}
"""What a keeper makes of the samples in [service]."""


async def test_the_doctor_finds_a_healthy_service_healthy(keeper: Terminal) -> None:
    for old, new in FINISHED.items():
        settings_with(keeper, old, new)
    record = json.loads(keeper("dkim", "new", "--json"))["value"]
    use_key(keeper, "lists.harvestforum.net")
    records = {
        "mailer._domainkey.lists.harvestforum.net. TXT": [f'"{record[:200]}" "{record[200:]}"'],
        "lists.harvestforum.net. TXT": ['"v=spf1 mx -all"'],
        "lists.harvestforum.net. MX": ["10 mail.harvestforum.net."],
        "mail.harvestforum.net. A": ["192.0.2.25"],
        "25.2.0.192.in-addr.arpa. PTR": ["mail.harvestforum.net."],
        "_dmarc.lists.harvestforum.net. TXT": ['"v=DMARC1; p=none"'],
    }
    async with Zone(records) as zone, FakeRelay() as relay:
        settings_with(keeper, "servers = []", f'servers = ["{zone.server}"]')
        settings_with(keeper, "port = 25\n", f"port = {relay.port}\n")

        shown = await typed(keeper, "doctor", "--dns", "--address", "192.0.2.25")
        told = json.loads(await typed(keeper, "doctor", "--dns", "--address", "192.0.2.25", "--json"))

    own = ("settings", "folder", "files", "service", "secret", "key", "database", "relay")
    checks = (*own, "spf", "dmarc", "alignment", "mx", "spf", "ptr", "dkim")
    assert [line.replace(":", "").split()[:2] for line in shown.splitlines()] == [["ok", name] for name in checks]
    assert {one["health"] for one in told} == {"ok"}
    assert set(told[0]) == {"check", "health", "told", "mend"}


async def test_the_doctor_without_dns_asks_nobody_but_the_relay(keeper: Terminal) -> None:
    async with Zone({}) as zone, FakeRelay() as relay:
        settings_with(keeper, "servers = []", f'servers = ["{zone.server}"]')
        settings_with(keeper, "port = 25\n", f"port = {relay.port}\n")

        await typed(keeper, "doctor")

        assert (zone.queries, relay.connections) == ([], 1)


def test_the_doctor_tells_settings_it_cannot_read_as_a_finding(keeper: Terminal) -> None:
    settings_with(keeper, "[web]", "[web")

    shown = keeper("doctor", code=1)
    keeper("doctor", "--dns", "--address", "here", code=2)

    assert shown.startswith("fail  settings: settings.toml: not TOML")
    assert "--address" in keeper.said
