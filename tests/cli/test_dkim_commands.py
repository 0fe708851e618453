"""`mailer dkim` and `mailer doctor` on the command line."""

from __future__ import annotations

import asyncio
import json
import stat
from pathlib import Path

from tests.support.dns_zone import Zone
from tests.support.fake_relay import FakeRelay
from tests.support.terminal import Terminal

KEY_FILE = "dkim-lists.example.org-mailer.pem"
TABLE = f'\n[[dkim]]\ndomain = "lists.example.org"\nselector = "mailer"\nkey_file = "{KEY_FILE}"\n'


def use_key(mailer_in: Terminal, domain: str = "lists.example.org") -> None:
    with (mailer_in.folder / "settings.toml").open("a") as file:
        file.write(TABLE.replace("lists.example.org", domain))


async def run_in_thread(mailer_in: Terminal, *words: str, code: int = 0) -> str:
    """Typed while the test's own servers go on."""
    return await asyncio.to_thread(mailer_in, *words, code=code)


def test_a_new_key_is_private_and_its_record_is_printed(mailer_in: Terminal) -> None:
    record = mailer_in("dkim", "new")
    said = mailer_in.said
    pem = (mailer_in.folder / KEY_FILE).read_text()
    mailer_in("dkim", "new", code=1)

    assert record.startswith('mailer._domainkey.lists.example.org. IN TXT ( "v=DKIM1; k=rsa; p=MII')
    assert record.count('"') == 4
    assert TABLE in said
    assert stat.S_IMODE((mailer_in.folder / KEY_FILE).stat().st_mode) == 0o600
    assert "already there" in mailer_in.said
    assert (mailer_in.folder / KEY_FILE).read_text() == pem


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


def test_a_key_that_cannot_sign_stops_the_service_at_start(mailer_in: Terminal) -> None:
    use_key(mailer_in)
    mailer_in("serve", code=2)
    missing = mailer_in.said
    (mailer_in.folder / KEY_FILE).write_text("no key")
    mailer_in("serve", code=2)

    assert f"DKIM key {KEY_FILE}: cannot be read (No such file or directory)" in missing
    assert f"DKIM key {KEY_FILE}: it is not a private key" in mailer_in.said


async def test_check_says_whether_the_dns_has_our_key(mailer_in: Terminal) -> None:
    mailer_in("dkim", "check", code=2)
    assert "`mailer dkim new`" in mailer_in.said
    record = json.loads(mailer_in("dkim", "new", "--json"))["value"]
    use_key(mailer_in)
    async with Zone({}) as zone:
        mailer_in.replace_setting("servers = []", f'servers = ["{zone.server}"]')

        missing = await run_in_thread(mailer_in, "dkim", "check", code=1)
        zone.records["mailer._domainkey.lists.example.org. txt"] = [f'"{record[:200]}" "{record[200:]}"']
        there = await run_in_thread(mailer_in, "dkim", "check")

    assert missing.startswith("fail  dkim mailer._domainkey.lists.example.org: there is no TXT record\n      Publish: ")
    assert there == "ok    dkim mailer._domainkey.lists.example.org: the key matches (2048 bits)\n"


FINISHED = {
    'name = "Open Letters"': 'name = "Harvest letters"',
    '"lists.example.org"': '"lists.harvestforum.net"',
    '"http://127.0.0.1:8080"': '"https://lists.harvestforum.net"',
    '"owner@example.org"': '"ada@harvestforum.net"',
}
"""What a mailer_in makes of the samples in [service]."""


async def test_the_doctor_finds_a_healthy_service_healthy(mailer_in: Terminal) -> None:
    for old, new in FINISHED.items():
        mailer_in.replace_setting(old, new)
    record = json.loads(mailer_in("dkim", "new", "--json"))["value"]
    use_key(mailer_in, "lists.harvestforum.net")
    records = {
        "mailer._domainkey.lists.harvestforum.net. TXT": [f'"{record[:200]}" "{record[200:]}"'],
        "lists.harvestforum.net. TXT": ['"v=spf1 mx -all"'],
        "lists.harvestforum.net. MX": ["10 mail.harvestforum.net."],
        "mail.harvestforum.net. A": ["192.0.2.25"],
        "25.2.0.192.in-addr.arpa. PTR": ["mail.harvestforum.net."],
        "_dmarc.lists.harvestforum.net. TXT": ['"v=DMARC1; p=none"'],
    }
    async with Zone(records) as zone, FakeRelay() as relay:
        mailer_in.replace_setting("servers = []", f'servers = ["{zone.server}"]')
        mailer_in.replace_setting("port = 25\n", f"port = {relay.port}\n")

        shown = await run_in_thread(mailer_in, "doctor", "--dns", "--address", "192.0.2.25")
        results = json.loads(await run_in_thread(mailer_in, "doctor", "--dns", "--address", "192.0.2.25", "--json"))

    own = ("settings", "folder", "files", "service", "secret", "key", "database", "relay")
    checks = (*own, "spf", "dmarc", "alignment", "mx", "spf", "ptr", "dkim")
    assert [line.replace(":", "").split()[:2] for line in shown.splitlines()] == [["ok", name] for name in checks]
    assert {one["health"] for one in results} == {"ok"}
    assert set(results[0]) == {"check", "health", "told", "mend"}


async def test_the_doctor_without_dns_asks_nobody_but_the_relay(mailer_in: Terminal) -> None:
    async with Zone({}) as zone, FakeRelay() as relay:
        mailer_in.replace_setting("servers = []", f'servers = ["{zone.server}"]')
        mailer_in.replace_setting("port = 25\n", f"port = {relay.port}\n")

        await run_in_thread(mailer_in, "doctor")

        assert (zone.queries, relay.connections) == ([], 1)


def test_the_doctor_reports_unreadable_settings_as_a_failed_check(mailer_in: Terminal) -> None:
    mailer_in.replace_setting("[web]", "[web")

    shown = mailer_in("doctor", code=1)
    mailer_in("doctor", "--dns", "--address", "here", code=2)

    assert shown.startswith("fail  settings: settings.toml: not TOML")
    assert "--address" in mailer_in.said
