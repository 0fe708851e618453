"""Which settings are samples or unreachable, and which hosts are this machine."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailer.domain.sample_settings import describe_sample_settings, is_loopback
from mailer.settings.toml_tables import Service

OWN = {
    "name": "Harvest Circle",
    "domain": "lists.harvest-circle.org",
    "url": "https://harvest-circle.org/lists",
    "owner": "ada@harvest-circle.org",
}


def test_all_values_that_init_writes_are_named() -> None:
    given = Service()

    description = describe_sample_settings(name=given.name, domain=given.domain, url=given.url, owner=given.owner)

    assert description is not None
    for key in ("name", "domain", "url", "owner"):
        assert f"{key} " in description


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("name", "Open Letters"),
        *(("domain", f"{name}") for name in ("lists.example.org", "example.com", "a.b.example.net", "EXAMPLE.ORG")),
        *(("domain", f"lists.{name}") for name in ("test", "example", "invalid", "localhost", "local", "internal")),
        *(("domain", name) for name in ("lists.home.arpa", "mail.lan", "lists.example.edu")),
        *(
            ("owner", f"owner@{name}")
            for name in ("example.org", "mail.example.com", "Example.Net", "box.test", "host")
        ),
        *(("url", f"https://{name}") for name in ("lists.example.org", "example.com:8443", "x.test", "lists.local")),
        *(("url", f"https://{name}/lists") for name in ("mailer", "localhost", "lists.localhost", "intranet:8443")),
        *(("url", f"http://{name}:8080") for name in ("127.0.0.1", "localhost", "[::1]")),
        *(("url", f"https://{name}") for name in ("127.0.0.1", "127.9.9.9", "127.1", "0x7f000001", "0.0.0.0")),
        *(("url", f"https://{name}") for name in ("10.1.2.3", "172.16.0.1", "172.31.255.1", "192.168.1.1")),
        *(("url", f"https://{name}") for name in ("169.254.1.1", "100.64.0.1", "192.0.2.1", "203.0.113.9")),
        *(("url", f"https://[{name}]") for name in ("fe80::1", "fd12::1", "2001:db8::1", "::ffff:10.0.0.1", "::")),
    ],
)
def test_each_sample_and_each_private_address_is_named(key: str, value: str) -> None:
    description = describe_sample_settings(**OWN | {key: value})

    assert description is not None
    assert description.startswith(f'{key} "{value}"' if key == "name" else f"{key} {value} ")


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("name", "Open Letters of the Harvest Circle"),
        ("domain", "myexample.org"),
        ("domain", "lists.example.org.uk"),
        ("domain", "test.harvest-circle.org"),
        ("domain", "xn--grten-gra.de"),
        ("url", "https://8.8.8.8"),
        ("url", "https://172.32.0.1"),
        ("url", "https://[2606:4700::1111]:8443/lists"),
        ("url", "https://localhost.harvest-circle.org"),
        ("url", "https://example.harvest-circle.org"),
        ("url", "https://local.de"),
        ("owner", "example.org@harvest-circle.org"),
        ("owner", "owner@localhost.org"),
    ],
)
def test_what_only_looks_like_a_sample_is_not_named(key: str, value: str) -> None:
    assert describe_sample_settings(**OWN | {key: value}) is None


@given(st.ip_addresses(v=4))
def test_an_ip_address_is_reachable_only_if_it_is_global(address: object) -> None:
    assert (describe_sample_settings(**OWN | {"url": f"https://{address}"}) is None) == address.is_global  # type: ignore[attr-defined]


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.2", "::1", "[::1]", "localhost", "LOCALHOST.", "a.localhost"])
def test_a_loopback_host_is_this_machine(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize("host", ["10.0.0.1", "smtp.example.org", "mailpit", "localhost.example.org", "", "::2"])
def test_any_other_host_is_not_this_machine(host: str) -> None:
    assert not is_loopback(host)
