"""The client of a request: the peer, or the address that a trusted proxy names."""

from __future__ import annotations

import shutil
from dataclasses import replace
from ipaddress import ip_address
from pathlib import Path

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailer.actions.subscriptions.show_person import show_person
from mailer.app import App
from mailer.entrypoints.smtp.connection_limits import is_in_networks, parse_networks
from mailer.entrypoints.web.forwarded_for import client_address
from mailer.errors import SettingsRefused
from mailer.settings.intake_tables import HearingSettings, ShieldSettings
from mailer.settings.load import check_settings
from tests.support.app_helpers import ADMIN, open_list, recipients
from tests.support.fake_relay import FakeRelay
from tests.support.running_service import running_service

CDN, BRIDGE = "203.0.113.7", "172.18.0.0/16"
TRUSTED = parse_networks(("127.0.0.1", "::1", CDN, BRIDGE, "2001:db8:cd::/48"))


@pytest.fixture
def database_url(sqlite_template: Path, tmp_path: Path) -> str:
    """SQLite: the database is not the point."""
    return f"sqlite:///{shutil.copy(sqlite_template, tmp_path / 'mailer.db')}"


@pytest.mark.parametrize(
    ("peer", "forwarded_for", "client"),
    [
        ("127.0.0.1", [], "127.0.0.1"),
        ("127.0.0.1", ["198.51.100.1"], "198.51.100.1"),
        ("::1", ["2001:db8::7"], "2001:db8::7"),
        ("::ffff:127.0.0.1", ["::ffff:198.51.100.1"], "198.51.100.1"),
        ("172.18.0.1", ["198.51.100.1, 203.0.113.7"], "198.51.100.1"),
        ("2001:db8:cd::9", ["198.51.100.1"], "198.51.100.1"),
        # The client's own invention stands on the left, and is not believed.
        ("127.0.0.1", ["192.0.2.1, 198.51.100.1, 203.0.113.7"], "198.51.100.1"),
        ("127.0.0.1", ["127.0.0.1, 198.51.100.1"], "198.51.100.1"),
        ("127.0.0.1", ["203.0.113.7, 198.51.100.1"], "198.51.100.1"),
        ("127.0.0.1", ["<script>, , 198.51.100.1"], "198.51.100.1"),
        # A stranger who calls us himself is who he is.
        ("198.51.100.9", ["192.0.2.1"], "198.51.100.9"),
        ("198.51.100.9", ["127.0.0.1", CDN], "198.51.100.9"),
        # Several fields are one list, in their order.
        ("127.0.0.1", ["192.0.2.1", "198.51.100.1", "203.0.113.7"], "198.51.100.1"),
        ("127.0.0.1", ["192.0.2.1, 198.51.100.1,", " ,203.0.113.7 , "], "198.51.100.1"),
        # As proxies write them.
        ("127.0.0.1", ["198.51.100.1:51234"], "198.51.100.1"),
        ("127.0.0.1", ["[2001:db8::7]:443, 203.0.113.7:443"], "2001:db8::7"),
        ("127.0.0.1", ["[2001:db8::7]"], "2001:db8::7"),
        ("127.0.0.1", ['"[2001:DB8::7]:443"'], "2001:db8::7"),
        ("127.0.0.1", ["fe80::1%eth0"], "fe80::1"),
        ("127.0.0.1", ["\t198.51.100.1\t"], "198.51.100.1"),
        # What is no address is nobody: the proxy that says it stands for its clients.
        ("127.0.0.1", ["unknown"], "127.0.0.1"),
        ("127.0.0.1", ["198.51.100.1, _hidden, 203.0.113.7"], "203.0.113.7"),
        ("127.0.0.1", ["198.51.100.1, 203.0.113.7, 300.1.1.1"], "127.0.0.1"),
        ("127.0.0.1", ["[2001:db8::7", "2001:db8::7]"], "127.0.0.1"),
        ("127.0.0.1", ["198.51.100.1:port"], "127.0.0.1"),
        ("127.0.0.1", ["", " , ,"], "127.0.0.1"),
        # All are ours: a request from within.
        ("127.0.0.1", ["172.18.0.5, 203.0.113.7"], "172.18.0.5"),
        ("testclient", ["198.51.100.1"], "testclient"),
    ],
)
def test_the_client_is_the_right_most_address_that_is_not_a_proxys(
    peer: str, forwarded_for: list[str], client: str
) -> None:
    assert client_address(peer, forwarded_for, TRUSTED) == client


