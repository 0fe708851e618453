"""DKIM keys and DNS servers in settings.toml."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from mailer.errors import SettingsRefused
from mailer.settings.load import Settings, check_settings
from mailer.settings.toml_tables import parse_host_port


def read(**tables: Any) -> Settings:
    return check_settings(tables, Path("/etc/mailer/settings.toml"))


def test_by_default_nothing_signs_and_the_machines_dns_servers_are_asked():
    settings = read()

    assert (settings.dkim, settings.dns.servers) == ((), ())


def test_a_key_defaults_to_our_domain_and_the_folder_of_the_settings():
    settings = read(dkim=[{}, {"domain": "example.net", "selector": "y2027", "key_file": "/run/keys/dkim.pem"}])

    assert [(one.domain, one.selector, str(one.key_file)) for one in settings.dkim] == [
        ("lists.example.org", "mailer", "/etc/mailer/dkim.pem"),
        ("example.net", "y2027", "/run/keys/dkim.pem"),
    ]


@pytest.mark.parametrize("name", ["a b", "Mailer", "../x", "-a", "a-", "a..b", ".a", "a;b", "ä", "a" * 64])
@pytest.mark.parametrize("key", ["domain", "selector"])
def test_a_domain_or_selector_that_is_no_dns_name_is_refused(key, name):
    with pytest.raises(SettingsRefused, match=rf"dkim\.0\.{key}: must be a lower-case name"):
        read(dkim=[{key: name}])


@pytest.mark.parametrize(
    ("table", "message"),
    [({"selector": ""}, "dkim.0.selector: must not be empty"), ({"key": "x"}, "dkim.0.key: there is no such key")],
)
def test_an_empty_selector_and_an_unknown_key_are_refused(table, message):
    with pytest.raises(SettingsRefused, match=message):
        read(dkim=[table])


@pytest.mark.parametrize(
    "server", ["dns.example.org", "192.0.2.999", "192.0.2.1:x", "[192.0.2.1", "2001:db8::1::2", ""]
)
def test_a_dns_server_is_an_address(server):
    with pytest.raises(SettingsRefused, match=r"dns\.servers"):
        read(dns={"servers": [server]})


@pytest.mark.parametrize(
    ("server", "host", "port"),
    [
        ("192.0.2.53", "192.0.2.53", 53),
        ("192.0.2.53:5353", "192.0.2.53", 5353),
        ("2001:db8::53", "2001:db8::53", 53),
        ("[2001:db8::53]:5353", "2001:db8::53", 5353),
        ("[2001:db8::53]", "2001:db8::53", 53),
    ],
)
def test_a_dns_server_may_have_a_port(server, host, port):
    assert read(dns={"servers": [server]}).dns.servers == (server,)
    assert parse_host_port(server) == (host, port)
