"""Settings that are still samples or that readers cannot reach: letters must not leave the machine with them."""

from __future__ import annotations

import ipaddress
import socket
from urllib.parse import urlsplit

from mailer.settings.toml_tables import Service

_SAMPLE_NAME = Service.model_fields["name"].default
_EXAMPLE_DOMAINS = {"example.com", "example.net", "example.org", "example.edu"}
"""Domains reserved for examples, with all names below them (RFC 2606 section 3, RFC 6761 section 6.5)."""
_NON_PUBLIC_DOMAINS = {
    "test",
    "example",
    "invalid",
    "localhost",
    "local",
    "internal",
    "home.arpa",
    "lan",
    "localdomain",
    "alt",
}
"""Domains that are not in the public DNS, with all names below them (RFC 6761, 6762, 8375, 9476; routers' own)."""


def describe_sample_settings(*, name: str, domain: str, url: str, owner: str) -> str | None:
    """Which of these values of [service] are samples or unreachable, and why, for people to read; None if none is."""
    found = {
        f'name "{name}"': "is the one that `mailer init` writes" if name == _SAMPLE_NAME else None,
        f"domain {domain}": _unowned_domain_reason(domain),
        f"url {url}": _unreachable_reason(urlsplit(url).hostname or ""),
        f"owner {owner}": _unowned_domain_reason(owner.rpartition("@")[2]),
    }
    return "; ".join(f"{what} {why}" for what, why in found.items() if why) or None


def is_loopback(host: str) -> bool:
    """Whether the host is this machine: `localhost` or a loopback address."""
    address = _parse_ip(host)
    return address.is_loopback if address else _is_under(host, {"localhost"})


def _unreachable_reason(host: str) -> str | None:
    """Why other machines cannot reach a web server at this name or address; None if they may."""
    if is_loopback(host):
        return "is this machine alone"
    if (address := _parse_ip(host)) is not None:
        return None if address.is_global else "is a private address, which readers cannot reach"
    return _unowned_domain_reason(host)


def _unowned_domain_reason(domain: str) -> str | None:
    """Why this domain cannot belong to anybody in the public DNS; None if it may."""
    if _is_under(domain, _EXAMPLE_DOMAINS):
        return "is a name kept for examples"
    if "." not in domain.rstrip(".") or _is_under(domain, _NON_PUBLIC_DOMAINS):
        return "is no name that the world knows"
    return None


def _is_under(domain: str, names: set[str]) -> bool:
    labels = domain.rstrip(".").lower().split(".")
    return any(".".join(labels[start:]) in names for start in range(len(labels)))


def _parse_ip(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """The IP address that `host` spells, also in the short forms of browsers (127.1, 0x7f000001), or None."""
    try:
        address = ipaddress.ip_address(host.strip("[]").partition("%")[0])
    except ValueError:
        try:
            return ipaddress.IPv4Address(socket.inet_aton(host)) if host[-1:].isalnum() else None
        except OSError:
            return None
    return getattr(address, "ipv4_mapped", None) or address