@given(st.lists(st.text() | st.ip_addresses().map(str)), st.ip_addresses().filter(lambda one: not one.is_loopback))
def test_a_forged_field_does_not_change_the_clients_address(words: list[str], address: object) -> None:
    seen = ip_address(str(address))
    expected = getattr(seen, "ipv4_mapped", None) or seen
    if not is_in_networks(str(seen), TRUSTED):
        assert client_address("127.0.0.1", [*words, f"{seen}, {CDN}"], TRUSTED) == str(expected)
        assert client_address(str(seen), words, TRUSTED) == str(expected)


@pytest.mark.parametrize(
    ("trusted", "clients"),
    [({"trusted_proxies": (CDN,)}, 26), ({"trusted_proxies": ("203.0.113.0/24", "::1")}, 26), ({}, 3)],
    ids=["named", "its network", "not named"],
)
async def test_clients_of_a_trusted_cdn_are_distinguished(
    app: App, relay: FakeRelay, trusted: dict[str, tuple[str, ...]], clients: int
) -> None:
    app = replace(app, shield=ShieldSettings(per_source=3))
    await open_list(app)

    async with running_service(app, **trusted) as service:
        for number in range(1, 27):
            await join(service.browser, number, f"198.51.100.{number}, {CDN}")
        await relay.wait_for(clients)
        await last_word(service.browser, relay, clients)

    assert len(set(recipients(relay))) == clients + 1


@pytest.mark.parametrize("trusted", [(), ("198.51.100.0/24",)], ids=["nobody", "another"])
async def test_the_field_of_an_untrusted_proxy_is_not_stored(
    app: App, relay: FakeRelay, trusted: tuple[str, ...]
) -> None:
    app = replace(app, hearing=HearingSettings(keep_client_address=True))
    await open_list(app)
    other_client = httpx.AsyncHTTPTransport(local_address="127.0.0.9")
    forged = {"x_real_ip": "192.0.2.1", "forwarded": "for=192.0.2.1", "true_client_ip": "192.0.2.1"}

    async with running_service(app, trusted_proxies=trusted) as service:
        async with httpx.AsyncClient(base_url=service.browser.base_url, transport=other_client) as browser:
            await join(browser, 1, "192.0.2.1", **forged)
        await relay.wait_for(1)
        stored = (await show_person(app, ADMIN, "a1@cdn1.example")).consents

    assert [line.evidence for line in stored] == [{"client": "127.0.0.9"}]


@pytest.mark.parametrize("wrong", ["cdn.example.org", "10.0.0.1/8", "*", ""])
def test_an_invalid_trusted_proxy_is_refused_by_name(wrong: str) -> None:
    with pytest.raises(SettingsRefused, match=r"web\.trusted_proxies"):
        check_settings({"web": {"trusted_proxies": [wrong]}}, Path("settings.toml"))


async def join(browser: httpx.AsyncClient, number: int, forwarded_for: str, **fields: str) -> None:
    headers = {"x-forwarded-for": forwarded_for} | {name.replace("_", "-"): value for name, value in fields.items()}
    form = {"email": f"a{number}@cdn{number}.example"}
    assert (await browser.post("/join/appeals", data=form, headers=headers)).status_code == 200


async def last_word(browser: httpx.AsyncClient, relay: FakeRelay, after: int) -> None:
    """Somebody else's request, acted on after all those before it: what has not come until then never does."""
    await join(browser, 99, "192.0.2.99")
    await relay.wait_for(after + 1)
